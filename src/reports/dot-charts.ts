import { type DotChart, type DotRow, logarithmicAxis } from "./chart-data.js";
import { formatCount, formatList } from "./format.js";
import type { LabelledRun, ScenarioGroup } from "./grouping.js";
import { dropReasons, totalDrops } from "./metrics.js";

/** Reasons drawn; the table has all. */
const REASONS_MAX = 6;

/** Frames dropped, by reason; undefined without any. */
export function dropChart(group: ScenarioGroup, runs: readonly LabelledRun[]): DotChart | undefined {
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
