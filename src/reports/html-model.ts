import { stringify } from "yaml";
import type { HistoryEntry } from "../record/history.js";
import type { ResultsFile } from "../record/run-record.js";
import type { Severity } from "../record/verdict.js";
import { type Answer, answerOf } from "./answer.js";
import { CHART_FONT } from "./chart-render.js";
import { configText, configTexts } from "./config-facts.js";
import { decisionTable } from "./decision-table.js";
import { expectationTable } from "./expectation-table.js";
import { formatCount, formatRate, formatSeconds } from "./format.js";
import { groupByScenario, type LabelledRun, policiesOf, type ScenarioGroup } from "./grouping.js";
import { type RunCard, runCards } from "./html-cards.js";
import { type FigureModel, figuresOf, packedSeries } from "./html-figures.js";
import { type LiveModel, liveModels } from "./html-live.js";
import { LIVE_METHOD } from "./live-words.js";
import { METHOD } from "./markdown-blocks.js";
import { escapeXml, setMarks } from "./markup.js";
import { LEDGER, METRICS } from "./metrics.js";
import { colourVariables } from "./palette.js";
import { policyComparison } from "./policy-comparison.js";
import { DRAWN_RUNS_MAX, drawnRuns } from "./scenario-charts.js";
import { type ScenarioGrid, scenarioGrid } from "./scenario-grid.js";
import { swarmTable } from "./swarm-table.js";
import { type SweepReport, sweepReport } from "./sweep.js";
import {
	benchTable,
	determinismTable,
	dropTable,
	environmentTable,
	HEADLINES,
	ledgerTable,
	metricTable,
	type Table,
	wallTable,
} from "./tables.js";
import { takeoverTable } from "./takeover-table.js";
import { trendTable } from "./trend-table.js";

/** Texts that are HTML already are named so; everything else is escaped by the template. */
interface ScenarioModel {
	readonly name: string;
	readonly title: string;
	readonly slug: string;
	readonly passed: boolean;
	readonly answerHtml: {
		readonly outcome: string;
		readonly comparison: string;
		readonly steps: readonly string[];
	};
	readonly teaches: string | null;
	readonly sources: readonly string[];
	readonly facts: string;
	readonly cards: readonly RunCard[];
	readonly findings: readonly {
		readonly severity: string;
		readonly label: string;
		readonly message: string;
	}[];
	readonly figures: readonly FigureModel[];
	readonly notDrawn: number;
	/** Many policies, one a row. */
	readonly compared: Table | null;
	readonly headlines: Table;
	readonly all: Table;
	readonly expectations: Table | null;
	/** Whether an expectation is broken: the table is then open. */
	readonly broken: boolean;
	/** One of each run whose controller keeps a log. */
	readonly decisions: readonly Table[];
	readonly ledger: Table;
	readonly drops: Table | null;
	readonly takeovers: Table | null;
	readonly swarm: Table | null;
	readonly determinism: Table;
	readonly wall: Table;
	readonly config: string | null;
	/** Series for the cursor: JSON, deflated, in base64. */
	readonly series: string;
}

export interface PageModel {
	readonly title: string;
	readonly partial: boolean;
	readonly passed: boolean;
	/** In place of scenarios: a sweep has too many runs to draw each. */
	readonly sweep: (SweepReport & { readonly extremesHtml: readonly string[] }) | null;
	readonly scenarios: readonly ScenarioModel[];
	/** Scenarios by policies; of one scenario its cards say more. */
	readonly grid: ScenarioGrid | null;
	readonly command: string;
	readonly trend: Table | null;
	readonly bench: Table | null;
	readonly live: readonly LiveModel[];
	/** How to read them. */
	readonly liveMethod: readonly string[];
	readonly environment: Table;
	readonly method: readonly string[];
	readonly metrics: readonly { readonly label: string; readonly id: string; readonly means: string }[];
	readonly chartFont: string;
	/** CSS declarations of every colour. */
	readonly colours: string;
	readonly tool: string;
}

/** Everything that the page shows, in the order in which it shows it. */
export async function pageModel(results: ResultsFile, history: readonly HistoryEntry[]): Promise<PageModel> {
	const sweep = sweepReport(results);
	const groups = sweep === null ? groupByScenario(results) : [];
	const scenarios: ScenarioModel[] = [];
	for (const group of groups) {
		scenarios.push(await scenarioModel(group));
	}
	const live = await liveModels(results);
	const [only] = groups;
	const name = groups.length === 1 && only !== undefined ? only.scenario : `${groups.length} scenarios`;
	return {
		title: titleOf(sweep, groups.length, name),
		partial: results.partial,
		passed: scenarios.every((scenario) => scenario.passed),
		sweep: sweep === null ? null : { ...sweep, extremesHtml: sweep.extremes.map(sentenceHtml) },
		scenarios,
		grid: groups.length > 1 ? scenarioGrid(groups) : null,
		command: results.command,
		trend: trendTable(history, results.command),
		bench: benchTable(results.bench),
		live,
		liveMethod: LIVE_METHOD,
		environment: environmentTable(results),
		method: METHOD,
		metrics: [
			...METRICS.map(({ label, id, means }) => ({ label, id, means })),
			...LEDGER.map(({ label, means }) => ({ label, id: "ledger", means })),
		],
		chartFont: CHART_FONT,
		colours: colourDeclarations(results),
		tool: `klais ${results.tool.version}`,
	};
}

function titleOf(sweep: SweepReport | null, groups: number, name: string): string {
	if (sweep !== null) {
		return `KLAIS sweep: ${sweep.title}`;
	}
	return groups === 0 ? "KLAIS benchmark results" : `KLAIS: ${name}`;
}

function colourDeclarations(results: ResultsFile): string {
	const variables = colourVariables(policiesOf(results));
	return [...variables].map(([name, { light, dark }]) => `${name}:light-dark(${light},${dark})`).join(";");
}

async function scenarioModel(group: ScenarioGroup): Promise<ScenarioModel> {
	const { runs } = group;
	const [first] = runs;
	const config = first?.run.config ?? null;
	return {
		name: group.scenario,
		title: group.title,
		slug: group.slug,
		passed: runs.every((entry) => entry.verdict.passed),
		answerHtml: answerHtml(answerOf(group)),
		teaches: (first && configText(first.run, "teaches")) ?? null,
		sources: first === undefined ? [] : configTexts(first.run, "sources"),
		facts: factsOf(first),
		cards: runCards(drawnRuns(group)),
		findings: findingsOf(runs),
		figures: await figuresOf(group),
		notDrawn: Math.max(runs.length - DRAWN_RUNS_MAX, 0),
		compared: policyComparison(group),
		headlines: metricTable(runs, HEADLINES, "Policies side by side, virtual time, exact"),
		expectations: expectationTable(runs),
		broken: runs.some(({ verdict }) => verdict.findings.some(({ code }) => code === "expectation")),
		decisions: runs.map(decisionTable).filter((table) => table !== null),
		all: metricTable(runs, METRICS, "Every figure in virtual time"),
		ledger: ledgerTable(runs),
		drops: dropTable(runs),
		takeovers: takeoverTable(runs),
		swarm: swarmTable(runs),
		determinism: determinismTable(runs),
		wall: wallTable(runs),
		config: config === null ? null : stringify(config, { lineWidth: 0, aliasDuplicateObjects: false }),
		series: packedSeries(group),
	};
}

const LOUDEST_FIRST: readonly Severity[] = ["failure", "warning", "note"];

function findingsOf(runs: readonly LabelledRun[]): ScenarioModel["findings"] {
	const findings = runs.flatMap(({ label, verdict }) =>
		verdict.findings.map((finding) => ({ ...finding, label })),
	);
	const place = ({ severity }: { readonly severity: Severity }) => LOUDEST_FIRST.indexOf(severity);
	return findings.sort((a, b) => place(a) - place(b));
}

function factsOf(entry: LabelledRun | undefined): string {
	if (entry === undefined) {
		return "";
	}
	const { run } = entry;
	const seconds = run.series.timeSeconds.length * run.series.bucketSeconds;
	const length = seconds > 0 ? `${formatSeconds(seconds)} of virtual time` : "no series recorded";
	return `${formatCount(run.devices)} devices · ${length} · broker capacity ${formatRate(run.virtual.capacityPerSecond)}`;
}

function answerHtml(answer: Answer): ScenarioModel["answerHtml"] {
	return {
		outcome: sentenceHtml(answer.outcome),
		comparison: sentenceHtml(answer.comparison),
		steps: answer.steps.map((step) => sentenceHtml(step.charAt(0).toUpperCase() + step.slice(1))),
	};
}

/** A number and its unit stay on one line: "42.7" at a line's end and "M" on the next reads badly. */
function sentenceHtml(sentence: string): string {
	const html = setMarks(sentence, escapeXml, (name) => `<code>${escapeXml(name)}</code>`);
	return html.replace(/(\d) (k|M|G|T|µs|ms|s|min|h|%)(?![\w-])/g, "$1&nbsp;$2");
}
