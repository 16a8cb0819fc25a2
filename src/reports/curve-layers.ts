import { labelled, valueChannel } from "./chart-channel.js";
import { type CurveChart, ninesOf } from "./chart-data.js";
import type { ChartSize } from "./chart-size.js";
import type { ChartValues } from "./chart-values.js";

/** Percentages with a label of their own, as far as the curves go. */
const PERCENT_TICKS = [50, 90, 99, 99.9, 99.99];
const ROUNDING = 1e-9;

/** From the lowest to the highest percentage of a chart's curves, in nines. */
export function ninesDomain({ curves }: CurveChart): readonly [number, number] {
	const percents = curves.flatMap(({ points }) => points.map(({ percent }) => percent));
	return [ninesOf(Math.min(...percents, 50)), ninesOf(Math.max(...percents, 90))];
}

/** The layers of a chart of distributions, as Vega-Lite has them. */
export function curveLayers(chart: CurveChart, size: ChartSize, bound: ChartValues): readonly object[] {
	const [from, to] = ninesDomain(chart);
	const ticks = PERCENT_TICKS.map((percent) => ({ percent, nines: ninesOf(percent) })).filter(
		({ nines }) => nines >= from - ROUNDING && nines <= to + ROUNDING,
	);
	const percentAt = new Map(ticks.map(({ percent, nines }) => [nines, percent]));
	const x = {
		field: "x",
		type: "quantitative",
		scale: { domain: [bound.value(from), bound.value(to)], nice: false },
		axis: {
			...labelled([...percentAt.keys()], (nines) => `${percentAt.get(nines)} %`, bound),
			labelFlush: false,
			labelOverlap: false,
		},
	};
	const y = valueChannel(chart, size, "y", bound);
	const [low, high] = chart.domain;
	return chart.curves.map(({ points, colour, width, dash }) => ({
		data: bound.data(
			points.map(({ percent, value }) => ({
				x: ninesOf(percent),
				y: Math.min(Math.max(value, low), high),
			})),
		),
		mark: {
			type: "line",
			color: bound.value(colour),
			strokeWidth: width,
			strokeJoin: "round",
			...(dash === undefined ? {} : { strokeDash: [...dash] }),
		},
		encoding: { x, y },
	}));
}
