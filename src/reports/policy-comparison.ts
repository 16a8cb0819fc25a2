import type { RunRecord } from "../record/run-record.js";
import type { Quantity } from "./chart-data.js";
import { formatCount, formatRatio, formatSeconds, NONE } from "./format.js";
import type { LabelledRun, ScenarioGroup } from "./grouping.js";
import { NEVER_DRAINED, showAttempts, showLatency } from "./metrics.js";
import { showOvershoot, showSettling } from "./settling-metrics.js";
import type { Table } from "./tables.js";

/** From so many policies on, a scenario's are compared in a table and a chart of their own. */
const COMPARED_POLICIES_MIN = 6;
const ORACLE = "oracle";
const MICROS = 1_000_000;

/** By what control laws are compared. */
export interface Measure {
	readonly label: string;
	readonly means: string;
	readonly quantity: Quantity;
	/** null: the run has no such figure, or never got there. */
	readonly value: (run: RunRecord, bound: RunRecord | undefined) => number | null;
	readonly show: (run: RunRecord, bound: RunRecord | undefined) => string;
}

/** Seconds later than the oracle; null where either did not drain. */
function regretSeconds(run: RunRecord, bound: RunRecord | undefined): number | null {
	const { drainSeconds } = run.virtual;
	const least = bound?.virtual.drainSeconds ?? null;
	return drainSeconds === null || least === null ? null : drainSeconds - least;
}

function showRegret(run: RunRecord, bound: RunRecord | undefined): string {
	const regret = regretSeconds(run, bound);
	if (regret === null) {
		return NONE;
	}
	return regret < 0 ? `−${formatSeconds(-regret)}` : formatSeconds(regret);
}

const micros = (seconds: number | null | undefined) =>
	seconds === null || seconds === undefined ? null : seconds * MICROS;

/** What the issue of control comes down to, in the order of the table. */
export const MEASURES: readonly Measure[] = [
	{
		label: "Drain against the bound",
		means: "Time to drain over the least time that physics allows.",
		quantity: "count",
		value: ({ virtual }) => virtual.drainRatio,
		show: ({ virtual }) => (virtual.drainRatio === null ? NEVER_DRAINED : formatRatio(virtual.drainRatio)),
	},
	{
		label: "Live p99 in recovery",
		means: "From a live report's due time until it is durable, while backlogs drain.",
		quantity: "micros",
		value: ({ virtual: { liveLatencyRecoveryMicros: live } }) => (live.count === 0 ? null : live.p99),
		show: ({ virtual }) => showLatency(virtual.liveLatencyRecoveryMicros, "p99"),
	},
	{
		label: "Attempts per connect",
		means: "HELLO frames sent for each session opened.",
		quantity: "count",
		value: ({ virtual }) => (virtual.devicesConnected.count === 0 ? null : virtual.attemptsPerConnect),
		show: showAttempts,
	},
	{
		label: "Peak queue",
		means: "Most readings that waited in one gateway for the broker.",
		quantity: "count",
		value: ({ virtual }) => virtual.peakSinkQueueReadings,
		show: ({ virtual }) => formatCount(virtual.peakSinkQueueReadings),
	},
	{
		label: "Fairness",
		means: "Jain's index over the devices' shares that are durable at the end.",
		quantity: "count",
		value: ({ virtual }) => virtual.jainFairness,
		show: ({ virtual }) => virtual.jainFairness.toFixed(3),
	},
	{
		label: "Overshoot",
		means: "Largest admitted rate in the busy period, above the capacity.",
		quantity: "count",
		value: ({ virtual }) => virtual.overshoot ?? null,
		show: showOvershoot,
	},
	{
		label: "Time to settle",
		means: "Until the durable rate stays within a tenth of the capacity for the rest of the busy period.",
		quantity: "micros",
		value: ({ virtual }) => micros(virtual.settlingSeconds),
		show: showSettling,
	},
	{
		label: "Regret",
		means: "Time to drain, less that of the oracle.",
		quantity: "micros",
		value: (run, bound) => micros(regretSeconds(run, bound)),
		show: showRegret,
	},
];

/** The run that the others are held against, if there is one. */
export function oracleOf(group: ScenarioGroup): RunRecord | undefined {
	return group.runs.find(({ run }) => run.policy === ORACLE)?.run;
}

/** Whether a scenario has so many policies that they need a comparison. */
export function isCompared(group: ScenarioGroup): boolean {
	return new Set(group.runs.map(({ run }) => run.policy)).size >= COMPARED_POLICIES_MIN;
}

/** The policies of a scenario, one a row. Null with few of them: the table of headlines has them side by side. */
export function policyComparison(group: ScenarioGroup): Table | null {
	if (!isCompared(group)) {
		return null;
	}
	const bound = oracleOf(group);
	const measures = MEASURES.filter(({ label }) => label !== "Regret" || bound !== undefined);
	return {
		caption: "Control laws compared, virtual time, exact",
		corner: "Policy",
		columns: [...measures.map(({ label }) => label), "Lost", "Twice"],
		rows: group.runs.map((entry) => ({
			label: entry.label,
			cells: [...measures.map((measure) => cellOf(measure, entry, bound)), ...integrityCells(entry)],
		})),
		textual: false,
	};
}

function cellOf(measure: Measure, { run }: LabelledRun, bound: RunRecord | undefined) {
	const text = measure.show(run, bound);
	return { text, bad: text === NEVER_DRAINED };
}

function integrityCells({ run: { ledger } }: LabelledRun) {
	const lost = ledger.lostOverflow + ledger.lostVolatile + ledger.ackedLost;
	return [
		{ text: formatCount(lost), bad: ledger.ackedLost > 0 },
		{ text: formatCount(ledger.duplicates), bad: ledger.duplicates > 0 },
	];
}
