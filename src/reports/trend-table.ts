import type { HistoryEntry } from "../record/history.js";
import { formatRatio, NONE } from "./format.js";
import { sparkline } from "./sparkline.js";
import type { Cell, Table, TableRow } from "./tables.js";

/** Entries that a trend shows. */
const ENTRIES_MAX = 24;

const COMMIT_CHARACTERS = 9;

/**
 * How the drain of each run of the last entry came about, entry by entry of the same suite, oldest first. Null without
 * an earlier one: a single point is no trend.
 */
export function trendTable(history: readonly HistoryEntry[], suite: string): Table | null {
	const entries = history.filter((entry) => entry.suite === suite).slice(-ENTRIES_MAX);
	const [last, before] = [entries.at(-1), entries.at(-2)];
	if (last === undefined || before === undefined) {
		return null;
	}
	const rows = last.runs.map(({ scenario, policy, seed }): TableRow => {
		const found = entries.map(({ runs }) =>
			runs.find((run) => run.scenario === scenario && run.policy === policy && run.seed === seed),
		);
		const ratios = found.map((run) => run?.drainRatio ?? null);
		const top = Math.max(...ratios.map((ratio) => ratio ?? 0));
		return {
			label: `${scenario}, ${policy}`,
			cells: [
				plain(sparkline(ratios, entries.length, top)),
				ratioCell(found.at(-2)),
				ratioCell(found.at(-1)),
				plain(changeOf(found.at(-2), found.at(-1))),
			],
		};
	});
	const from = entries[0]?.date ?? last.date;
	return {
		caption: `Drain, as a multiple of the bound, over ${entries.length} commits from ${from} to ${last.date}`,
		corner: "Run",
		columns: ["Trend", nameOf(before), nameOf(last), "Change"],
		rows,
		textual: true,
	};
}

type HistoryRun = HistoryEntry["runs"][number];

function plain(text: string): Cell {
	return { text, bad: false };
}

function ratioCell(run: HistoryRun | undefined): Cell {
	if (run === undefined) {
		return plain(NONE);
	}
	const text = run.drainRatio === null ? "not drained" : formatRatio(run.drainRatio);
	return { text: run.passed ? text : `${text}, failed`, bad: !run.passed };
}

function changeOf(before: HistoryRun | undefined, now: HistoryRun | undefined): string {
	if (before === undefined || now === undefined) {
		return "new";
	}
	if (before.digest === now.digest) {
		return "none, to the event";
	}
	if (before.drainRatio === null || now.drainRatio === null || before.drainRatio === 0) {
		return before.drainRatio === now.drainRatio ? "other events" : "drains or not";
	}
	const percent = (now.drainRatio / before.drainRatio - 1) * 100;
	return `${percent < 0 ? "" : "+"}${percent.toFixed(1)} %`;
}

function nameOf({ commit, dirty }: HistoryEntry): string {
	return `${commit.slice(0, COMMIT_CHARACTERS) || "unknown"}${dirty ? "+" : ""}`;
}
