import simplify from "simplify-js";
import { timeTicks, timeUnit } from "./chart-axis.js";
import { labelled, valueChannel } from "./chart-channel.js";
import { type Line, type TimeChart, thinned } from "./chart-data.js";
import type { ChartSize, Plot } from "./chart-size.js";
import type { ChartValues } from "./chart-values.js";

/** Points a pixel of width; more could not be told apart, and would make the page larger. */
const LINE_POINTS_PER_PIXEL = 0.28;
/** How far, in pixels, a line may pass a point that is left out: a tenth of the bytes, and the same to the eye. */
const LINE_TOLERANCE_PIXELS = 0.6;
/** The same for the edge of an area: its own line is drawn over it. */
const AREA_TOLERANCE_PIXELS = 2;

/** The layers of a chart over time, as Vega-Lite has them. */
export function timeLayers(
	chart: TimeChart,
	size: ChartSize,
	plot: Plot,
	bound: ChartValues,
): readonly object[] {
	const unit = timeUnit(chart.endSeconds);
	const ticks = timeTicks(chart.endSeconds, unit, size.width > 600 ? 16 : size.width > 400 ? 8 : 6);
	const lastTick = ticks.at(-1);
	const x = {
		field: "x",
		type: "quantitative",
		scale: { domain: [0, bound.value(chart.endSeconds / unit.seconds)], nice: false },
		axis: {
			...labelled(ticks, (tick) => (tick === lastTick ? `${tick} ${unit.symbol}` : String(tick)), bound),
			labelFlush: false,
			labelOverlap: false,
		},
	};
	const y = valueChannel(chart, size, "y", bound);
	const layer = (line: Line, tolerance: number, mark: object) => ({
		data: bound.data(
			bends(chart, line, size, plot, tolerance).map(([at, value]) => ({
				x: Number((at / unit.seconds).toPrecision(7)),
				y: value === null ? null : Number(value.toPrecision(5)),
			})),
		),
		mark: { ...mark, color: bound.value(line.colour), invalid: "break-paths-show-path-domains" },
		encoding: { x, y },
	});
	const lines = chart.lines.flatMap((line) => {
		const dash = line.dash === undefined ? {} : { strokeDash: [...line.dash] };
		const stroke = { type: "line", strokeWidth: line.width ?? 1.75, strokeJoin: "round", ...dash };
		const drawn = layer(line, LINE_TOLERANCE_PIXELS, stroke);
		const isFilled = line.area === true && !chart.logarithmic;
		return isFilled ? [layer(line, AREA_TOLERANCE_PIXELS, { type: "area", opacity: 0.16 }), drawn] : [drawn];
	});
	const rules = chart.rules.map((rule) => ({
		data: bound.data([{ y: rule.value }]),
		mark: { type: "rule", color: bound.value(rule.colour), strokeDash: [5, 4], strokeWidth: 1.25 },
		encoding: { y },
	}));
	return [...lines, ...rules];
}

/** A time in seconds, and a value; null breaks the line. */
type Point = readonly [number, number | null];

/** The points of a line, each in the middle of its bucket, without those that would not show. */
function bends(
	chart: TimeChart,
	line: Line,
	size: ChartSize,
	plot: Plot,
	tolerance: number,
): readonly Point[] {
	const [low, high] = chart.domain;
	const points = line.timeSeconds.map((time, index): Point => {
		const value = line.values[index] ?? null;
		return [time + line.bucketSeconds / 2, value === null ? null : Math.min(Math.max(value, low), high)];
	});
	const measure = chart.logarithmic ? Math.log10 : (value: number) => value;
	const xPixels = (plot.x1 - plot.x0) / chart.endSeconds;
	const yPixels = (plot.y1 - plot.y0) / (measure(high) - measure(low));
	const kept: Point[] = [];
	let stretch: { x: number; y: number; point: Point }[] = [];
	const close = () => {
		kept.push(...simplify(stretch, tolerance, true).map((each) => (each as (typeof stretch)[0]).point));
		stretch = [];
	};
	for (const point of thinned(points, Math.floor(size.width * LINE_POINTS_PER_PIXEL))) {
		const [at, value] = point;
		if (value === null) {
			close();
			kept.push(point);
		} else {
			stretch.push({ x: at * xPixels, y: measure(value) * yPixels, point });
		}
	}
	close();
	return kept;
}
