import type { LabelledLive } from "./live-groups.js";
import { liveTable } from "./live-tables.js";
import { liveAnswer } from "./live-words.js";
import type { TableRow } from "./tables.js";
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
		wrap(clean(liveAnswer(entry)), width),
	].join("\n");
}

function figureTable({ live }: LabelledLive, colours: Colours, width: number): string {
	const figures = live.figures.filter(
		({ predicted, verdict }) => predicted !== null || verdict !== undefined,
	);
	const { columns, rows } = liveTable({ ...live, figures });
	for (let shown = COLUMNS_MAX; shown > 0; shown--) {
		const text = draw(columns.slice(0, shown), rows, Number.POSITIVE_INFINITY, colours);
		if (widthOf(text) <= width) {
			return text;
		}
	}
	const over = widthOf(draw(columns.slice(0, 1), rows, Number.POSITIVE_INFINITY, colours)) - width;
	const longest = Math.max(...rows.map(({ label }) => label.length));
	return draw(columns.slice(0, 1), rows, Math.max(longest - over, 1), colours);
}

function draw(
	columns: readonly string[],
	rows: readonly TableRow[],
	labelMax: number,
	colours: Colours,
): string {
	const table = plainTable(["Live", ...columns.map((column) => column.replace(/ \(.*/, ""))], colours);
	table.push(
		...rows.map(({ label, cells }) => [
			clean(label.length > labelMax ? `${label.slice(0, labelMax - 1)}…` : label),
			...cells
				.slice(0, columns.length)
				.map(({ text, bad }) => (bad ? colours.red(clean(text)) : clean(text))),
		]),
	);
	return table.toString();
}

function widthOf(text: string): number {
	return Math.max(...text.split("\n").map((line) => visible(line).length));
}
