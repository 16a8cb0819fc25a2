import type { Reporter } from "../reports/report-files.js";
import type { ScenarioOverrides } from "../scenarios/load-scenario.js";
import type { Setting } from "../scenarios/overrides.js";
import type { PolicyName } from "../scenarios/scenario.js";
import { POLICY_NAMES } from "../scenarios/schema.js";
import { parseWhole } from "../units/quantity.js";
import { err, ok, type Result } from "../units/result.js";
import type { UserError } from "../units/user-error.js";
import { FlagReader, given } from "./flags.js";
import { DEFAULT_REPORTERS, REPORTER_NAMES } from "./reporters.js";
import { readShardFlags, type ShardFlags, type ShardRequest } from "./shard-flags.js";

/** A pool beyond this is a slip of the finger: every worker is a thread with a heap of its own. */
export const MAX_WORKERS = 256;

/** The flags of `klais run` as the command line has them. */
export interface RunFlags extends ShardFlags {
	readonly policy?: readonly string[];
	readonly seed?: string;
	readonly devices?: string;
	readonly set?: readonly string[];
	readonly calibration?: string;
	readonly workers?: string;
	readonly out: string;
	readonly reporter?: readonly string[];
}

/** What `klais run` is asked to do. */
export interface RunRequest {
	/** Catalogue names and files, in the order of the report. */
	readonly names: readonly string[];
	/** undefined: those that each scenario names. */
	readonly policies: readonly PolicyName[] | undefined;
	readonly overrides: ScenarioOverrides;
	/** undefined: as many as cores and memory allow. */
	readonly workers: number | undefined;
	readonly out: string;
	/** Always with `json`. */
	readonly reporters: ReadonlySet<Reporter>;
	/** undefined: the whole. */
	readonly shard: ShardRequest | undefined;
}

/** Checks the flags, all of them. What depends on the scenario (`--set`, most of `--devices`) is for its loader. */
export function readRunFlags(names: readonly string[], flags: RunFlags): Result<RunRequest, UserError[]> {
	const reader = new FlagReader();
	const policies = reader.words("--policy", flags.policy, POLICY_NAMES);
	const reporters = reader.words("--reporter", flags.reporter, REPORTER_NAMES) ?? DEFAULT_REPORTERS;
	const workers = reader.whole("--workers", flags.workers, 1, MAX_WORKERS);
	const devices = reader.number("--devices", flags.devices, parseWhole);
	const out = reader.text("--out", flags.out, "a folder");
	const shard = readShardFlags(reader, flags);
	const set = flags.set?.flatMap((text) => readSetting(text, reader) ?? []);
	if (reader.errors.length > 0) {
		return err(reader.errors);
	}
	const calibration = flags.calibration;
	const overrides = given({ devices, seed: flags.seed, set, calibration });
	return ok({ names, policies, overrides, workers, out, reporters: new Set([...reporters, "json"]), shard });
}

function readSetting(text: string, reader: FlagReader): Setting[] | undefined {
	const equals = text.indexOf("=");
	if (equals < 1) {
		const example = "such as devices.firmware.reportInterval=30m";
		reader.reject("--set", `expected path=value, ${example}, found ${JSON.stringify(text.slice(0, 60))}`);
		return undefined;
	}
	return [[text.slice(0, equals), text.slice(equals + 1)]];
}
