import { valueAt } from "../record/value-at.js";
import { formatCount, formatMicros, formatRate, formatSeconds, NONE } from "./format.js";
import type { LabelledRun } from "./grouping.js";
import type { Table } from "./tables.js";

/** Decisions that a report shows of a run; the record has all. */
const DECISIONS_MAX = 200;

/** The key that places a decision; every other key is a column of its own. */
const TIME = "timeSeconds";

/**
 * What a controller decided, when and why: the list `decisions` of a run, where its policy keeps one, each with its
 * `timeSeconds` and whatever else it says. Null for other runs.
 */
export function decisionTable({ run, label }: LabelledRun): Table | null {
	const list = valueAt(run, ["decisions"]) ?? valueAt(run, ["virtual", "decisions"]);
	const decisions = Array.isArray(list) ? list.filter(isDecision) : [];
	if (decisions.length === 0) {
		return null;
	}
	const shown = decisions.slice(0, DECISIONS_MAX);
	const keys = [...new Set(shown.flatMap((decision) => Object.keys(decision)))].filter((key) => key !== TIME);
	const cut = shown.length < decisions.length ? `, the first ${shown.length} of` : ":";
	return {
		caption: `What ${label} decided, and why${cut} ${decisions.length}`,
		corner: "At",
		columns: keys.map(inWords),
		rows: shown.map((decision) => ({
			label: formatSeconds(decision.timeSeconds),
			cells: keys.map((key) => ({ text: shownValue(key, valueAt(decision, [key])), bad: false })),
		})),
		textual: true,
	};
}

function isDecision(value: unknown): value is { readonly timeSeconds: number } {
	const time = valueAt(value, [TIME]);
	return typeof time === "number" && time >= 0;
}

/** `capacityPerSecond` as "capacity": the value has the unit. */
function inWords(key: string): string {
	const words = key
		.replace(/(PerSecond|Seconds|Micros)$/, "")
		.replace(/(?<=[a-z])[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
	return words === "" ? key : words;
}

function shownValue(key: string, value: unknown): string {
	if (typeof value === "number" && Number.isFinite(value)) {
		return key.endsWith("PerSecond")
			? formatRate(value)
			: key.endsWith("Seconds")
				? formatSeconds(value)
				: key.endsWith("Micros")
					? formatMicros(value)
					: formatCount(value);
	}
	if (value === undefined || value === null) {
		return NONE;
	}
	return typeof value === "string" ? value : JSON.stringify(value);
}
