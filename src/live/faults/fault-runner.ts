import { setTimeout as sleep } from "node:timers/promises";
import type { GatewayCrew } from "../gateway-crew.js";
import type { KafkaSide } from "../kafka/kafka-side.js";
import { setBrokerCable, setFleetCable } from "../namespaces.js";
import type { Topology } from "../topology.js";
import type { PlannedFault } from "./planned-fault.js";

/** What faults are done to. */
export interface FaultTargets {
	readonly topology: Topology;
	readonly crew: Pick<GatewayCrew, "kill" | "restart" | "freeze" | "wake">;
	readonly kafka: KafkaSide;
}

/** A fault that was done. Wall clock, milliseconds since 1970. */
export interface DoneFault {
	readonly fault: PlannedFault;
	atMillis: number;
	/** When it was undone; null: never. */
	endMillis: number | null;
}

/** Does faults to a run at their times, and undoes them. */
export class FaultRunner {
	/** In the order in which they were done. */
	readonly done: DoneFault[] = [];
	private readonly quit = new AbortController();
	private failure: Error | undefined;
	private work: Promise<unknown> = Promise.resolve();

	/** `originMillis` is the wall clock at the run's beginning; `say` hears of each fault. */
	constructor(
		private readonly faults: readonly PlannedFault[],
		private readonly targets: FaultTargets,
		private readonly originMillis: number,
		private readonly say: (text: string) => void,
	) {}

	/** Begins to wait for the times of all faults. */
	begin(): void {
		const each = this.faults.map((fault) => this.carryOut(fault));
		this.work = Promise.all(each).catch((error: unknown) => {
			this.failure ??= error as Error;
		});
	}

	/** Throws what has gone wrong with a fault. */
	check(): void {
		if (this.failure !== undefined) {
			throw this.failure;
		}
	}

	/** Does no more, and undoes at once what still lasts. */
	async end(): Promise<void> {
		this.quit.abort();
		await this.work;
	}

	private async carryOut(fault: PlannedFault): Promise<void> {
		await this.until(this.originMillis + fault.atMicros / 1_000);
		if (this.quit.signal.aborted) {
			return;
		}
		this.say(`fault: ${fault.text}`);
		const { begin, undo } = HOW[fault.kind];
		const done: DoneFault = { fault, atMillis: Date.now(), endMillis: null };
		this.done.push(done);
		await begin(this.targets, fault, done);
		if (fault.forMicros === null) {
			return;
		}
		await this.until(this.originMillis + (fault.atMicros + fault.forMicros) / 1_000);
		await undo(this.targets, fault, done);
		done.endMillis = Date.now();
		this.say(`fault over: ${fault.text}`);
	}

	/** Waits until the wall clock says so, or there is no more time. */
	private async until(millis: number): Promise<void> {
		const { signal } = this.quit;
		const wait = Math.max(0, millis - Date.now());
		await sleep(wait, undefined, { signal }).catch(() => undefined);
	}
}

/** May correct when it was done. */
type Step = (targets: FaultTargets, fault: PlannedFault, done: DoneFault) => Promise<void> | void;

const hit = ({ gateway }: PlannedFault): number => gateway ?? 0;
const restartBroker: Step = ({ kafka }) => kafka.restart();

const HOW: Readonly<Record<PlannedFault["kind"], { readonly begin: Step; readonly undo: Step }>> = {
	"kill-gateway": {
		begin: async ({ crew }, fault, done) => {
			done.atMillis = await crew.kill(hit(fault));
		},
		undo: ({ crew }, fault) => crew.restart(hit(fault)),
	},
	"freeze-gateway": {
		begin: ({ crew }, fault) => crew.freeze(hit(fault)),
		undo: ({ crew }, fault) => crew.wake(hit(fault)),
	},
	"delay-endtxn": {
		begin: ({ kafka }, fault) => kafka.delayEnds(hit(fault), Math.round(fault.delayMicros / 1_000)),
		undo: ({ kafka }, fault) => kafka.delayEnds(hit(fault), 0),
	},
	"kill-broker": { begin: ({ kafka }) => kafka.end("kill"), undo: restartBroker },
	"stop-broker": { begin: ({ kafka }) => kafka.end("stop"), undo: restartBroker },
	"cut-link": {
		begin: (targets, fault) => setCable(targets, fault, "down"),
		undo: (targets, fault) => setCable(targets, fault, "up"),
	},
	"fill-quota": {
		begin: ({ kafka }, { bytesPerSecond }) => kafka.limitProducers(bytesPerSecond),
		undo: ({ kafka }) => kafka.limitProducers(null),
	},
};

async function setCable(
	{ topology }: FaultTargets,
	fault: PlannedFault,
	state: "up" | "down",
): Promise<void> {
	const gateway = hit(fault);
	const place = topology.gateways[gateway];
	if (fault.link === "fleet" && place !== undefined) {
		await setFleetCable(topology.fleet, place, state);
	} else if (topology.broker !== undefined) {
		await setBrokerCable(topology.broker, gateway, state);
	}
}
