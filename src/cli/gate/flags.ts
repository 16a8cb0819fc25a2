import type { MarginRule } from "../../gate/exact/margins.js";
import { parseMargin } from "../../gate/exact/margins.js";
import type { Plane } from "../../gate/gate-report.js";
import { parsePercent } from "../../gate/suite.js";
import { parseDuration } from "../../units/duration.js";
import { MICROS_PER_SECOND } from "../../units/micros.js";
import { err, ok, type Result } from "../../units/result.js";
import type { UserError } from "../../units/user-error.js";
import { FlagReader } from "../flags.js";

/** A gate that samples longer is a benchmark. */
const BLOCKS_MAX = 1_000;
const TRIALS_MAX = 10_000;

/** What `--reporter` takes. */
const GATE_REPORTERS = ["md", "json", "junit", "github"] as const;
type GateReporter = (typeof GATE_REPORTERS)[number];

const PLANES: readonly Plane[] = ["exact", "time", "instructions"];
const JUDGES = ["cpu", "wall"] as const;

/** The flags of `klais gate` as the command line has them. */
export interface GateFlags {
	readonly baseline?: string;
	readonly candidate: string;
	readonly margin?: readonly string[];
	readonly subset?: boolean;
	readonly trace?: boolean;
	readonly base?: string;
	readonly suite?: string;
	readonly plane?: readonly string[];
	readonly only?: readonly string[];
	readonly timeMargin: string;
	readonly budget: string;
	readonly blocks: string;
	readonly judge: string;
	readonly cache?: string;
	readonly selfTest?: boolean;
	readonly quick?: boolean;
	readonly trials?: string;
	readonly seed: string;
	readonly out: string;
	readonly reporter?: readonly string[];
}

/** What every kind of gate is told. */
export interface GateOutput {
	readonly out: string;
	/** Always with `json`. */
	readonly reporters: ReadonlySet<GateReporter>;
}

/** Compares two records. */
export interface StoredRequest extends GateOutput {
	readonly kind: "stored";
	readonly baseline: string;
	readonly candidate: string;
	readonly margins: readonly MarginRule[];
	readonly subset: boolean;
	readonly trace: boolean;
	readonly cache: string | undefined;
}

/** Builds and measures another commit. */
export interface BaseRequest extends GateOutput {
	readonly kind: "base";
	readonly base: string;
	readonly suite: string | undefined;
	/** undefined: all that the suite has. */
	readonly planes: readonly Plane[] | undefined;
	readonly only: readonly string[] | undefined;
	readonly margins: readonly MarginRule[];
	readonly trace: boolean;
	readonly timeMargin: number;
	readonly budgetSeconds: number;
	readonly blocksMax: number;
	readonly judge: "cpu" | "wall";
	readonly cache: string | undefined;
	readonly seed: string;
}

/** Tries the gate itself. */
export interface SelfTestRequest extends GateOutput {
	readonly kind: "self-test";
	readonly quick: boolean;
	readonly trials: number | undefined;
	readonly seed: string;
}

export type GateRequest = StoredRequest | BaseRequest | SelfTestRequest;

/** Checks the flags, all of them. */
export function readGateFlags(flags: GateFlags): Result<GateRequest, UserError[]> {
	const reader = new FlagReader();
	const reporters = reader.words("--reporter", flags.reporter, GATE_REPORTERS) ?? ["md"];
	const output = {
		out: reader.text("--out", flags.out, "a folder"),
		reporters: new Set<GateReporter>([...reporters, "json"]),
	};
	const ways = [flags.baseline, flags.base, flags.selfTest].filter((way) => way !== undefined);
	if (ways.length !== 1) {
		reader.reject(
			"klais gate",
			`expected one of --baseline FILE (a stored record), --base REF (a commit) and --self-test, found ${ways.length}`,
		);
	}
	const margins = (flags.margin ?? []).flatMap((text) => readMargin(text, reader) ?? []);
	const request =
		flags.baseline !== undefined
			? stored(flags, flags.baseline, margins, output)
			: flags.base !== undefined
				? based(flags, flags.base, margins, output, reader)
				: selfTest(flags, output, reader);
	return reader.errors.length > 0 ? err(reader.errors) : ok(request);
}

function stored(
	flags: GateFlags,
	baseline: string,
	margins: readonly MarginRule[],
	output: GateOutput,
): StoredRequest {
	const { candidate, subset = false, trace = false, cache } = flags;
	return { kind: "stored", baseline, candidate, margins, subset, trace, cache, ...output };
}

function based(
	flags: GateFlags,
	base: string,
	margins: readonly MarginRule[],
	output: GateOutput,
	reader: FlagReader,
): BaseRequest {
	const budget = parseDuration(flags.budget);
	if (!budget.ok) {
		reader.reject("--budget", budget.error);
	}
	const timeMargin = parsePercent(flags.timeMargin);
	if (timeMargin === undefined || timeMargin === 0) {
		reader.reject(
			"--time-margin",
			`expected a share above 0 such as 3%, found ${JSON.stringify(flags.timeMargin)}`,
		);
	}
	return {
		kind: "base",
		base: reader.text("--base", base, "a commit"),
		suite: flags.suite,
		planes: reader.words("--plane", flags.plane, PLANES),
		only: flags.only?.flatMap((list) => list.split(",").map((name) => name.trim())),
		margins,
		trace: flags.trace ?? false,
		timeMargin: timeMargin ?? 0,
		budgetSeconds: budget.ok ? budget.value / MICROS_PER_SECOND : 0,
		blocksMax: reader.whole("--blocks", flags.blocks, 1, BLOCKS_MAX) ?? 1,
		judge: reader.words("--judge", [flags.judge], JUDGES)?.[0] ?? "cpu",
		cache: flags.cache,
		seed: flags.seed,
		...output,
	};
}

function selfTest(flags: GateFlags, output: GateOutput, reader: FlagReader): SelfTestRequest {
	const trials = reader.whole("--trials", flags.trials, 1, TRIALS_MAX);
	return { kind: "self-test", quick: flags.quick ?? false, trials, seed: flags.seed, ...output };
}

function readMargin(text: string, reader: FlagReader): MarginRule | undefined {
	const equals = text.indexOf("=");
	const rule = equals < 1 ? undefined : parseMargin(text.slice(0, equals), text.slice(equals + 1));
	if (rule?.ok === true) {
		return rule.value;
	}
	reader.reject(
		"--margin",
		rule?.error ??
			`expected metric=value, such as virtual.drainRatio=2%, found ${JSON.stringify(text.slice(0, 60))}`,
	);
	return undefined;
}
