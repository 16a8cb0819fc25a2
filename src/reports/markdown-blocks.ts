import type { ResultsFile, Series } from "../record/run-record.js";
import { chartName } from "./chart-data.js";
import { overviewName } from "./charts.js";
import { configText, configTexts } from "./config-facts.js";
import { formatCount, formatMicros, formatRate, formatSeconds } from "./format.js";
import type { ScenarioGroup } from "./grouping.js";
import { tableText } from "./markdown-table.js";
import { codeBlock, codeSpan, escapeMarkdown, setMarks } from "./markup.js";
import { LEDGER, METRICS } from "./metrics.js";
import { scenarioCharts } from "./scenario-charts.js";
import { sparkline } from "./sparkline.js";
import type { SweepReport } from "./sweep.js";
import { environmentTable } from "./tables.js";

const SPARK_WIDTH = 48;

/** A configuration longer than this is cut: it stands in results.json. */
const CONFIG_CHARACTERS_MAX = 6_000;

/** The command that makes the same file again. */
export function repeatBlock(results: ResultsFile): string {
	return `Repeat it (the virtual figures come out the same to the digit, on any machine):\n\n${codeBlock(results.command, "sh")}`;
}

/** A sweep: what came out, where it is best and worst, and every combination. */
export function sweepBlock({ title, passed, outcome, extremes, table, failures }: SweepReport): string {
	const lines = [`**${passed ? "Passed" : "FAILED"}.** ${escapeMarkdown(outcome)}`, ...extremes].map(
		(line, index) => `${index + 1}. ${index === 0 ? line : setMarks(line, escapeMarkdown, codeSpan)}`,
	);
	const failed = failures.map(
		({ label, message }) => `- **Failure**, ${codeSpan(label)}: ${escapeMarkdown(message)}`,
	);
	return [
		`## Sweep: ${escapeMarkdown(title)}`,
		lines.join("\n"),
		failed.join("\n"),
		table.caption,
		tableText(table),
	]
		.filter((text) => text !== "")
		.join("\n\n");
}

/** What the scenario is, and where its numbers come from. */
export function sourcesBlock(group: ScenarioGroup, title: string): string {
	const [first] = group.runs;
	if (first === undefined) {
		return "";
	}
	const { run } = first;
	const teaches = configText(run, "teaches");
	const sources = configTexts(run, "sources");
	const rows = run.series.timeSeconds.length;
	const length = formatSeconds(rows * run.series.bucketSeconds);
	const facts =
		`${formatCount(run.devices)} devices, ${length} of virtual time, ` +
		`broker capacity ${formatRate(run.virtual.capacityPerSecond)}.`;
	const lines = [`${title} ${facts}${teaches === undefined ? "" : ` ${escapeMarkdown(teaches)}`}`.trim()];
	if (sources.length > 0) {
		lines.push(`Sources: ${sources.map(escapeMarkdown).join("; ")}.`);
	}
	return lines.join("\n\n");
}

/** The overview as a picture for light and dark pages, the other charts as links; empty without charts. */
export function chartsBlock(group: ScenarioGroup, folder: string): string {
	const charts = scenarioCharts(group).map(({ chart }) => chart);
	const overview = `${folder}/${overviewName(group)}`;
	const picture = [
		"<picture>",
		`<source media="(prefers-color-scheme: dark)" srcset="${overview}-dark.svg">`,
		`<img src="${overview}.svg" alt="Backlog, devices and live latency over time">`,
		"</picture>",
	].join("\n");
	const links = charts.map((chart) => {
		const panel = chart.panel !== undefined ? ` (${chart.panel})` : "";
		return `[${escapeMarkdown(`${chart.title}${panel}`)}](${folder}/${chartName(chart)}.svg)`;
	});
	return [
		...(charts.some((chart) => chart.kind === "time") ? [picture] : []),
		...(links.length > 0 ? [`Every chart: ${links.join(" · ")}`] : []),
	].join("\n\n");
}

const SHAPES: readonly {
	readonly label: string;
	readonly column: Exclude<keyof Series, "bucketSeconds">;
	readonly format: (value: number) => string;
}[] = [
	{ label: "offered", column: "offeredPerSecond", format: formatRate },
	{ label: "durable", column: "durablePerSecond", format: formatRate },
	{ label: "online", column: "online", format: formatCount },
	{ label: "backlog", column: "backlogReadings", format: formatCount },
	{ label: "live p99", column: "liveP99Micros", format: formatMicros },
];

/** Series as lines of block characters, for readers without pictures. */
export function shapesBlock(group: ScenarioGroup): string {
	const lines: string[] = [];
	for (const { label, run } of group.runs) {
		if (run.series.timeSeconds.length === 0) {
			continue;
		}
		for (const shape of SHAPES) {
			const values = run.series[shape.column];
			const top = values.reduce<number>((peak, value) => Math.max(peak, value ?? 0), 0);
			const line = sparkline(values, SPARK_WIDTH, top);
			lines.push(
				`${label.replace(/\s+/g, " ").slice(0, 24).padEnd(12)} ${shape.label.padEnd(9)}${line} max ${shape.format(top)}`,
			);
		}
	}
	const note =
		"One character is the largest value of its stretch of virtual time; a full block is the line's own maximum.";
	return lines.length === 0
		? "The record holds no series."
		: `${note}\n\n${codeBlock(lines.join("\n"), "text")}`;
}

/** The configuration of the scenario's first run; empty without one. */
export function configBlock(group: ScenarioGroup): string {
	const config = group.runs[0]?.run.config;
	if (config === undefined || config === null) {
		return "";
	}
	const text = JSON.stringify(config, null, 2);
	const cut = text.length > CONFIG_CHARACTERS_MAX;
	const shown = cut ? `${text.slice(0, CONFIG_CHARACTERS_MAX)}\n… (the rest is in results.json)` : text;
	return codeBlock(shown, "json");
}

export function environmentBlock(results: ResultsFile): string {
	const rows = environmentTable(results).rows.map(
		(row) =>
			`| ${escapeMarkdown(row.label)} | ${row.cells.map((cell) => escapeMarkdown(cell.text)).join(" ")} |`,
	);
	return ["## Environment", "", "| | |", "| --- | --- |", ...rows].join("\n");
}

/** How the figures come about, said once for Markdown and HTML. */
export const METHOD: readonly string[] = [
	"A deterministic simulator moves virtual devices, links, gateways and a broker; the protocol code is the code that the live gateway runs.",
	"Figures in virtual time are exact: the same scenario, seed and version give the same digits on every machine and for any number of workers. They are compared exactly.",
	"Wall-clock figures (time, events per second, memory, micro-benchmarks) are noisy. They stand in tables of their own and are compared statistically only.",
	"The physical bound is an ideal ingest: no overhead, no refusal, the whole capacity in use from the first returning device on. It needs the spare capacity (capacity less live readings) and the real return curve, nothing else.",
	"Lost counts only what a device itself could not keep. A reading that was acknowledged and is not durable, or that the ledger cannot place, fails the run.",
	"Peers such as `none` and `static` are compared, not judged: their duplicates are findings. Under `klais` a duplicate fails the run.",
];

export function methodBlock(): string {
	const notes = METHOD.map((note) => `- ${note}`).join("\n");
	const metrics = METRICS.map(
		(metric) =>
			`- **${escapeMarkdown(metric.label)}** (${codeSpan(metric.id)}): ${escapeMarkdown(metric.means)}`,
	);
	const ledger = LEDGER.map(
		(column) => `- **${escapeMarkdown(column.label)}** (ledger): ${escapeMarkdown(column.means)}`,
	);
	return [
		"## Method",
		notes,
		"<details>\n<summary>What each figure means</summary>",
		[...metrics, ...ledger].join("\n"),
		"</details>",
	].join("\n\n");
}
