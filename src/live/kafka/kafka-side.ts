import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { Listener } from "../broker/broker-config.js";
import type { BrokerFault } from "../broker/broker-fault.js";
import { LocalBroker } from "../broker/local-broker.js";
import { provideLocalKafka } from "../broker/open-broker.js";
import { Child } from "../child.js";
import { LiveFault } from "../live-fault.js";
import { inNamespace, runTool } from "../tools.js";
import type { BrokerPlace } from "../topology.js";
import type { KafkaNeeds } from "./kafka-needs.js";

const CLIENTS_PORT = 9_092;
/** Where the broker listens for a gateway with a proxy, and where the proxy does; plus the gateway's number. */
const BEHIND_PROXY_PORT = 9_100;
const PROXY_PORT = 9_200;
const PROXY_READY_MILLIS = 15_000;
const POLL_MILLIS = 20;

const TOPICS_CHILD = fileURLToPath(new URL("./topics-child.js", import.meta.url));
const PROXY_CHILD = fileURLToPath(new URL("./proxy-child.js", import.meta.url));

/** The broker of a live run, in its namespace, with its topics, and proxies in front of it where there are to be any. */
export class KafkaSide {
	/** EndTxn requests that were held back. */
	endsHeld = 0;
	private proxy: Child | undefined;

	private constructor(
		private readonly place: BrokerPlace,
		private readonly broker: LocalBroker,
		private readonly proxied: readonly number[],
	) {}

	/** Starts a broker and makes the topics. Throws a fault of the set-up. */
	static async start(
		place: BrokerPlace,
		{ shards, proxied, measured, timestamps = "CreateTime" }: KafkaNeeds,
		say: (text: string) => void,
	): Promise<KafkaSide> {
		const { namespace, address } = place;
		const kafka = await provideLocalKafka(say);
		if (!kafka.ok) {
			throw setupFault(kafka.error);
		}
		const listeners = proxied.map((gateway) => listenerFor(address, gateway));
		const options = { namespace, address, port: CLIENTS_PORT, listeners, measured };
		const broker = await LocalBroker.start(kafka.value, options);
		if (!broker.ok) {
			throw setupFault(broker.error);
		}
		const side = new KafkaSide(place, broker.value, proxied);
		try {
			await side.makeTopics(shards, timestamps);
			await side.startProxy();
			return side;
		} catch (error) {
			await side.remove();
			throw error;
		}
	}

	/** What whoever is in the broker's namespace connects to. */
	get bootstrap(): string {
		return this.broker.bootstrap;
	}

	/** What a gateway connects to. */
	bootstrapOf(gateway: number): string {
		return this.proxied.includes(gateway) ? proxyAddress(this.place.address, gateway) : this.bootstrap;
	}

	/** Throws when what is to run has ended. */
	check(): void {
		this.proxy?.check("run");
	}

	/** Ends the broker, in good order or at once. Its data stay. */
	async end(how: "stop" | "kill"): Promise<void> {
		await this.broker[how]();
	}

	/** Starts it again. Throws a fault of the run. */
	async restart(): Promise<void> {
		const fault = await this.broker.start();
		if (fault !== undefined) {
			throw new LiveFault("run", fault.message);
		}
	}

	/** What each producer may write from now on; null: whatever it likes. Throws a fault of the run. */
	async limitProducers(bytesPerSecond: number | null): Promise<void> {
		const fault = await this.broker.limitProducers(bytesPerSecond);
		if (fault !== undefined) {
			throw new LiveFault("run", fault.message);
		}
	}

	/** For how long a gateway's ends of transactions wait from now on. */
	delayEnds(gateway: number, millis: number): void {
		this.proxy?.write(`${this.proxied.indexOf(gateway)} ${millis}`);
	}

	/** Ends everything, and removes the broker's data. */
	async remove(): Promise<void> {
		await this.proxy?.stop();
		await this.broker.remove();
	}

	private async makeTopics(shards: number, timestamps: string): Promise<void> {
		const args = [TOPICS_CHILD, this.bootstrap, String(shards), timestamps];
		const { program, args: all } = inNamespace(this.place.namespace, process.execPath, args);
		await runTool(program, all);
	}

	private async startProxy(): Promise<void> {
		if (this.proxied.length === 0) {
			return;
		}
		const doors = this.proxied.map((gateway) => ({
			listen: proxyAddress(this.place.address, gateway),
			target: listenerFor(this.place.address, gateway).listen,
		}));
		let isReady = false;
		const args = [PROXY_CHILD, JSON.stringify(doors)];
		this.proxy = new Child("the proxy", this.place.namespace, process.execPath, args, (line) => {
			const { ready, held } = JSON.parse(line) as { ready?: boolean; held?: number };
			isReady ||= ready === true;
			this.endsHeld += held === undefined ? 0 : 1;
		});
		for (let waited = 0; !isReady; waited += POLL_MILLIS) {
			this.proxy.check("setup");
			if (waited > PROXY_READY_MILLIS) {
				throw new LiveFault("setup", `the proxy is not ready after ${PROXY_READY_MILLIS / 1_000} s`);
			}
			await sleep(POLL_MILLIS);
		}
	}
}

/** The broker tells whoever comes by this listener to come by the proxy. */
function listenerFor(address: string, gateway: number): Listener {
	return {
		name: `GATEWAY${gateway}`,
		listen: `${address}:${BEHIND_PROXY_PORT + gateway}`,
		advertised: proxyAddress(address, gateway),
	};
}

function proxyAddress(address: string, gateway: number): string {
	return `${address}:${PROXY_PORT + gateway}`;
}

function setupFault({ message }: BrokerFault): LiveFault {
	return new LiveFault("setup", message);
}
