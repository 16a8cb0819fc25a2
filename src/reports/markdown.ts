import type { ResultsFile } from "../record/run-record.js";
import { answerOf } from "./answer.js";
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

/** Comments on a pull request break at this length; the report stays below it. */
export const MARKDOWN_BYTES_MAX = 65_535;

/** Columns of a table that still fit beside each other. */
const COLUMNS_MAX = 6;

export interface MarkdownOptions {
	/** Folder of the charts, relative to the report; null leaves pictures out (a comment cannot show them). */
	readonly chartsFolder?: string | null;
}

/** A piece of the report. Where the whole is too long, pieces with the highest number go first. */
interface Piece {
	readonly text: string;
	readonly expendable: number;
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
	const bench = benchTable(results.bench);
	if (bench !== null) {
		pieces.push({ text: `## Micro-benchmarks\n\n${tableText(bench)}`, expendable: 1 });
	}
	const live = labelledLive(results);
	if (live.length > 0) {
		pieces.push({ text: liveBlock(live, folder), expendable: 1 });
	}
	pieces.push({ text: environmentBlock(results), expendable: 0 });
	pieces.push({ text: methodBlock(), expendable: 5 });
	return fitted(pieces);
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
	const pieces: Piece[] = [
		{ text: `<a id="${anchorOf(group)}"></a>\n\n${heading}\n\n${sourcesBlock(group, title)}`, expendable: 0 },
	];
	if (several) {
		pieces.push({ text: answerText(group), expendable: 0 });
	}
	if (folder !== null) {
		pieces.push({ text: chartsBlock(group, folder), expendable: 2 });
	}
	const drops = dropTable(runs);
	const takeovers = takeoverTable(runs);
	pieces.push(
		{
			text: section(
				"Policies side by side (virtual time, exact)",
				chunked(runs, (part) => metricTable(part, HEADLINES, "")),
			),
			expendable: 0,
		},
		{ text: section("Ledger (readings, exact)", chunked(runs, ledgerTable)), expendable: 1 },
		{
			text: section(
				"Frames dropped, by reason (exact)",
				drops === null ? "No frame was dropped." : chunked(runs, (part) => dropTable(part)),
			),
			expendable: 3,
		},
		...(takeovers === null
			? []
			: [{ text: section("Gateways replaced (exact)", tableText(takeovers)), expendable: 2 }]),
		{ text: section("Shape over time", shapesBlock(group)), expendable: 4 },
		{ text: section("Determinism", tableText(determinismTable(runs))), expendable: 1 },
		{ text: section("Wall clock (noisy, never compared exactly)", chunked(runs, wallTable)), expendable: 1 },
		{
			text: folded(
				"Every figure in virtual time (results.json has all digits)",
				chunked(runs, (part) => metricTable(part, METRICS, "")),
			),
			expendable: 7,
		},
	);
	const config = configBlock(group);
	if (config !== "") {
		pieces.push({ text: folded("The scenario as resolved", config), expendable: 8 });
	}
	return pieces;
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

const SHORTENED = "_Shortened to fit a comment: results.json and BENCHMARK_RESULTS.html hold everything._";

/** Leaves out the most expendable pieces until the rest fits; then, as a last resort, cuts at a line's end. */
function fitted(pieces: readonly Piece[]): string {
	const whole = join(pieces);
	if (Buffer.byteLength(whole) <= MARKDOWN_BYTES_MAX) {
		return whole;
	}
	const levels = [...new Set(pieces.map((piece) => piece.expendable))].sort((a, b) => b - a);
	for (const level of levels.filter((candidate) => candidate > 0)) {
		const kept = pieces.filter((piece) => piece.expendable < level);
		const text = join([...kept, { text: SHORTENED, expendable: 0 }]);
		if (Buffer.byteLength(text) <= MARKDOWN_BYTES_MAX) {
			return text;
		}
	}
	const room = MARKDOWN_BYTES_MAX - Buffer.byteLength(SHORTENED) - 4;
	const least = Buffer.from(join(pieces.filter((piece) => piece.expendable === 0)));
	const cut = least.subarray(0, least.lastIndexOf("\n", room)).toString("utf8");
	return `${cut}\n\n${SHORTENED}\n`;
}

function join(pieces: readonly Piece[]): string {
	return `${pieces.map((piece) => piece.text).join("\n\n")}\n`;
}
