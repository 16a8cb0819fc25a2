import type { DecisionRow } from "../record/run-record.js";
import { formatCount, formatRate, formatSeconds, NONE } from "./format.js";
import type { LabelledRun } from "./grouping.js";
import type { Table } from "./tables.js";

/** Decisions that a report shows of a run; the record has all. */
const DECISIONS_MAX = 200;

/** What gateways give up, by level. */
const LEVELS = ["nothing", "history slowed", "history stopped", "live readings thinned out"];

/** What the controllers of a run's gateways decided, when and why; null for a policy that decides nothing. */
export function decisionTable({ run, label }: LabelledRun): Table | null {
	const decisions = run.decisions ?? [];
	if (decisions.length === 0) {
		return null;
	}
	const shown = decisions.slice(0, DECISIONS_MAX);
	const cut = shown.length < decisions.length ? `, the first ${shown.length} of` : ":";
	return {
		caption: `What ${label} decided, and why${cut} ${decisions.length}`,
		corner: "At",
		columns: ["gateway", "given up", "share of the sink", "sessions", "why"],
		rows: shown.map((decision) => ({
			label: formatSeconds(decision.atSeconds),
			cells: cellsOf(decision).map((text) => ({ text, bad: false })),
		})),
		textual: true,
	};
}

function cellsOf({ gateway, level, capacityPerSecond, sessionsPerSecond, reason }: DecisionRow): string[] {
	const rate = (perSecond: number) => (perSecond === 0 ? NONE : formatRate(perSecond));
	return [
		formatCount(gateway),
		LEVELS[level] ?? String(level),
		rate(capacityPerSecond),
		rate(sessionsPerSecond),
		reason,
	];
}
