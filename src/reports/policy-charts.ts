import { axisFor, type DotChart } from "./chart-data.js";
import { formatList } from "./format.js";
import type { ScenarioGroup } from "./grouping.js";
import { isCompared, MEASURES, type Measure, oracleOf } from "./policy-comparison.js";

/** Small multiples: a panel a measure, a row a policy. None where few policies are compared. */
export function policyCharts(group: ScenarioGroup): readonly DotChart[] {
	if (!isCompared(group)) {
		return [];
	}
	return MEASURES.flatMap((measure) => chartOf(group, measure));
}

function chartOf(group: ScenarioGroup, measure: Measure): DotChart[] {
	const bound = oracleOf(group);
	const rows = group.runs.map(({ run, label, colour }) => {
		const value = measure.value(run, bound);
		return {
			label,
			colour,
			hollow: run.policy === "oracle",
			dots: value === null || value < 0 ? [] : [{ name: label, value }],
			text: measure.show(run, bound),
		};
	});
	const values = rows.flatMap(({ dots }) => dots.map(({ value }) => value));
	if (values.length === 0) {
		return [];
	}
	const least = Math.min(...values.filter((value) => value > 0), Number.MAX_VALUE);
	const axis = axisFor(values, least === Number.MAX_VALUE ? 0 : least);
	return [
		{
			kind: "dots",
			topic: "policies",
			owner: `${group.slug}-${slugOf(measure)}`,
			panel: measure.label,
			title: "Control laws compared",
			caption:
				"A dot a policy, each panel on its own scale, logarithmic where values lie far apart. Left is better, but for fairness. A row without a dot never got there.",
			description: `${measure.label}: ${formatList(rows.map(({ label, text }) => `${label} ${text}`))}.`,
			quantity: measure.quantity,
			logarithmic: axis.logarithmic,
			domain: axis.logarithmic ? [least / 2, axis.domain[1]] : axis.domain,
			rows,
			stems: true,
		},
	];
}

function slugOf({ label }: Measure): string {
	return label.toLowerCase().replace(/[^a-z0-9]+/g, "-");
}
