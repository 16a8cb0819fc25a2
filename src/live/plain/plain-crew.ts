import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Child } from "../child.js";
import { LiveFault } from "../live-fault.js";
import type { Topology } from "../topology.js";
import type { PlainGatewayConfig } from "./plain-config.js";

const PROGRAM = fileURLToPath(new URL("./gateway-child.js", import.meta.url));
const READY_MILLIS = 30_000;
const POLL_MILLIS = 20;
const KILL_MILLIS = 5_000;

interface Member {
	readonly child: Child;
	isReady: boolean;
	isKilled: boolean;
	isFrozen: boolean;
}

/** The plain gateways of a run, a process each in its namespace. */
export class PlainCrew {
	private readonly members: Member[] = [];

	/** `configOf` is the configuration of a gateway by its number. */
	constructor(
		private readonly topology: Topology,
		private readonly folder: string,
		private readonly configOf: (gateway: number) => PlainGatewayConfig,
	) {}

	/** Starts all; resolves once they serve. Throws a fault of the set-up. */
	async start(): Promise<void> {
		for (const gateway of this.topology.gateways.keys()) {
			await this.restart(gateway);
		}
		for (let waited = 0; !this.members.every(({ isReady }) => isReady); waited += POLL_MILLIS) {
			this.check("setup");
			if (waited > READY_MILLIS) {
				throw new LiveFault("setup", `the plain gateways are not ready after ${READY_MILLIS / 1_000} s`);
			}
			await sleep(POLL_MILLIS);
		}
	}

	/** Throws when one has ended that was to live. */
	check(stage: LiveFault["stage"]): void {
		for (const { child, isKilled } of this.members) {
			if (!isKilled) {
				child.check(stage);
			}
		}
	}

	/** Kills a gateway (-9): the wall clock when it was done. */
	async kill(gateway: number): Promise<number> {
		const member = this.of(gateway);
		member.isKilled = true;
		const atMillis = Date.now();
		member.child.signal("SIGKILL");
		await member.child.endsWithin(KILL_MILLIS);
		return atMillis;
	}

	/** Starts a gateway, as a new process. */
	async restart(gateway: number): Promise<void> {
		const { namespace = "" } = this.topology.gateways[gateway] ?? {};
		const file = join(this.folder, `plain-gateway-${gateway}.json`);
		await writeFile(file, JSON.stringify(this.configOf(gateway)));
		const name = `plain gateway ${gateway}`;
		const child = new Child(name, namespace, process.execPath, [PROGRAM, file], () => {
			member.isReady = true;
		});
		const member: Member = { child, isReady: false, isKilled: false, isFrozen: false };
		this.members[gateway] = member;
	}

	/** Stops a gateway's process in its tracks. */
	freeze(gateway: number): void {
		const member = this.of(gateway);
		member.isFrozen = true;
		member.child.signal("SIGSTOP");
	}

	/** Lets it go on. */
	wake(gateway: number): void {
		const member = this.of(gateway);
		member.child.signal("SIGCONT");
		member.isFrozen = false;
	}

	/** Ends all; each writes first what it has taken, if the broker lets it. */
	async stop(): Promise<void> {
		for (const { child, isFrozen } of this.members) {
			if (isFrozen) {
				child.signal("SIGCONT");
			}
		}
		await Promise.all(this.members.map(({ child }) => child.stop()));
	}

	private of(gateway: number): Member {
		const member = this.members[gateway];
		if (member === undefined) {
			throw new Error(`there is no gateway ${gateway}`);
		}
		return member;
	}
}
