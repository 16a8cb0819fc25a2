import { axisLabel, valueTicks } from "./chart-axis.js";
import type { Chart } from "./chart-data.js";
import type { ChartSize } from "./chart-size.js";
import type { ChartValues } from "./chart-values.js";

/** A label for every tick, written beforehand: Vega's own number formats differ from the report's. */
export function labelled(
	ticks: readonly number[],
	label: (tick: number) => string,
	bound: ChartValues,
): object {
	const labels = Object.fromEntries(ticks.map((tick) => [String(tick), label(tick)]));
	return { values: bound.value([...ticks]), labelExpr: `${bound.name(labels)}[datum.value]` };
}

/** The axis of a chart's values. */
export function valueChannel(chart: Chart, size: ChartSize, channel: "x" | "y", bound: ChartValues): object {
	const most = channel === "y" ? 5 : size.width > 400 ? 5 : 3;
	const ticks = valueTicks(chart.quantity, chart.logarithmic, chart.domain, most);
	const type = chart.logarithmic ? { type: "log" } : { type: "linear", zero: false };
	return {
		field: channel,
		type: "quantitative",
		scale: { ...type, domain: chart.domain.map((end) => bound.value(end)), nice: false, clamp: true },
		axis: {
			...labelled(ticks, (tick) => axisLabel(chart.quantity, tick), bound),
			grid: true,
			domain: false,
			ticks: false,
			labelOverlap: false,
			labelFlush: false,
		},
	};
}
