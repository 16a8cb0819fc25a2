import { setMarks } from "./markup.js";
import type { SweepReport } from "./sweep.js";
import { type Colours, clean, plainTable, visible, wrap } from "./terminal-text.js";

/** Rows of the table; all of them are in the report. */
const ROWS_MAX = 40;

/** A sweep in a terminal: the verdict, the table as far as it fits, and where it is best and worst. */
export function sweepText(sweep: SweepReport, colours: Colours, width: number): string {
	const badge = sweep.passed ? colours.green("PASSED") : colours.red("FAILED");
	const unmarked = (line: string) =>
		setMarks(
			line,
			(text) => text,
			(name) => name,
		);
	return [
		`${colours.bold(clean(sweep.title))}  ${badge}`,
		...sweep.failures.map(({ label, message }) => colours.red(wrap(clean(`${label}: ${message}`), width))),
		tableText(sweep, colours, width),
		...[sweep.outcome, ...sweep.extremes].map((line) => wrap(clean(unmarked(line)), width)),
	].join("\n");
}

/** A narrow terminal shows the first columns only. */
function tableText({ table }: SweepReport, colours: Colours, width: number): string {
	const rows = table.rows.slice(0, ROWS_MAX);
	const more = table.rows.length - rows.length;
	// The parameter's own name is the last part of its path.
	const heads = [table.corner, ...table.columns].map((head) => clean(head.split(".").at(-1) ?? head));
	const text = (columns: number): string => {
		const shown = plainTable(heads.slice(0, columns), colours);
		shown.push(
			...rows.map(({ label, cells }) => [
				clean(label),
				...cells
					.slice(0, columns - 1)
					.map(({ text: cell, bad }) => (bad ? colours.red(clean(cell)) : clean(cell))),
			]),
		);
		return shown.toString();
	};
	let columns = heads.length;
	while (
		columns > 2 &&
		Math.max(
			...text(columns)
				.split("\n")
				.map((line) => visible(line).length),
		) > width
	) {
		columns -= 1;
	}
	const rest =
		more === 0 ? [] : [colours.dim(`… and ${more.toLocaleString("en-US")} more rows in the report`)];
	return [text(columns), ...rest].join("\n");
}
