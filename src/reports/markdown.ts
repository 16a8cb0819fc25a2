import type { HistoryEntry } from "../record/history.js";
import type { ResultsFile } from "../record/run-record.js";
import { answerOf } from "./answer.js";
import { decisionTable } from "./decision-table.js";
import { expectationTable } from "./expectation-table.js";
import { fitted, type Piece } from "./fit-markdown.js";
import { groupByScenario, type LabelledRun, type ScenarioGroup } from "./grouping.js";
import { labelledLive } from "./live-groups.js";
import {
	chartsBlock,
	configBlock,
	environmentBlock,
	methodBlock,
	repeatBlock,
	shapesBlock,
	sourcesBlock,
	sweepBlock,
} from "./markdown-blocks.js";
import { liveBlock, liveLines } from "./markdown-live.js";
import { tableText } from "./markdown-table.js";
import { codeSpan, codeSpanInCell, escapeMarkdown, setMarks } from "./markup.js";
import { METRICS } from "./metrics.js";
import { policyComparison } from "./policy-comparison.js";
import { swarmTable } from "./swarm-table.js";
import { type SweepReport, sweepReport } from "./sweep.js";
import {
	benchTable,
	determinismTable,
	dropTable,
	HEADLINES,
	ledgerTable,
	metricTable,
	type Table,
	wallTable,
} from "./tables.js";
import { takeoverTable } from "./takeover-table.js";
import { trendTable } from "./trend-table.js";

/** GitHub takes 1 MiB for the summary of a step; this leaves room for the gate's report in the same one. */
export const SUMMARY_BYTES_MAX = 1_000_000;

/** A comment on a pull request may have 65,536 characters, and no character has less than a byte. */
export const COMMENT_BYTES_MAX = 65_536;

/** Columns of a table that still fit beside each other. */
const COLUMNS_MAX = 6;

export interface MarkdownOptions {
	/** Folder of the charts, relative to the report; null leaves pictures out (a comment cannot show them). */
	readonly chartsFolder?: string | null;
	/** The report is shortened to this; `SUMMARY_BYTES_MAX` without it. */
	readonly bytesMax?: number;
	/** Earlier records of the same suite and this one, for the trend. */
	readonly history?: readonly HistoryEntry[];
}

/** BENCHMARK_RESULTS.md: the answer in three lines, then everything that backs it. */
export function renderMarkdown(results: ResultsFile, options: MarkdownOptions = {}): string {
	const folder = options.chartsFolder === undefined ? "charts" : options.chartsFolder;
	const sweep = sweepReport(results);
	const groups = sweep === null ? groupByScenario(results) : [];
	const pieces: Piece[] = [...openingPieces(results, groups, sweep)];
	for (const group of groups) {
		pieces.push(...scenarioPieces(group, groups.length > 1, folder));
	}
	const trend = trendTable(options.history ?? [], results.command);
	if (trend !== null) {
		const text = `## Over the commits\n\n${trend.caption}.\n\n${tableText(trend)}`;
		pieces.push({ text, expendable: 1, tells: "the trend" });
	}
	const bench = benchTable(results.bench);
	if (bench !== null) {
		pieces.push({
			text: `## Micro-benchmarks\n\n${tableText(bench)}`,
			expendable: 1,
			tells: "micro-benchmarks",
		});
	}
	const live = labelledLive(results);
	if (live.length > 0) {
		pieces.push({ text: liveBlock(live, folder), expendable: 1, tells: "live runs" });
	}
	pieces.push({ text: environmentBlock(results), expendable: 0 });
	pieces.push({ text: methodBlock(), expendable: 5, tells: "the method" });
	return fitted(pieces, options.bytesMax ?? SUMMARY_BYTES_MAX);
}

function openingPieces(
	results: ResultsFile,
	groups: readonly ScenarioGroup[],
	sweep: SweepReport | null,
): Piece[] {
	const pieces: Piece[] = [{ text: "# KLAIS benchmark results", expendable: 0 }];
	if (results.partial) {
		const text =
			"> [!WARNING]\n> **Partial results.** The run was stopped before its end: every figure covers only what ran.";
		pieces.push({ text, expendable: 0 });
	}
	const [only] = groups;
	if (sweep !== null) {
		pieces.push({ text: sweepBlock(sweep), expendable: 0 });
	} else if (groups.length === 1 && only !== undefined) {
		pieces.push({ text: answerText(only), expendable: 0 });
	} else if (groups.length > 1) {
		const failures = failuresText(groups);
		pieces.push(...(failures === "" ? [] : [{ text: failures, expendable: 0 }]));
		pieces.push({ text: summaryText(groups), expendable: 0 });
	} else if (results.bench.length + results.live.length === 0) {
		pieces.push({ text: "Nothing ran: this record holds no run.", expendable: 0 });
	}
	if (results.live.length > 0) {
		pieces.push({ text: liveLines(labelledLive(results)), expendable: 0 });
	}
	pieces.push({ text: repeatBlock(results), expendable: 0 });
	return pieces;
}

function answerText(group: ScenarioGroup): string {
	const answer = answerOf(group);
	const lines = [
		`**${verdictWord(group.runs)}.** ${marked(answer.outcome)}`,
		marked(answer.comparison),
		marked(answer.advice),
	];
	return [lines.map((line, index) => `${index + 1}. ${line}`).join("\n"), findingsText(group.runs)]
		.filter((text) => text !== "")
		.join("\n\n");
}

/** "Passed" is said of the promises: nothing acknowledged is lost, `klais` stores nothing twice, ledgers balance. */
function verdictWord(runs: readonly LabelledRun[]): "Passed" | "FAILED" {
	return runs.every((entry) => entry.verdict.passed) ? "Passed" : "FAILED";
}

function summaryText(groups: readonly ScenarioGroup[]): string {
	const rows = groups.map((group) => {
		const link = `[${escapeMarkdown(group.scenario)}](#${anchorOf(group)})`;
		return `| ${link} | ${verdictWord(group.runs)} | ${setMarks(answerOf(group).outcome, escapeMarkdown, codeSpanInCell)} |`;
	});
	return ["| Scenario | Verdict | Outcome |", "| --- | --- | --- |", ...rows].join("\n");
}

/** Failures that are named before the table of scenarios. */
const FAILURES_MAX = 30;

function failuresText(groups: readonly ScenarioGroup[]): string {
	const lines = groups.flatMap((group) =>
		group.runs.flatMap(({ label, verdict }) =>
			verdict.findings
				.filter(({ severity }) => severity === "failure")
				.map(
					({ message }) =>
						`- **Failure**, ${codeSpan(`${group.scenario} / ${label}`)}: ${escapeMarkdown(message)}`,
				),
		),
	);
	const more = lines.length > FAILURES_MAX ? [`- and ${lines.length - FAILURES_MAX} more`] : [];
	return [...lines.slice(0, FAILURES_MAX), ...more].join("\n");
}

/** The anchor is our own: GitHub's depend on the heading's text, which a scenario may choose. */
function anchorOf(group: ScenarioGroup): string {
	return `scenario-${group.slug}`;
}

function findingsText(runs: readonly LabelledRun[]): string {
	const lines = runs.flatMap((entry) =>
		entry.verdict.findings
			.filter((finding) => finding.severity !== "note")
			.map((finding) => {
				const word = finding.severity === "failure" ? "**Failure**" : "Finding";
				return `- ${word}, ${codeSpan(entry.label)}: ${escapeMarkdown(finding.message)}`;
			}),
	);
	return lines.join("\n");
}

function scenarioPieces(group: ScenarioGroup, several: boolean, folder: string | null): Piece[] {
	const { runs } = group;
	const title = group.title === group.scenario ? "" : ` ${escapeMarkdown(group.title)}.`;
	const heading = `## Scenario ${codeSpan(group.scenario)}`;
	const answer = several ? `\n\n${answerText(group)}` : "";
	const config = configBlock(group);
	const expected = expectationTable(runs);
	const takeovers = takeoverTable(runs);
	const swarm = swarmTable(runs);
	const drops = dropTable(runs);
	const compared = policyComparison(group);
	const passed = runs.every(({ verdict }) => verdict.passed);
	const parts: readonly (Piece | null)[] = [
		{
			text: `<a id="${anchorOf(group)}"></a>\n\n${heading}\n\n${sourcesBlock(group, title)}${answer}`,
			expendable: 0,
		},
		folder === null ? null : { text: chartsBlock(group, folder), expendable: 2, tells: "charts" },
		expected === null ? null : part(1, expected.caption, tableText(expected), "expectations"),
		compared === null ? null : part(0, escapeMarkdown(compared.caption), tableText(compared)),
		part(
			0,
			"Policies side by side (virtual time, exact)",
			chunked(runs, (some) => metricTable(some, HEADLINES, "")),
		),
		part(1, "Ledger (readings, exact)", chunked(runs, ledgerTable), "ledgers"),
		part(
			3,
			"Frames dropped, by reason (exact)",
			drops === null ? "No frame was dropped." : chunked(runs, dropTable),
			"dropped frames",
		),
		takeovers === null
			? null
			: part(2, "Gateways replaced (exact)", tableText(takeovers), "replaced gateways"),
		swarm === null ? null : part(2, "The swarm (exact)", chunked(runs, swarmTable), "swarms"),
		...runs
			.map(decisionTable)
			.filter((table) => table !== null)
			.map(
				(table): Piece => ({
					text: folded(escapeMarkdown(table.caption), tableText(table)),
					expendable: 6,
					tells: "decisions",
				}),
			),
		part(4, "Shape over time", shapesBlock(group), "shapes over time"),
		part(1, "Determinism", tableText(determinismTable(runs)), "digests"),
		part(1, "Wall clock (noisy, never compared exactly)", chunked(runs, wallTable), "wall clocks"),
		{
			text: folded(
				"Every figure in virtual time (results.json has all digits)",
				chunked(runs, (some) => metricTable(some, METRICS, "")),
			),
			expendable: 7,
			tells: "every figure",
		},
		config === ""
			? null
			: { text: folded("The scenario as resolved", config), expendable: 8, tells: "resolved scenarios" },
	];
	const scenario = { name: group.scenario, passed };
	return parts.filter((piece) => piece !== null).map((piece) => ({ ...piece, scenario }));
}

function part(expendable: number, title: string, text: string, tells?: string): Piece {
	return { text: section(title, text), expendable, ...(tells === undefined ? {} : { tells }) };
}

function section(title: string, text: string): string {
	return `### ${title}\n\n${text}`;
}

function folded(title: string, text: string): string {
	return `<details>\n<summary>${title}</summary>\n\n${text}\n\n</details>`;
}

/** The same table for a few runs at a time, so that no table grows wider than a page. */
function chunked(
	runs: readonly LabelledRun[],
	build: (part: readonly LabelledRun[]) => Table | null,
): string {
	const tables: string[] = [];
	for (let from = 0; from < runs.length; from += COLUMNS_MAX) {
		const table = build(runs.slice(from, from + COLUMNS_MAX));
		if (table !== null) {
			tables.push(tableText(table));
		}
	}
	return tables.join("\n\n");
}

function marked(sentence: string): string {
	return setMarks(sentence, escapeMarkdown, codeSpan);
}
