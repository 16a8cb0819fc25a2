import { GatewayProcess } from "./gateway-process.js";
import type { GatewayStats } from "./gateway-stats.js";
import type { LiveFault } from "./live-fault.js";
import type { GatewayMeasurement } from "./measurement.js";
import type { Topology } from "./topology.js";

/** One process of a gateway, and what it had counted when its part of the run began. */
interface Member {
	readonly name: string;
	readonly process: GatewayProcess;
	before?: GatewayStats;
	/** Set when it was killed: the last that it had counted. */
	after?: GatewayStats;
	isFrozen: boolean;
}

/** All gateways of a run, with those that were killed on purpose. */
export class GatewayCrew {
	/** Every process that there was, in the order in which they began. */
	private readonly all: Member[] = [];
	/** The present process of each gateway. */
	private readonly present: Member[] = [];

	/** `configOf` is the configuration of a gateway by its number. */
	constructor(
		private readonly topology: Topology,
		private readonly programs: string,
		private readonly folder: string,
		private readonly configOf: (gateway: number) => object,
	) {}

	/** Starts every gateway; resolves once all of them serve. Throws a fault of the set-up. */
	async start(): Promise<void> {
		for (const gateway of this.topology.gateways.keys()) {
			await this.begin(gateway, String(gateway));
		}
		await Promise.all(this.present.map(({ process }) => process.ready()));
	}

	/** Takes down what they have counted so far: figures begin here. */
	async mark(): Promise<void> {
		await Promise.all(
			this.present.map(async (member) => {
				member.before = await member.process.stats();
			}),
		);
	}

	/** Throws when one has ended that was to live. */
	check(stage: LiveFault["stage"]): void {
		for (const { after, process } of this.present) {
			if (after === undefined) {
				process.check(stage);
			}
		}
	}

	/** Kills a gateway (-9), whose figures end here: the wall clock when it was done. */
	async kill(gateway: number): Promise<number> {
		const member = this.of(gateway);
		member.after = await member.process.stats();
		const atMillis = Date.now();
		await member.process.kill();
		return atMillis;
	}

	/** Starts a gateway that was killed, as another process. */
	async restart(gateway: number): Promise<void> {
		await this.of(gateway).process.stop();
		await this.begin(gateway, `${gateway}, restarted`);
	}

	/** Stops a gateway's process in its tracks. */
	freeze(gateway: number): void {
		const member = this.of(gateway);
		member.isFrozen = true;
		member.process.signal("SIGSTOP");
	}

	/** Lets it go on, as if nothing had happened. */
	wake(gateway: number): void {
		const member = this.of(gateway);
		member.process.signal("SIGCONT");
		member.isFrozen = false;
	}

	/** What every process has counted. Throws a fault of the run when one does not say. */
	measure(): Promise<readonly GatewayMeasurement[]> {
		return Promise.all(
			this.all.map(async ({ name, process, before, after }) => {
				const end = after ?? (await process.stats());
				return { name, before: before ?? null, after: end };
			}),
		);
	}

	/** Ends all. */
	async stop(): Promise<void> {
		for (const { isFrozen, process } of this.all) {
			if (isFrozen) {
				process.signal("SIGCONT");
			}
		}
		await Promise.all(this.all.map(({ process }) => process.stop()));
	}

	private async begin(gateway: number, name: string): Promise<void> {
		const { namespace = "" } = this.topology.gateways[gateway] ?? {};
		const config = this.configOf(gateway);
		const process = await GatewayProcess.start(gateway, namespace, this.programs, this.folder, config);
		const member: Member = { name, process, isFrozen: false };
		this.all.push(member);
		this.present[gateway] = member;
	}

	private of(gateway: number): Member {
		const member = this.present[gateway];
		if (member === undefined) {
			throw new Error(`there is no gateway ${gateway}`);
		}
		return member;
	}
}
