import { chartName } from "./chart-data.js";
import { comparisonNotes, comparisonTable } from "./comparison-table.js";
import { liveCharts } from "./live-charts.js";
import type { LabelledLive } from "./live-groups.js";
import { liveChecks, liveNotes, liveSetup, liveTable } from "./live-tables.js";
import { LIVE_METHOD, liveAnswer } from "./live-words.js";
import { tableText } from "./markdown-table.js";
import { codeSpan, escapeMarkdown } from "./markup.js";
import { faultTable, witnessExamples, witnessTable } from "./witness-tables.js";

/** The live runs, a line each, for the top of the report. */
export function liveLines(entries: readonly LabelledLive[]): string {
	return entries
		.map((entry) => {
			const verdict = entry.verdict.passed ? "Passed" : "FAILED";
			return `- **${verdict}**, live, ${codeSpan(entry.label)}: ${escapeMarkdown(liveAnswer(entry))}`;
		})
		.join("\n");
}

/** Everything about the live runs. `folder` holds the charts; null: no pictures. */
export function liveBlock(entries: readonly LabelledLive[], folder: string | null): string {
	const blocks = entries.map((entry) => {
		const findings = entry.verdict.findings.map(
			({ severity, message }) =>
				`- ${severity === "failure" ? "**Failure**" : "Finding"}: ${escapeMarkdown(message)}`,
		);
		return [
			`### Live: ${codeSpan(entry.label)}`,
			findings.join("\n"),
			folder === null ? "" : pictures(entry, folder),
			`Measured (noisy, wall clock) beside predicted (exact):\n\n${tableText(liveTable(entry.live))}`,
			liveNotes(entry.live)
				.map((note) => `- ${escapeMarkdown(note)}`)
				.join("\n"),
			`What must hold:\n\n${tableText(liveChecks(entry.live))}`,
			...[faultTable(entry.live), witnessTable(entry.live), comparisonTable(entry.live)].map((table) =>
				table === null ? "" : `${escapeMarkdown(table.caption)}:\n\n${tableText(table)}`,
			),
			[...comparisonNotes(entry.live), ...witnessExamples(entry.live)]
				.map((example) => `- ${escapeMarkdown(example)}`)
				.join("\n"),
			`<details>\n<summary>How it ran</summary>\n\n${tableText(liveSetup(entry.live))}\n\n</details>`,
		]
			.filter((text) => text !== "")
			.join("\n\n");
	});
	return ["## Live runs (real kernel, real time, noisy)", ...LIVE_METHOD.map(escapeMarkdown), ...blocks].join(
		"\n\n",
	);
}

function pictures(entry: LabelledLive, folder: string): string {
	return liveCharts(entry)
		.map(({ chart }) => {
			const file = `${folder}/${chartName(chart)}`;
			return [
				"<picture>",
				`<source media="(prefers-color-scheme: dark)" srcset="${file}-dark.svg">`,
				`<img src="${file}.svg" alt="${chart.title}: measured and predicted">`,
				"</picture>",
			].join("\n");
		})
		.join("\n\n");
}
