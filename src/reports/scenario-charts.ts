import type { Series } from "../record/run-record.js";
import { axisFor, type Chart, type Line, logarithmicAxis, type Rule, type TimeChart } from "./chart-data.js";
import { curveCharts } from "./curve-charts.js";
import { dropChart } from "./dot-charts.js";
import { formatCount, formatList, formatMicros, formatRate, formatSeconds } from "./format.js";
import type { LabelledRun, ScenarioGroup } from "./grouping.js";
import { ink } from "./palette.js";
import { policyCharts } from "./policy-charts.js";

/** Runs drawn per scenario; with more, lines would hide each other. Tables always hold all. */
export const DRAWN_RUNS_MAX = 6;

/** Where a chart stands in the page. */
export interface PlacedChart {
	readonly chart: Chart;
	readonly size: "wide" | "half" | "third";
}

/** Another dash for each further run of the same policy, because the colour is the policy's. */
const REPEAT_DASHES = [undefined, [7, 3], [2, 3], [9, 3, 2, 3]] as const;

/** The runs of a scenario that charts and cards show: every policy before any policy's second run, in file order. */
export function drawnRuns(group: ScenarioGroup): readonly LabelledRun[] {
	const chosen = new Set([...group.runs].sort((a, b) => a.repeat - b.repeat).slice(0, DRAWN_RUNS_MAX));
	return group.runs.filter((entry) => chosen.has(entry));
}

/** Every chart of a scenario, in page order. Charts without any data are left out. */
export function scenarioCharts(group: ScenarioGroup): readonly PlacedChart[] {
	const runs = drawnRuns(group);
	if (runs.every(({ run }) => run.series.timeSeconds.length === 0)) {
		return timeless(group, runs);
	}
	const end = Math.max(...runs.map(({ run }) => lengthOf(run.series)));
	return [
		{ chart: backlogChart(group.slug, runs, end), size: "wide" },
		...flowCharts(runs, end).map((chart): PlacedChart => ({ chart, size: "third" })),
		{ chart: devicesChart(group.slug, runs, end), size: "half" },
		{ chart: latencyChart(group.slug, runs, end), size: "half" },
		...timeless(group, runs),
		...sessionCharts(runs, end).map((chart): PlacedChart => ({ chart, size: "third" })),
	];
}

/** The charts without a time axis. */
function timeless(group: ScenarioGroup, runs: readonly LabelledRun[]): readonly PlacedChart[] {
	const drops = dropChart(group, runs);
	const charts: readonly Chart[] = [...curveCharts(group, runs), ...(drops === undefined ? [] : [drops])];
	return [
		...charts.map((chart): PlacedChart => ({ chart, size: "half" })),
		...policyCharts(group).map((chart): PlacedChart => ({ chart, size: "third" })),
	];
}

function lengthOf(series: Series): number {
	return (series.timeSeconds.at(-1) ?? 0) + series.bucketSeconds;
}

type Column = Exclude<keyof Series, "bucketSeconds" | "timeSeconds">;

function lineOf(
	runs: readonly LabelledRun[],
	entry: LabelledRun,
	column: Column,
	style: Partial<Line>,
): Line {
	const { series } = entry.run;
	return {
		label: entry.label,
		source: `${runs.indexOf(entry)}.${column}`,
		colour: entry.colour,
		values: series[column],
		timeSeconds: series.timeSeconds,
		bucketSeconds: series.bucketSeconds,
		...style,
	};
}

/** One line a run, in the policy's colour; `klais` heavier, because the page is about it. */
function policyLines(runs: readonly LabelledRun[], column: Column): Line[] {
	return runs.map((entry) => {
		const dash = REPEAT_DASHES[entry.repeat % REPEAT_DASHES.length];
		const width = entry.run.policy === "klais" ? 2.75 : 1.75;
		return lineOf(runs, entry, column, { width, ...(dash === undefined ? {} : { dash }) });
	});
}

function peakOf(values: readonly (number | null)[]): number {
	return values.reduce<number>((peak, value) => Math.max(peak, value ?? 0), 0);
}

function valuesOf(lines: readonly Line[]): (number | null)[] {
	return lines.flatMap((line) => [...line.values]);
}

function backlogChart(owner: string, runs: readonly LabelledRun[], endSeconds: number): Chart {
	const [first] = runs;
	const bound = first === undefined ? [] : [boundLine(runs, first)];
	const lines = [...policyLines(runs, "backlogReadings"), ...bound];
	const axis = axisFor(valuesOf(lines), peakOf(bound[0]?.values ?? []));
	const told = runs.map(({ run, label }) => {
		const peak = formatCount(peakOf(run.series.backlogReadings));
		const last = run.series.backlogReadings.at(-1) ?? 0;
		return `${label} peaks at ${peak} readings and ends at ${formatCount(last)}`;
	});
	return {
		kind: "time",
		topic: "backlog",
		owner,
		title: "Backlog still to be stored",
		caption: `Readings that reachable devices still owe. The dashed line is the bound: no ingest can drain faster.${
			axis.logarithmic ? ` Logarithmic scale; below ${formatCount(axis.domain[0])} counts as drained.` : ""
		}`,
		description: `Backlog over time: ${formatList(told)}.`,
		quantity: "count",
		...axis,
		lines,
		rules: [],
		endSeconds,
	};
}

function boundLine(runs: readonly LabelledRun[], entry: LabelledRun): Line {
	// Drawn last: a policy that keeps to the bound would otherwise hide it.
	const style = { label: "physical bound", colour: ink("ink"), dash: [3, 4], width: 1.25 };
	return lineOf(runs, entry, "backlogBoundReadings", style);
}

function flowCharts(runs: readonly LabelledRun[], endSeconds: number): TimeChart[] {
	const capacity = Math.max(...runs.map(({ run }) => run.virtual.capacityPerSecond));
	const columns = [
		"offeredPerSecond",
		"admittedPerSecond",
		"durablePerSecond",
		"duplicatesPerSecond",
	] as const;
	const axis = axisFor(
		runs.flatMap(({ run }) => columns.flatMap((column) => [...run.series[column]])),
		capacity,
	);
	const twice = runs.some(({ run }) => peakOf(run.series.duplicatesPerSecond) > 0);
	return runs.map((entry): TimeChart => {
		const { run, label, colour, slug } = entry;
		const lines = [
			lineOf(runs, entry, "offeredPerSecond", {
				label: "offered",
				colour: ink("flood"),
				area: true,
				width: 1.25,
			}),
			lineOf(runs, entry, "admittedPerSecond", {
				label: "admitted",
				colour: ink("muted"),
				width: 1.25,
				dash: [3, 2],
			}),
			lineOf(runs, entry, "durablePerSecond", { label: "durable", colour, area: true, width: 2 }),
		];
		// In every panel or in none: panels with the same legend can be compared at a glance.
		if (twice) {
			const style = { label: "duplicates", colour: ink("alarm"), width: 1.5, dash: [1.5, 2] };
			lines.push(lineOf(runs, entry, "duplicatesPerSecond", style));
		}
		const rules: Rule[] = [
			{
				value: run.virtual.capacityPerSecond,
				label: `capacity ${formatRate(run.virtual.capacityPerSecond)}`,
				colour: ink("ink"),
			},
		];
		const offered = formatRate(peakOf(run.series.offeredPerSecond));
		return {
			kind: "time",
			topic: "flow",
			owner: slug,
			panel: label,
			title: "Offered, admitted, durable",
			caption: `Readings per second against the broker's capacity. ${scaleWords(axis)}`,
			description:
				`Readings per second under ${label}: at most ${offered} offered, ` +
				`${formatRate(peakOf(run.series.durablePerSecond))} durable, capacity ${formatRate(run.virtual.capacityPerSecond)}.`,
			quantity: "rate",
			...axis,
			lines,
			rules,
			endSeconds,
		};
	});
}

function scaleWords(axis: {
	readonly logarithmic: boolean;
	readonly domain: readonly [number, number];
}): string {
	return axis.logarithmic
		? `Logarithmic scale, the same in each panel; values below ${formatCount(axis.domain[0])}/s are drawn at the bottom.`
		: "The same scale in each panel.";
}

function devicesChart(owner: string, runs: readonly LabelledRun[], endSeconds: number): Chart {
	const [first] = runs;
	const style = { label: "reachable", colour: ink("flood"), area: true, width: 1.25 };
	const reachable = first === undefined ? [] : [lineOf(runs, first, "reachable", style)];
	const lines = [...reachable, ...policyLines(runs, "online")];
	const told = runs.map(
		({ run, label }) => `${label} ends with ${formatCount(run.series.online.at(-1) ?? 0)} online`,
	);
	return {
		kind: "time",
		topic: "devices",
		owner,
		title: "Devices back, and devices served",
		caption:
			"The grey area is the world: devices with power and network. A line is a policy: devices with a session.",
		description: `Devices over time, ${formatCount(first?.run.devices ?? 0)} in all: ${formatList(told)}.`,
		quantity: "count",
		...axisFor(valuesOf(lines), 0),
		lines,
		rules: [],
		endSeconds,
	};
}

function latencyChart(owner: string, runs: readonly LabelledRun[], endSeconds: number): Chart {
	const lines = policyLines(runs, "liveP99Micros");
	const worst = runs.map(
		({ run, label }) => `${label} at most ${formatMicros(peakOf(run.series.liveP99Micros))}`,
	);
	return {
		kind: "time",
		topic: "live-p99",
		owner,
		title: "Live latency, p99",
		caption:
			"Fresh readings, from due to durable. Logarithmic scale; a gap means that no live reading became durable.",
		description: `99th percentile of live latency over time: ${formatList(worst)}.`,
		quantity: "micros",
		logarithmic: true,
		domain: logarithmicAxis(valuesOf(lines)),
		lines,
		rules: [],
		endSeconds,
	};
}

function sessionCharts(runs: readonly LabelledRun[], endSeconds: number): TimeChart[] {
	const columns = ["helloPerSecond", "deferredPerSecond", "droppedPerSecond"] as const;
	const all = runs.flatMap(({ run }) => columns.flatMap((column) => [...run.series[column]]));
	const peaks = runs.map(({ run }) => Math.max(...columns.map((column) => peakOf(run.series[column]))));
	if (peakOf(all) === 0) {
		return [];
	}
	// The quietest policy is the one that must stay readable beside the loudest.
	const axis = axisFor(all, Math.min(...peaks.filter((peak) => peak > 0)));
	return runs.map((entry): TimeChart => {
		const { run, label, colour, slug } = entry;
		return {
			kind: "time",
			topic: "sessions",
			owner: slug,
			panel: label,
			title: "Knocking at the door",
			caption: `Session requests (HELLO), those sent away with a slot (deferred), and frames dropped, per second. ${scaleWords(axis)}`,
			description:
				`Per second under ${label}: at most ${formatRate(peakOf(run.series.helloPerSecond))} HELLO, ` +
				`${formatRate(peakOf(run.series.deferredPerSecond))} deferred, ${formatRate(peakOf(run.series.droppedPerSecond))} dropped; ` +
				`buckets of ${formatSeconds(run.series.bucketSeconds)}.`,
			quantity: "rate",
			...axis,
			lines: [
				lineOf(runs, entry, "helloPerSecond", { label: "HELLO", colour, width: 2, area: true }),
				lineOf(runs, entry, "deferredPerSecond", {
					label: "deferred",
					colour: ink("muted"),
					dash: [5, 3],
					width: 1.5,
				}),
				lineOf(runs, entry, "droppedPerSecond", {
					label: "dropped",
					colour: ink("alarm"),
					dash: [1.5, 2],
					width: 1.5,
				}),
			],
			rules: [],
			endSeconds,
		};
	});
}
