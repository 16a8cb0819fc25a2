import type { LatencyMicros } from "../record/run-record.js";
import { type DotChart, type DotRow, logarithmicAxis } from "./chart-data.js";
import { formatCount, formatList, formatMicros } from "./format.js";
import type { LabelledRun, ScenarioGroup } from "./grouping.js";
import { dropReasons, totalDrops } from "./metrics.js";

/** Reasons drawn; the table has all. */
const REASONS_MAX = 6;

/** The charts without a time axis. A chart with nothing to show is left out. */
export function dotCharts(group: ScenarioGroup, runs: readonly LabelledRun[]): readonly DotChart[] {
	return [percentileChart(group, runs), dropChart(group, runs)].filter((chart) => chart !== undefined);
}

function percentileChart(group: ScenarioGroup, runs: readonly LabelledRun[]): DotChart | undefined {
	const rows = runs.flatMap((entry): DotRow[] => {
		const { liveLatencyBeforeMicros: before, liveLatencyRecoveryMicros: recovery } = entry.run.virtual;
		return [percentileRow(entry, "before", before), percentileRow(entry, "recovery", recovery)].filter(
			(row) => row !== undefined,
		);
	});
	if (rows.length === 0) {
		return undefined;
	}
	const told = rows.map(
		(row) => `${row.label}: ${row.dots.map((dot) => `${dot.name} ${formatMicros(dot.value)}`).join(", ")}`,
	);
	return {
		kind: "dots",
		topic: "percentiles",
		owner: group.slug,
		title: "Live latency before and in recovery",
		caption: "Dots from left to right: p50, p99, p99.9, max; hollow before the outage. At the right: p99.",
		description: `Live latency percentiles. ${told.join(". ")}.`,
		quantity: "micros",
		logarithmic: true,
		domain: logarithmicAxis(rows.flatMap((row) => row.dots.map((dot) => dot.value))),
		rows,
		stems: false,
	};
}

function percentileRow(entry: LabelledRun, when: string, latency: LatencyMicros): DotRow | undefined {
	if (latency.count === 0) {
		return undefined;
	}
	const dots = [
		{ name: "p50", value: latency.p50 },
		{ name: "p99", value: latency.p99 },
		{ name: "p99.9", value: latency.p999 },
		{ name: "max", value: latency.max },
	];
	return {
		label: `${entry.label}, ${when}`,
		colour: entry.colour,
		hollow: when === "before",
		dots,
		text: formatMicros(latency.p99),
	};
}

function dropChart(group: ScenarioGroup, runs: readonly LabelledRun[]): DotChart | undefined {
	const reasons = dropReasons(runs.map((entry) => entry.run)).slice(0, REASONS_MAX);
	const rows = reasons.flatMap((reason) =>
		runs.flatMap((entry): DotRow[] => {
			const count = entry.run.virtual.drops[reason] ?? 0;
			if (count === 0) {
				return [];
			}
			const label = runs.length > 1 ? `${reason}, ${entry.label}` : reason;
			const dots = [{ name: reason, value: count }];
			return [{ label, colour: entry.colour, hollow: false, dots, text: formatCount(count) }];
		}),
	);
	if (rows.length === 0) {
		return undefined;
	}
	const told = runs.map((entry) => `${entry.label} dropped ${formatCount(totalDrops(entry.run))} frames`);
	const [low, high] = logarithmicAxis(rows.flatMap((row) => row.dots.map((dot) => dot.value)));
	return {
		kind: "dots",
		topic: "drops",
		owner: group.slug,
		title: "Frames dropped, by reason",
		caption: "Logarithmic scale. A reason that dropped nothing is left out.",
		description: `Frames dropped by reason: ${formatList(told)}.`,
		quantity: "count",
		logarithmic: true,
		// One decade of room at the left, so that the smallest count still has a line to its dot.
		domain: [Math.max(low / 10, 0.1), high],
		rows,
		stems: true,
	};
}
