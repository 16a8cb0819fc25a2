import type { LatencyMicros, Quantiles, RunRecord } from "../record/run-record.js";
import { type Curve, type CurveChart, logarithmicAxis } from "./chart-data.js";
import { formatList, formatMicros } from "./format.js";
import type { LabelledRun, ScenarioGroup } from "./grouping.js";
import { ink } from "./palette.js";

/** Distributions of a scenario's runs. A chart with nothing to show is left out. */
export function curveCharts(group: ScenarioGroup, runs: readonly LabelledRun[]): readonly CurveChart[] {
	return [latencyChart(group, runs), connectedChart(group, runs)].filter((chart) => chart.curves.length > 0);
}

type Points = Curve["points"];

function latencyChart(group: ScenarioGroup, runs: readonly LabelledRun[]): CurveChart {
	const curves = runs.flatMap((entry) => {
		const { virtual, percentiles } = entry.run;
		const before = latencyPoints(virtual.liveLatencyBeforeMicros, entry.run, percentiles?.liveBeforeMicros);
		const recovery = latencyPoints(
			virtual.liveLatencyRecoveryMicros,
			entry.run,
			percentiles?.liveRecoveryMicros,
		);
		return [
			curveOf(entry, recovery, { label: entry.label }),
			curveOf(entry, before, { label: `${entry.label}, before`, width: 1.25, dash: [3, 4] }),
		];
	});
	const told = runs.map(({ run, label }) => {
		const { liveLatencyBeforeMicros: before, liveLatencyRecoveryMicros: recovery } = run.virtual;
		return `${label} p99 ${formatMicros(before.p99)} before, ${formatMicros(recovery.p99)} in recovery`;
	});
	return {
		...chartOf(group, curves),
		topic: "percentiles",
		title: "Live latency before and in recovery",
		caption:
			"How long the given share of fresh readings took at most, in recovery and (dotted) before. Each further nine has the same room.",
		description: `Live latency percentiles: ${formatList(told)}.`,
	};
}

function connectedChart(group: ScenarioGroup, runs: readonly LabelledRun[]): CurveChart {
	const [first] = runs;
	const bound = first === undefined ? [] : boundPoints(first.run);
	const curves = [
		...runs.map((entry) => curveOf(entry, connectedPoints(entry.run), { label: entry.label })),
		// Drawn last: a policy that keeps to the bound would otherwise hide it.
		{ label: "ideal queue", colour: ink("ink"), width: 1.25, dash: [3, 4], points: bound },
	];
	const told = runs.map(({ run, label }) => {
		const { count, p95Seconds } = run.virtual.devicesConnected;
		return count === 0 ? `${label} connected none` : `${label} p95 ${formatMicros(p95Seconds * 1e6)}`;
	});
	const charted = chartOf(group, curves);
	return {
		...charted,
		// The ideal alone is no result.
		curves: charted.curves.length > 1 ? charted.curves : [],
		topic: "connected",
		title: "Time to connect",
		caption:
			"From back on power and network until the session is open, for the given share of those that connected. Dotted: an ideal queue.",
		description: `Percentiles of the time to connect: ${formatList(told)}.`,
	};
}

function chartOf(group: ScenarioGroup, curves: readonly Curve[]) {
	const shown = curves.filter(({ points }) => points.length > 1);
	return {
		kind: "curve",
		owner: group.slug,
		quantity: "micros",
		logarithmic: true,
		domain: logarithmicAxis(shown.flatMap(({ points }) => points.map(({ value }) => value))),
		curves: shown,
	} as const;
}

function curveOf(
	entry: LabelledRun,
	points: Points,
	style: Partial<Curve> & { readonly label: string },
): Curve {
	const width = entry.run.policy === "klais" ? 2.75 : 1.75;
	return { colour: entry.colour, width, points, ...style };
}

/** As many points as the record has: three where an earlier version wrote it. */
function latencyPoints(
	latency: LatencyMicros,
	{ percentiles }: RunRecord,
	column?: readonly number[],
): Points {
	const few = [
		{ percent: 50, value: latency.p50 },
		{ percent: 99, value: latency.p99 },
		{ percent: 99.9, value: latency.p999 },
	];
	const all = percentiles?.percents.map((percent, index) => ({ percent, value: column?.[index] ?? 0 }));
	return measured(all ?? few, latency.count);
}

function connectedPoints({ virtual, percentiles }: RunRecord): Points {
	const { devicesConnected } = virtual;
	return waitPoints(devicesConnected, percentiles, percentiles?.connectedSeconds, devicesConnected.count);
}

function boundPoints({ virtual, percentiles }: RunRecord): Points {
	const { count, neverConnected } = virtual.devicesConnected;
	const column = percentiles?.connectedBoundSeconds;
	return waitPoints(virtual.devicesConnectedBound, percentiles, column, count + neverConnected);
}

function waitPoints(
	{ p50Seconds, p95Seconds, p999Seconds }: Quantiles,
	percentiles: RunRecord["percentiles"],
	column: readonly number[] | undefined,
	count: number,
): Points {
	const few = [
		{ percent: 50, value: p50Seconds },
		{ percent: 95, value: p95Seconds },
		{ percent: 99.9, value: p999Seconds },
	];
	const all = percentiles?.percents.map((percent, index) => ({ percent, value: column?.[index] ?? 0 }));
	const points = (all ?? few).map(({ percent, value }) => ({ percent, value: value * 1e6 }));
	return measured(points, count);
}

/** Without the percentages that lie beyond the last of `count` values: they would only repeat it. */
function measured(points: Points, count: number): Points {
	return points.filter(({ percent, value }) => value > 0 && count * (1 - percent / 100) >= 1);
}
