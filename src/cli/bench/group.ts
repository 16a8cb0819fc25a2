import type { BenchRecord } from "../../record/run-record.js";

/** What a group needs to know. */
export interface GroupContext {
	/** Small sizes and few samples: shows that everything works, not how fast it is. */
	readonly quick: boolean;
	/** Outage traces that the user named, for groups that can judge by them. */
	readonly traces: readonly string[];
	/** Progress, for the person who waits. */
	say(line: string): void;
}

export interface TableSpec {
	readonly title: string;
	readonly head: readonly string[];
	readonly rows: readonly (readonly string[])[];
}

/** What a group measured. */
export interface GroupResult {
	readonly records: readonly BenchRecord[];
	readonly tables: readonly TableSpec[];
	/** How it was measured, what was skipped and why, which wanted number was met or missed. */
	readonly notes: readonly string[];
	/** What must not happen: the figures are worth nothing. */
	readonly failures: readonly string[];
}

export type Group = (context: GroupContext) => Promise<GroupResult>;
