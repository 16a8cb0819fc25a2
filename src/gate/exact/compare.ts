import type { ResultsFile } from "../../record/run-record.js";
import type { GateVerdict, Judged, PlaneReport } from "../gate-report.js";
import { movement } from "./direction.js";
import { type Difference, differences, type Leaf, leaves, shown } from "./leaves.js";
import {
	formatMargin,
	isWithinMargin,
	type MarginRule,
	marginOf,
	scenarioMargins,
	speaksOf,
} from "./margins.js";
import { type Obstacle, type Pair, pairUp } from "./pairing.js";
import { firstSeriesDifference } from "./series-difference.js";

const DETAILS_MAX = 20;
/** What margins call the series as a whole. */
const SERIES = "series";

/** How files are compared. */
export interface ExactOptions {
	/** The command line's margins; they come after the scenario's. */
	readonly margins: readonly MarginRule[];
	/** The candidate need not have every run of the base. */
	readonly subset: boolean;
}

/** A run whose events are not the base's: where to look for the first that differs. */
export interface ChangedRun {
	readonly name: string;
	readonly pair: Pair;
}

/** What comparing two files found. */
export interface ExactResult {
	readonly report: PlaneReport;
	/** Runs with another digest that fail for it. */
	readonly changed: readonly ChangedRun[];
	/** Margins of the command line that speak of no metric at all. */
	readonly idle: readonly MarginRule[];
	/** Names of all metrics, to suggest the right one. */
	readonly metrics: readonly string[];
}

const HEAD = ["run", "digest", "metrics", "changed", "verdict"] as const;

/**
 * Compares the runs of two files value by value: digests, ledger, virtual metrics and work counters. Nothing here is noisy, so
 * whatever moved was moved by the code: without a margin, better fails like worse, because the base no longer says what
 * the code does.
 */
export function compareExactly(
	base: ResultsFile,
	candidate: ResultsFile,
	options: ExactOptions,
): ExactResult {
	const { pairs, obstacles, added } = pairUp(base, candidate, options.subset);
	const judged =
		obstacles.length > 0 ? obstacles.map(refusal) : pairs.map((pair) => judge(pair, options.margins));
	const metrics = [...new Set([...pairs.flatMap(({ base }) => [...metricsOf(base).keys()]), SERIES])];
	const changed = pairs
		.filter((pair) => obstacles.length === 0 && pair.base.digest !== pair.candidate.digest)
		.map((pair) => ({ name: pair.name, pair }));
	const notes = added.map((name) => `${name}: new, the base has nothing to compare it with`);
	return {
		report: { plane: "exact", head: HEAD, judged, notes },
		changed,
		idle:
			pairs.length === 0
				? []
				: options.margins.filter((rule) => !metrics.some((metric) => speaksOf(rule, metric))),
		metrics,
	};
}

function refusal({ name, message }: Obstacle): Judged {
	return {
		name,
		verdict: "incomparable",
		message,
		cells: ["", "", "", "incomparable"],
		details: [],
		figures: {},
	};
}

/** Everything about a run that is exact. */
function metricsOf(run: Pair["base"]): Map<string, Leaf> {
	const { digest, ledger, virtual } = run;
	return leaves({ digest, ledger, virtual });
}

function judge(pair: Pair, given: readonly MarginRule[]): Judged {
	const rules = [...scenarioMargins(pair.candidate.config), ...given];
	const [before, after] = [metricsOf(pair.base), metricsOf(pair.candidate)];
	const moved = differences(before, after).map((one) => ({ one, ...allowance(one, rules) }));
	const broken = moved.filter(({ allowed }) => !allowed);
	const sameEvents = pair.base.digest === pair.candidate.digest;
	const parting = firstSeriesDifference(pair.base.series, pair.candidate.series);
	const seriesBroken = sameEvents && parting !== undefined && marginOf(rules, SERIES) === undefined;
	const verdict: GateVerdict = broken.length > 0 || seriesBroken ? "fail" : "pass";
	const details = moved
		.toSorted((x, y) => Number(x.allowed) - Number(y.allowed))
		.map(({ one, words }) => `${one.path}: ${shown(one.base)} -> ${shown(one.candidate)}${words}`);
	const rest = details.length - DETAILS_MAX;
	const where =
		parting === undefined
			? []
			: [
					`the series part between ${parting.fromSeconds} s and ${parting.untilSeconds} s of virtual time: ` +
						parting.columns.join(", "),
				];
	const other = settings(pair);
	return {
		name: pair.name,
		verdict,
		message: messageOf(
			broken.map(({ one }) => one),
			moved.length,
			seriesBroken,
		),
		cells: [sameEvents ? "same" : "changed", String(before.size), String(moved.length), verdict],
		details: [
			...details.slice(0, DETAILS_MAX),
			...(rest > 0 ? [`${rest} more metrics changed`] : []),
			...where,
			...other,
		],
		figures: {
			digests: [pair.base.digest, pair.candidate.digest],
			changes: Object.fromEntries(
				moved.map(({ one }) => [one.path, [one.base ?? null, one.candidate ?? null]]),
			),
		},
	};
}

/** Whether a change may be, and the words that say so. */
function allowance(one: Difference, rules: readonly MarginRule[]): { allowed: boolean; words: string } {
	const margin = marginOf(rules, one.path);
	const way = movement(one.path, one.base, one.candidate);
	const size = relative(one);
	const words = [size, way].filter((word) => word !== undefined).join(", ");
	const bracket = (text: string) => (text === "" ? "" : ` (${text})`);
	if (margin === undefined) {
		return { allowed: false, words: bracket(words) };
	}
	if (isWithinMargin(margin, one.base, one.candidate)) {
		return {
			allowed: true,
			words: bracket([words, `within ${formatMargin(margin)}`].filter(Boolean).join(", ")),
		};
	}
	// Who gives a margin wants to know what got worse: better than that is good news.
	return {
		allowed: way === "better",
		words: bracket([words, `margin ${formatMargin(margin)}`].filter(Boolean).join(", ")),
	};
}

function relative({ base, candidate }: Difference): string | undefined {
	if (typeof base !== "number" || typeof candidate !== "number" || base === 0) {
		return undefined;
	}
	const change = (candidate / base - 1) * 100;
	return `${change > 0 ? "+" : ""}${Number(change.toPrecision(3))} %`;
}

function messageOf(broken: readonly Difference[], moved: number, seriesBroken: boolean): string {
	const digest = broken.some(({ path }) => path === "digest");
	const others = broken.filter(({ path }) => path !== "digest").length;
	const metrics = others === 1 ? "1 metric" : `${others} metrics`;
	if (digest) {
		return others === 0
			? "other events, though no metric moved"
			: `other events, and ${metrics} beyond what is allowed`;
	}
	if (others > 0) {
		return `${metrics} beyond what is allowed`;
	}
	if (seriesBroken) {
		return "the same events and metrics, but another series: what changed is how it is measured";
	}
	return moved === 0 ? "the same to the last digit" : `${moved} changed, all within their margins`;
}

/** A policy's own settings are part of the code under test: said, not refused. */
function settings({ base, candidate }: Pair): string[] {
	const policy = (config: unknown) => leaves((config as { policy?: unknown } | null)?.policy, "policy");
	const found = differences(policy(base.config), policy(candidate.config));
	return found.length === 0
		? []
		: [
				`settings of the policy: ${found.map((one) => `${one.path} ${shown(one.base)} -> ${shown(one.candidate)}`).join(", ")}`,
			];
}
