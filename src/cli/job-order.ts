import type { PolicyName, Scenario } from "../scenarios/scenario.js";

/** What a worker is given. The arrays are shared memory: a worker in the middle of a run reads no messages. */
export interface JobOrder {
	readonly scenario: Scenario;
	readonly policy: PolicyName;
	/** Slot 0: not 0 once the run is to stop. */
	readonly stop: Int32Array;
	/** Virtual time in microseconds, and events so far. */
	readonly progress: BigInt64Array;
}

/** How far a run is. */
export interface JobProgress {
	readonly atMicros: number;
	readonly events: number;
}

export function newProgress(): BigInt64Array {
	return new BigInt64Array(new SharedArrayBuffer(2 * BigInt64Array.BYTES_PER_ELEMENT));
}

export function writeProgress(shared: BigInt64Array, { atMicros, events }: JobProgress): void {
	Atomics.store(shared, 0, BigInt(Math.floor(atMicros)));
	Atomics.store(shared, 1, BigInt(events));
}

export function readProgress(shared: BigInt64Array): JobProgress {
	return { atMicros: Number(Atomics.load(shared, 0)), events: Number(Atomics.load(shared, 1)) };
}
