import { parseWhole } from "../units/quantity.js";
import { err, ok, type Result } from "../units/result.js";
import type { FlagReader } from "./flags.js";

/** More shards than this is a slip of the finger. */
const SHARDS_MAX = 1_000;

/** The flags of a command that may be done in shards. */
export interface ShardFlags {
	readonly shard?: string;
	readonly durations?: string;
}

/** Which part of the whole: `index` of `count`, from 1. */
export interface ShardChoice {
	readonly index: number;
	readonly count: number;
}

/** A shard, and the file whose durations balance it; without one, estimates do. */
export interface ShardRequest extends ShardChoice {
	readonly durations: string | undefined;
}

/** undefined: the whole is wanted. */
export function readShardFlags(
	reader: FlagReader,
	{ shard, durations }: ShardFlags,
): ShardRequest | undefined {
	if (shard === undefined) {
		if (durations !== undefined) {
			reader.reject("--durations", "balances shards: name one with --shard, such as 1/3");
		}
		return undefined;
	}
	const choice = parseShard(shard);
	if (!choice.ok) {
		reader.reject("--shard", choice.error);
		return undefined;
	}
	return { ...choice.value, durations };
}

function parseShard(text: string): Result<ShardChoice, string> {
	const [first = "", second = "", ...rest] = text.split("/");
	const [index, count] = [parseWhole(first), parseWhole(second)];
	if (rest.length > 0 || !index.ok || !count.ok || index.value < 1 || count.value < index.value) {
		const found = JSON.stringify(text.slice(0, 60));
		return err(`expected a shard and how many there are, such as 1/3, 2/3 or 3/3, found ${found}`);
	}
	if (count.value > SHARDS_MAX) {
		return err(`expected at most ${SHARDS_MAX} shards, found ${count.value}`);
	}
	return ok({ index: index.value, count: count.value });
}
