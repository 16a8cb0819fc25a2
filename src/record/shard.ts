import { z } from "zod";

/** A run of the whole, as a shard's record names it: which shard does it, and what it must be. */
export interface PlannedRun {
	readonly scenario: string;
	readonly policy: string;
	readonly seed: string;
	readonly devices: number;
	/** Hex hash of the resolved scenario and the policy: equal where the input of the run is, to the last cohort. */
	readonly identity: string;
	/** 1 to the number of shards. */
	readonly shard: number;
}

/** What a shard's record has beside a whole one's. */
export interface ShardSection {
	/** 1 to `count`. */
	readonly index: number;
	readonly count: number;
	/** The command that repeats the whole. */
	readonly command: string;
	/** All runs of the whole, in the order of its record. */
	readonly plan: readonly PlannedRun[];
}

const plannedRun = z.looseObject({
	scenario: z.string(),
	policy: z.string(),
	seed: z.string(),
	devices: z.int().nonnegative(),
	identity: z.string().describe("Hash of the resolved scenario and the policy"),
	shard: z.int().positive(),
});

/** The zod schema of `ShardSection`. */
export const shardSchema = z
	.looseObject({
		index: z.int().positive(),
		count: z.int().positive(),
		command: z.string().describe("The command that repeats the whole"),
		plan: z.array(plannedRun).readonly().describe("All runs of the whole, in the order of its record"),
	})
	.describe("Only in the record of a shard: which part of what whole it is (see klais merge)");
