import type { Takeover } from "../record/run-record.js";
import type { GatewayOutage } from "../scenarios/scenario.js";

/** Rows kept; faults after that are carried out, and not reported one by one. */
const FAULTS_MAX = 1_000;
const MICROS = 1_000_000;
/** Delays are told apart by this much. */
const DELAY_STEP_MICROS = 100_000;

interface Fault {
	readonly kind: GatewayOutage["kind"];
	readonly gateway: number;
	readonly atMicros: number;
	readonly shards: number;
	taken: number;
	firstMicros: number | null;
	lastMicros: number | null;
	delayed: number;
	/** Readings by delay, in steps. */
	readonly delays: Map<number, number>;
}

interface Watched {
	/** The initialisation of the shard's producer when the fault began. */
	readonly generation: number;
	readonly fault: Fault;
	/** When a new owner committed for the first time. */
	takenMicros: number | null;
}

/** Watches how shards change hands after each fault of a gateway: how soon somebody else commits, and which readings had to wait. */
export class Takeovers {
	private readonly faults: Fault[] = [];
	/** Per shard the last fault that has hit it. */
	private readonly watched = new Map<number, Watched>();

	/** A fault hits the gateway that owns `shards`, each with the initialisation that is good at this time. */
	begin(
		kind: GatewayOutage["kind"],
		gateway: number,
		atMicros: number,
		shards: readonly { readonly shard: number; readonly generation: number }[],
	): void {
		if (this.faults.length === FAULTS_MAX) {
			return;
		}
		const fault: Fault = {
			kind,
			gateway,
			atMicros,
			shards: shards.length,
			taken: 0,
			firstMicros: null,
			lastMicros: null,
			delayed: 0,
			delays: new Map(),
		};
		this.faults.push(fault);
		for (const { shard, generation } of shards) {
			this.watched.set(shard, { generation, fault, takenMicros: null });
		}
	}

	/** Something of `shard` has been committed by initialisation `generation`. */
	committed(shard: number, generation: number, atMicros: number): void {
		const watched = this.watched.get(shard);
		if (watched === undefined || watched.takenMicros !== null || watched.generation === generation) {
			return;
		}
		watched.takenMicros = atMicros;
		const { fault } = watched;
		fault.taken++;
		fault.firstMicros ??= atMicros;
		fault.lastMicros = atMicros;
	}

	/**
	 * `count` readings of `shard`, due at `dueMicros` and every `stepMicros` after it (0: all at once), have become durable.
	 * Those that were due after the fault and before a new owner had committed anything had to wait for it.
	 */
	durable(shard: number, count: number, dueMicros: number, stepMicros: number, atMicros: number): void {
		const watched = this.watched.get(shard);
		if (watched === undefined || watched.takenMicros === null) {
			return;
		}
		const { fault, takenMicros } = watched;
		for (let n = 0; n < count; n++) {
			const due = dueMicros + n * stepMicros;
			if (due >= takenMicros) {
				return;
			}
			if (due >= fault.atMicros) {
				const step = Math.floor((atMicros - due) / DELAY_STEP_MICROS);
				fault.delays.set(step, (fault.delays.get(step) ?? 0) + 1);
				fault.delayed++;
			}
		}
	}

	/** A row for each fault, in the order in which they began. */
	rows(): Takeover[] {
		return this.faults.map((fault) => {
			const { kind, gateway, atMicros, shards, taken, firstMicros, lastMicros, delayed } = fault;
			const since = (micros: number | null) => (micros === null ? null : (micros - atMicros) / MICROS);
			return {
				kind,
				gateway,
				atSeconds: atMicros / MICROS,
				shards,
				shardsTaken: taken,
				firstCommitSeconds: since(firstMicros),
				lastCommitSeconds: since(lastMicros),
				readingsDelayed: delayed,
				delayP99Seconds: percentile(fault.delays, delayed, 0.99),
			};
		});
	}
}

/** The delay that a share of the readings does not exceed, rounded down to a step; null for no readings. */
function percentile(delays: ReadonlyMap<number, number>, total: number, share: number): number | null {
	let below = 0;
	for (const [step, readings] of [...delays].sort(([x], [y]) => x - y)) {
		below += readings;
		if (below >= total * share) {
			return (step * DELAY_STEP_MICROS) / MICROS;
		}
	}
	return null;
}
