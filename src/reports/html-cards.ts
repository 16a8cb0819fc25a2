import type { RunRecord } from "../record/run-record.js";
import { deviceLosses, drainState } from "../record/verdict.js";
import { formatCount, formatNoun, formatPercent, formatRatio, formatSeconds, NONE } from "./format.js";
import type { LabelledRun } from "./grouping.js";
import { showAttempts, showLatency } from "./metrics.js";

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
	const bound = formatSeconds(drainBoundSeconds);
	switch (drainState(run)) {
		case "drained":
			return {
				drain: formatRatio(drainRatio ?? 0),
				drainBad: false,
				drainNote: `drained in ${formatSeconds(drainSeconds ?? 0)}; the bound is ${bound}`,
				barRatio: Math.min(drainRatio ?? 0, BAR_RATIO_MAX),
			};
		case "never":
			return {
				drain: "Never drained",
				drainBad: true,
				drainNote: `${formatNoun(undrainedReadings, "reading")} left; the bound is ${bound}`,
				barRatio: BAR_RATIO_MAX,
			};
		case "stopped":
			return {
				drain: "Stopped",
				drainBad: false,
				drainNote: `before it drained: ${formatNoun(undrainedReadings, "reading")} left`,
				barRatio: null,
			};
		case "nothing":
			return { drain: "No backlog", drainBad: false, drainNote: "nothing had to drain", barRatio: null };
	}
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
			value: showAttempts(run),
			bad: false,
		},
		{ label: "Capacity put to use", value: formatPercent(virtual.utilisation), bad: false },
	];
}
