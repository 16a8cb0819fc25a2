import { escapeMarkdown } from "./markup.js";
import type { Table } from "./tables.js";

/** A table in Markdown; what must not be overlooked is bold. */
export function tableText(table: Table): string {
	const align = table.textual ? "---" : "---:";
	const rows = table.rows.map((row) => {
		const cells = row.cells.map(({ text, bad }) =>
			bad ? `**${escapeMarkdown(text)}**` : escapeMarkdown(text),
		);
		return `| ${[escapeMarkdown(row.label), ...cells].join(" | ")} |`;
	});
	return [
		`| ${[table.corner, ...table.columns].map(escapeMarkdown).join(" | ")} |`,
		`| ${["---", ...table.columns.map(() => align)].join(" | ")} |`,
		...rows,
	].join("\n");
}
