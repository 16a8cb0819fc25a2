import type { RunRecord } from "../record/run-record.js";
import { deviceLosses } from "../record/verdict.js";
import { formatCount, formatPercent, formatRatio, formatSeconds, NONE } from "./format.js";
import type { LabelledRun } from "./grouping.js";
import { showLatency } from "./metrics.js";

/** The figures of one run that a room should see from the last row. */
export interface RunCard {
	readonly label: string;
	readonly slug: string;
	readonly colour: string;
	readonly complete: boolean;
	readonly drain: string;
	readonly drainBad: boolean;
	readonly drainNote: string;
	/** Length of the bar: the bound is 1; null without a bar. */
	readonly barRatio: number | null;
	readonly facts: readonly { readonly label: string; readonly value: string; readonly bad: boolean }[];
}

/** Drains slower than this share one full bar: the longest would make the others invisible. */
const BAR_RATIO_MAX = 4;

export function runCards(runs: readonly LabelledRun[]): readonly RunCard[] {
	return runs.map(({ run, label, slug, colour }) => ({
		label,
		slug,
		colour,
		complete: run.complete,
		...drainOf(run),
		facts: factsOf(run),
	}));
}

function drainOf(run: RunRecord): Pick<RunCard, "drain" | "drainBad" | "drainNote" | "barRatio"> {
	const { drainSeconds, drainRatio, drainBoundSeconds, undrainedReadings } = run.virtual;
	if (drainSeconds !== null && drainRatio !== null) {
		return {
			drain: formatRatio(drainRatio),
			drainBad: false,
			drainNote: `the physical bound (${formatSeconds(drainSeconds)} against ${formatSeconds(drainBoundSeconds)})`,
			barRatio: Math.min(drainRatio, BAR_RATIO_MAX),
		};
	}
	if (drainBoundSeconds === 0) {
		return { drain: "no backlog", drainBad: false, drainNote: "nothing had to drain", barRatio: null };
	}
	return {
		drain: "Never drained",
		drainBad: true,
		drainNote: `${formatCount(undrainedReadings)} readings left; the bound is ${formatSeconds(drainBoundSeconds)}`,
		barRatio: BAR_RATIO_MAX,
	};
}

function factsOf(run: RunRecord): RunCard["facts"] {
	const { virtual, ledger } = run;
	const lost = ledger.ackedLost + deviceLosses(ledger);
	return [
		{ label: "Stored twice", value: formatCount(ledger.duplicates), bad: ledger.duplicates > 0 },
		{
			label: ledger.ackedLost > 0 ? "Lost" : "Lost by devices",
			value: formatCount(lost),
			bad: ledger.ackedLost > 0,
		},
		{
			label: "Live p99",
			value: `${showLatency(virtual.liveLatencyBeforeMicros, "p99")} → ${showLatency(virtual.liveLatencyRecoveryMicros, "p99")}`,
			bad: false,
		},
		{
			label: "95 % connected in",
			value: virtual.devicesConnected.count === 0 ? NONE : formatSeconds(virtual.devicesConnected.p95Seconds),
			bad: virtual.devicesConnected.neverConnected > 0,
		},
		{
			label: "Attempts per connect",
			value: String(Number(virtual.attemptsPerConnect.toPrecision(3))),
			bad: false,
		},
		{ label: "Capacity put to use", value: formatPercent(virtual.utilisation), bad: false },
	];
}
