import { comparisonSummary } from "./comparison-table.js";
import type { LabelledLive } from "./live-groups.js";
import { liveTable } from "./live-tables.js";
import { liveAnswer } from "./live-words.js";
import type { Table } from "./tables.js";
import { type Colours, clean, plainTable, visible, wrap } from "./terminal-text.js";

/** Columns of the table that a terminal has room for, notes apart. */
const COLUMNS_MAX = 3;

/** What a terminal shows of a live run: its answer, and the figures that the simulator had predicted. */
export function liveText(entry: LabelledLive, colours: Colours, width: number): string {
	const { label, verdict } = entry;
	const badge = verdict.passed ? colours.green("PASSED") : colours.red("FAILED");
	const failures = verdict.findings
		.filter(({ severity }) => severity === "failure")
		.map(({ message }) => colours.red(wrap(clean(message), width)));
	return [
		`${colours.bold(wrap(clean(`live: ${label}`), width))}  ${badge}`,
		...failures,
		figureTable(entry, colours, width),
		...comparison(entry, colours, width),
		wrap(clean(liveAnswer(entry)), width),
	].join("\n");
}

function figureTable({ live }: LabelledLive, colours: Colours, width: number): string {
	const figures = live.figures.filter(
		({ predicted, verdict }) => predicted !== null || verdict !== undefined,
	);
	return fitted({ ...liveTable({ ...live, figures }), corner: "Live" }, COLUMNS_MAX, colours, width);
}

function comparison({ live }: LabelledLive, colours: Colours, width: number): string[] {
	const table = comparisonSummary(live);
	return table === null ? [] : [fitted(table, table.columns.length, colours, width)];
}

/** The table with as many columns as there is room for. */
function fitted(table: Table, columnsMax: number, colours: Colours, width: number): string {
	for (let shown = columnsMax; shown > 0; shown--) {
		const text = draw(table, shown, Number.POSITIVE_INFINITY, colours);
		if (widthOf(text) <= width) {
			return text;
		}
	}
	const over = widthOf(draw(table, 1, Number.POSITIVE_INFINITY, colours)) - width;
	const longest = Math.max(...table.rows.map(({ label }) => label.length));
	return draw(table, 1, Math.max(longest - over, 1), colours);
}

function draw({ corner, columns, rows }: Table, shown: number, labelMax: number, colours: Colours): string {
	const heads = columns.slice(0, shown).map((column) => column.replace(/ \(.*/, ""));
	const table = plainTable([corner, ...heads], colours);
	table.push(
		...rows.map(({ label, cells }) => [
			clean(label.length > labelMax ? `${label.slice(0, labelMax - 1)}…` : label),
			...cells.slice(0, shown).map(({ text, bad }) => (bad ? colours.red(clean(text)) : clean(text))),
		]),
	);
	return table.toString();
}

function widthOf(text: string): number {
	return Math.max(...text.split("\n").map((line) => visible(line).length));
}
