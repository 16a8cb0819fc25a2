import type { ScenarioOverrides } from "../../scenarios/load-scenario.js";

/** What the process that traces a run is told, as JSON in its only argument. */
export interface TraceTask {
	/** The checkout whose build runs. */
	readonly tree: string;
	/** A catalogue name, or the full path of a file. */
	readonly scenario: string;
	readonly overrides: ScenarioOverrides;
	readonly policy: string;
	readonly want:
		| { readonly what: "checkpoints" }
		/** Hashes after every call from `from` to before `to`. */
		| { readonly what: "calls"; readonly from: number; readonly to: number }
		/** One call, with all of its records. */
		| { readonly what: "call"; readonly call: number };
}

/** Calls between two checkpoints. */
export const CHECKPOINT_CALLS = 1_024;
/** Records of one call that are passed on; a call with more is compared as far as that. */
export const RECORDS_MAX = 50_000;

/** Running hashes, two 32-bit words each. */
export interface TraceHashes {
	readonly hashes: readonly number[];
	/** Calls of the whole run; undefined where it was ended early. */
	readonly calls: number | undefined;
	/** The digest of the whole run; undefined where it was ended early. */
	readonly digest: string | undefined;
}

/** A record in 8 words: time (two), device, meta, a, b, c, d; see `record-layout.ts`. */
export type TraceRecord = readonly number[];

/** One call into the native library. */
export interface TraceCall {
	/** Such as `stepFleet`. */
	readonly name: string;
	/** End of the slice, microseconds; -1 where the call has none. */
	readonly horizonMicros: number;
	readonly given: readonly TraceRecord[];
	readonly answered: readonly TraceRecord[];
	/** Pairs of a device and its next deadline, microseconds. */
	readonly timers: readonly (readonly number[])[];
	/** What became of frames: 0 accepted, 1 answered, 2 dropped. */
	readonly verdicts: readonly number[];
	/** Records given and answered in all calls before. */
	readonly recordsBefore: number;
}
