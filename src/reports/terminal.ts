import picocolors from "picocolors";
import type { ResultsFile } from "../record/run-record.js";
import { deviceLosses, drainState } from "../record/verdict.js";
import { answerOf } from "./answer.js";
import { formatCount, formatExact, formatSeconds } from "./format.js";
import { groupByScenario, type LabelledRun, type ScenarioGroup } from "./grouping.js";
import { labelledLive } from "./live-groups.js";
import { setMarks } from "./markup.js";
import { METRICS, NEVER_DRAINED, showLatency } from "./metrics.js";
import { sweepReport } from "./sweep.js";
import { benchTable } from "./tables.js";
import { liveText } from "./terminal-live.js";
import { sweepText } from "./terminal-sweep.js";
import { type Colours, clean, plainTable, visible, wrap } from "./terminal-text.js";

export interface TerminalOptions {
	/** By default what picocolors finds: NO_COLOR, FORCE_COLOR and the terminal. */
	readonly colour?: boolean;
	/** Columns of the terminal. */
	readonly width?: number;
}

/** The summary that a terminal shows: per scenario the answer and a table, a run a row. */
export function renderTerminal(results: ResultsFile, options: TerminalOptions = {}): string {
	const colours = picocolors.createColors(options.colour ?? picocolors.isColorSupported);
	const width = Math.max(options.width ?? 100, 40);
	const blocks: string[] = [];
	if (results.partial) {
		blocks.push(colours.yellow("Partial results: stopped before the end, figures cover what ran."));
	}
	const sweep = sweepReport(results);
	if (sweep !== null) {
		blocks.push(sweepText(sweep, colours, width));
	}
	for (const group of sweep === null ? groupByScenario(results) : []) {
		blocks.push(scenarioBlock(group, colours, width));
	}
	const bench = benchTable(results.bench);
	if (bench !== null) {
		const table = plainTable(["Benchmark", ...bench.columns], colours);
		table.push(...bench.rows.map((row) => [clean(row.label), ...row.cells.map((cell) => clean(cell.text))]));
		blocks.push(table.toString());
	}
	blocks.push(...labelledLive(results).map((entry) => liveText(entry, colours, width)));
	if (blocks.length === 0) {
		blocks.push("Nothing ran: this record holds no run.");
	}
	return `${blocks.join("\n\n")}\n`;
}

function scenarioBlock(group: ScenarioGroup, colours: Colours, width: number): string {
	const passed = group.runs.every((entry) => entry.verdict.passed);
	const badge = passed ? colours.green("PASSED") : colours.red("FAILED");
	const title = `${colours.bold(clean(group.scenario))}  ${badge}`;
	const answer = answerOf(group);
	const lines = [answer.outcome, answer.comparison, answer.advice].map((line) =>
		wrap(
			clean(
				setMarks(
					line,
					(text) => text,
					(name) => name,
				),
			),
			width,
		),
	);
	const failures = group.runs.flatMap((entry) =>
		entry.verdict.findings
			.filter((finding) => finding.severity === "failure")
			.map((finding) => colours.red(wrap(`${clean(entry.label)}: ${clean(finding.message)}`, width))),
	);
	return [title, ...failures, runTable(group.runs, colours, width), ...lines].join("\n");
}

/** Columns by importance: a narrow terminal shows the first ones only. */
const COLUMNS: readonly {
	readonly head: string;
	readonly show: (entry: LabelledRun, colours: Colours) => string;
}[] = [
	{ head: "Policy", show: (entry) => clean(entry.label) },
	{ head: "x bound", show: ({ run }, colours) => alarm(metricText(run, "virtual.drainRatio"), colours) },
	{ head: "Twice", show: ({ run }, colours) => nonZero(run.ledger.duplicates, colours) },
	{
		head: "Lost",
		show: ({ run }, colours) =>
			run.ledger.ackedLost > 0
				? colours.red(`${formatExact(run.ledger.ackedLost)} acked`)
				: formatCount(deviceLosses(run.ledger)),
	},
	{ head: "Live p99", show: ({ run }) => showLatency(run.virtual.liveLatencyBeforeMicros, "p99") },
	{ head: "in recovery", show: ({ run }) => showLatency(run.virtual.liveLatencyRecoveryMicros, "p99") },
	{
		head: "Drained in",
		show: ({ run }) => (drainState(run) === "drained" ? formatSeconds(run.virtual.drainSeconds ?? 0) : ""),
	},
	{ head: "95 % connected", show: ({ run }) => metricText(run, "virtual.devicesConnected.p95Seconds") },
	{ head: "Tries", show: ({ run }) => metricText(run, "virtual.attemptsPerConnect") },
	{ head: "Used", show: ({ run }) => metricText(run, "virtual.utilisation") },
	{
		head: "Events/s",
		show: ({ run }, colours) => colours.dim(formatCount(Math.round(run.wall.eventsPerSecond))),
	},
];

function metricText(run: LabelledRun["run"], id: string): string {
	return METRICS.find((metric) => metric.id === id)?.show(run) ?? "";
}

function alarm(text: string, colours: Colours): string {
	return text === NEVER_DRAINED ? colours.red(text) : text;
}

function nonZero(count: number, colours: Colours): string {
	return count > 0 ? colours.red(formatCount(count)) : formatCount(count);
}

function runTable(runs: readonly LabelledRun[], colours: Colours, width: number): string {
	for (let shown = COLUMNS.length; shown > 2; shown--) {
		const text = tableOf(runs, COLUMNS.slice(0, shown), colours);
		const widest = Math.max(...text.split("\n").map((line) => visible(line).length));
		if (widest <= width) {
			return text;
		}
	}
	return tableOf(runs, COLUMNS.slice(0, 2), colours);
}

function tableOf(runs: readonly LabelledRun[], columns: typeof COLUMNS, colours: Colours): string {
	const table = plainTable(
		columns.map((column) => column.head),
		colours,
	);
	table.push(...runs.map((entry) => columns.map((column) => column.show(entry, colours))));
	return table.toString();
}
