import { judgeExpectations } from "../record/expectations.js";
import type { LabelledRun } from "./grouping.js";
import type { Table, TableRow } from "./tables.js";

/** What the scenario expects of each run, with what was found, kept or not. Null where it expects nothing. */
export function expectationTable(runs: readonly LabelledRun[]): Table | null {
	const rows = runs.flatMap(({ run, label }) =>
		judgeExpectations(run).map(({ text, found, holds }): TableRow & { readonly holds: boolean } => ({
			label: text,
			holds,
			cells: [
				{ text: holds ? "holds" : "BROKEN", bad: !holds },
				{ text: label, bad: false },
				{ text: found, bad: !holds },
			],
		})),
	);
	if (rows.length === 0) {
		return null;
	}
	const held = rows.filter(({ holds }) => holds).length;
	return {
		caption: `What the scenario expects: ${held} of ${rows.length} hold`,
		corner: "Expected",
		columns: ["Outcome", "Of", "Found"],
		// What is broken leads.
		rows: [...rows.filter(({ holds }) => !holds), ...rows.filter(({ holds }) => holds)],
		textual: true,
	};
}
