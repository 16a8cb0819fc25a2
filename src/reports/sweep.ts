import type { ResultsFile, RunRecord } from "../record/run-record.js";
import type { SweepSection } from "../record/sweep.js";
import { deviceLosses, type JudgedRun, verdictOfResults } from "../record/verdict.js";
import { formatCount } from "./format.js";
import { code } from "./markup.js";
import { METRICS, type Metric, totalDrops } from "./metrics.js";
import { parametersInWords } from "./parameters.js";
import type { Table, TableRow } from "./tables.js";

/** What reports show of a sweep. */
export interface SweepReport {
	readonly title: string;
	readonly passed: boolean;
	/** How many runs there are, and what failed. */
	readonly outcome: string;
	/** Per policy where the first metric is best, and where worst. Backticks mark names. */
	readonly extremes: readonly string[];
	/** A row per combination and policy. */
	readonly table: Table;
	/** What failed, by run; at most `FAILURES_MAX`. */
	readonly failures: readonly { readonly label: string; readonly message: string }[];
}

/** Failures named one by one; a sweep that has more has one fault. */
const FAILURES_MAX = 50;

/** Of all other metrics less is better. */
const HIGHER_IS_BETTER = new Set([
	"virtual.utilisation",
	"virtual.jainFairness",
	"virtual.capacityPerSecond",
]);

/** The runs of one combination under one policy: a run a seed. */
interface Cell {
	readonly parameters: Readonly<Record<string, string>>;
	readonly policy: string;
	readonly runs: readonly RunRecord[];
}

/** Null where the record is no sweep's. */
export function sweepReport(results: ResultsFile): SweepReport | null {
	const { sweep } = results;
	if (sweep === undefined) {
		return null;
	}
	const verdict = verdictOfResults(results);
	const failed = verdict.runs.filter((judged) => !judged.verdict.passed);
	const cells = cellsOf(results.runs);
	const metrics = sweep.metrics.flatMap((id) => METRICS.find((metric) => metric.id === id) ?? []);
	return {
		title: sweep.title,
		passed: verdict.passed,
		outcome: outcomeOf(results, cells, failed.length),
		extremes: metrics[0] === undefined ? [] : extremesOf(cells, metrics[0], sweep),
		table: tableOf(cells, metrics, sweep),
		failures: failed.flatMap(failuresOf).slice(0, FAILURES_MAX),
	};
}

function cellsOf(runs: readonly RunRecord[]): Cell[] {
	const cells = new Map<string, { parameters: Cell["parameters"]; policy: string; runs: RunRecord[] }>();
	for (const run of runs) {
		const parameters = run.parameters ?? {};
		const key = JSON.stringify([Object.entries(parameters), run.policy]);
		const cell = cells.get(key);
		if (cell === undefined) {
			cells.set(key, { parameters, policy: run.policy, runs: [run] });
		} else {
			cell.runs.push(run);
		}
	}
	return [...cells.values()];
}

function outcomeOf({ runs, sweep }: ResultsFile, cells: readonly Cell[], failed: number): string {
	const points = new Set(cells.map(({ parameters }) => JSON.stringify(Object.entries(parameters)))).size;
	const parts = [
		`${formatCount(points)} ${points === 1 ? "combination" : "combinations"}`,
		`${formatCount(sweep?.policies.length ?? 0)} ${sweep?.policies.length === 1 ? "policy" : "policies"}`,
		`${formatCount(sweep?.seeds.length ?? 0)} ${sweep?.seeds.length === 1 ? "seed" : "seeds"}`,
	];
	const fate = failed === 0 ? "every one passed" : `${formatCount(failed)} failed`;
	return `${parts.join(" x ")}: ${formatCount(runs.length)} ${runs.length === 1 ? "run" : "runs"}, ${fate}.`;
}

function tableOf(cells: readonly Cell[], metrics: readonly Metric[], sweep: SweepSection): Table {
	const [first, ...others] = [...sweep.parameters, "policy"];
	const text = (cell: Cell, name: string) =>
		name === "policy" ? cell.policy : (cell.parameters[name] ?? "");
	const seeds =
		sweep.seeds.length > 1 ? `; median of ${sweep.seeds.length} seeds, and the range where they differ` : "";
	return {
		caption: `Every combination, virtual time, exact${seeds}`,
		corner: first ?? "policy",
		columns: [...others, ...metrics.map(({ label }) => label)],
		rows: cells.map(
			(cell): TableRow => ({
				label: text(cell, first ?? "policy"),
				cells: [
					...others.map((name) => ({ text: text(cell, name), bad: false })),
					...metrics.map((metric) => figureOf(cell, metric)),
				],
			}),
		),
		textual: false,
	};
}

/** The median over the seeds, with the range in brackets where the seeds differ. */
function figureOf({ runs }: Cell, metric: Metric): { readonly text: string; readonly bad: boolean } {
	const sorted = [...runs].sort((a, b) => numberOf(a, metric) - numberOf(b, metric));
	const [least, most] = [sorted[0], sorted.at(-1)];
	const median = sorted[Math.floor((sorted.length - 1) / 2)];
	if (least === undefined || most === undefined || median === undefined) {
		return { text: "", bad: false };
	}
	const bad = runs.some((run) => metric.tone(run) === "bad");
	const [from, to] = [metric.show(least), metric.show(most)];
	return { text: from === to ? from : `${metric.show(median)} (${from} to ${to})`, bad };
}

/** The figure itself, for comparing; what has none, a drain that never ended for instance, is worse than any. */
function numberOf(run: RunRecord, { id }: Metric): number {
	if (id === "virtual.drops") {
		return totalDrops(run);
	}
	if (id === "ledger.lost") {
		return deviceLosses(run.ledger);
	}
	let value: unknown = run;
	for (const part of id.split(".")) {
		value =
			typeof value === "object" && value !== null ? (value as Record<string, unknown>)[part] : undefined;
	}
	return typeof value === "number" ? value : Number.POSITIVE_INFINITY;
}

function extremesOf(cells: readonly Cell[], metric: Metric, sweep: SweepSection): string[] {
	if (sweep.parameters.length === 0) {
		return [];
	}
	const name = metric.label.charAt(0).toLowerCase() + metric.label.slice(1);
	const lines = sweep.policies.map((policy) => {
		const own = cells
			.filter((cell) => cell.policy === policy)
			.map((cell) => ({ cell, value: middle(cell, metric) }));
		own.sort((a, b) => a.value - b.value);
		const [least, most] = [own[0], own.at(-1)];
		if (least === undefined || most === undefined || least.value === most.value) {
			return least === undefined
				? ""
				: `${code(policy)}: ${name} is ${figureOf(least.cell, metric).text} everywhere.`;
		}
		const [best, worst] = HIGHER_IS_BETTER.has(metric.id) ? [most, least] : [least, most];
		const at = ({ cell }: typeof best) =>
			`${figureOf(cell, metric).text} at ${code(parametersInWords(cell.parameters))}`;
		return `${code(policy)}: ${name} is best, ${at(best)}; worst, ${at(worst)}.`;
	});
	return lines.filter((line) => line !== "");
}

function middle({ runs }: Cell, metric: Metric): number {
	const sorted = runs.map((run) => numberOf(run, metric)).sort((a, b) => a - b);
	return sorted[Math.floor((sorted.length - 1) / 2)] ?? Number.POSITIVE_INFINITY;
}

function failuresOf({ run, verdict }: JudgedRun): { label: string; message: string }[] {
	const label = [run.policy, `seed ${run.seed}`, parametersInWords(run.parameters ?? {})].join(", ");
	return verdict.findings
		.filter(({ severity }) => severity === "failure")
		.map(({ message }) => ({ label, message }));
}
