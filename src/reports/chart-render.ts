import { axisLabel, timeTicks, timeUnit, valueTicks } from "./chart-axis.js";
import {
	type Chart,
	type CurveChart,
	type DotChart,
	type DotRow,
	type Line,
	ninesOf,
	type TimeChart,
	thinned,
} from "./chart-data.js";
import { areaPath, linePath, type Point } from "./line-path.js";
import { escapeXml } from "./markup.js";
import { ink } from "./palette.js";

/** Width and height of a picture, and the size of its texts. */
export interface ChartSize {
	readonly name: "wide" | "half" | "third" | "phone";
	readonly width: number;
	readonly height: number;
	readonly fontSize: number;
}

export const SIZES = {
	wide: { name: "wide", width: 1_040, height: 330, fontSize: 12.5 },
	half: { name: "half", width: 510, height: 270, fontSize: 12 },
	third: { name: "third", width: 360, height: 230, fontSize: 11.5 },
	phone: { name: "phone", width: 360, height: 250, fontSize: 11.5 },
} as const satisfies Record<string, ChartSize>;

/** Plot area in pixels from the picture's corner. */
interface Plot {
	readonly x0: number;
	readonly x1: number;
	readonly y0: number;
	readonly y1: number;
}

/** A chart drawn: its inner SVG, and where in it the plot lies, for the script that moves the cursor. */
export interface DrawnChart {
	readonly width: number;
	readonly height: number;
	readonly plot: Plot;
	/** SVG elements, without the `<svg>` around them. Nothing in them has an id. */
	readonly body: string;
}

/** Points a pixel of width; more could not be told apart, and would make the page larger. */
const LINE_POINTS_PER_PIXEL = 0.5;

/** The font of every chart, for the `<svg>` around it. */
export const CHART_FONT = "Inter, system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif";

const ROW_HEIGHT = 30;
const RULE_DASH = "5 4";

/** A place in the picture for each value. */
type Scale = (value: number) => number;

/**
 * Draws a chart. Margins are fixed, so that places depend on no measuring of texts, and the same chart is the same
 * bytes everywhere.
 */
export function drawChart(chart: Chart, size: ChartSize): DrawnChart {
	const dots = chart.kind === "dots";
	const height = dots ? chart.rows.length * ROW_HEIGHT + 46 : size.height;
	const plot = {
		x0: dots ? dotMargin(chart, size) : size.fontSize * 4.4,
		x1: size.width - (dots ? textMargin(chart, size) : 16),
		y0: 14,
		y1: height - size.fontSize * 2.4,
	};
	const drawn = bodyOf(chart, size, plot);
	const body = `<g font-size="${size.fontSize}" fill="none" stroke-linejoin="round" stroke-linecap="round">${drawn}</g>`;
	return { width: size.width, height, plot, body };
}

function bodyOf(chart: Chart, size: ChartSize, plot: Plot): string {
	switch (chart.kind) {
		case "time":
			return timeBody(chart, size, plot);
		case "curve":
			return curveBody(chart, size, plot);
		case "dots":
			return dotBody(chart, size, plot);
	}
}

function timeBody(chart: TimeChart, size: ChartSize, plot: Plot): string {
	const unit = timeUnit(chart.endSeconds);
	const x = scaleOf(false, [0, chart.endSeconds], [plot.x0, plot.x1]);
	const y = scaleOf(chart.logarithmic, chart.domain, [plot.y1, plot.y0]);
	const ticks = timeTicks(chart.endSeconds, unit, size.width > 600 ? 16 : size.width > 400 ? 8 : 6);
	const lastTick = ticks.at(-1);
	const xTicks = ticks.map(
		(tick): Tick => [x(tick * unit.seconds), tick === lastTick ? `${tick} ${unit.symbol}` : String(tick)],
	);
	const drawn = chart.lines.map((line) => ({ line, points: pointsOf(line, size, x, y) }));
	return [
		frame(chart, size, plot, xTicks),
		...drawn
			.filter(({ line }) => line.area === true && !chart.logarithmic)
			.map(
				({ line, points }) => `<path d="${areaPath(points, plot.y1)}" fill="${line.colour}" opacity=".16"/>`,
			),
		...drawn.map(({ line, points }) =>
			path(linePath(points), line.colour, line.width ?? 1.75, line.dash?.join(" ")),
		),
		...chart.rules.map((rule) =>
			path(`M${half(plot.x0)} ${half(y(rule.value))}H${half(plot.x1)}`, rule.colour, 1.25, RULE_DASH),
		),
	].join("");
}

/** Percentages with a label of their own, as far as the curves go. */
const PERCENT_TICKS = [50, 90, 99, 99.9, 99.99];

/** From the lowest to the highest percentage of a chart's curves, in nines. */
export function ninesDomain({ curves }: CurveChart): readonly [number, number] {
	const percents = curves.flatMap(({ points }) => points.map(({ percent }) => percent));
	return [ninesOf(Math.min(...percents, 50)), ninesOf(Math.max(...percents, 90))];
}

function curveBody(chart: CurveChart, size: ChartSize, plot: Plot): string {
	const domain = ninesDomain(chart);
	const x = scaleOf(false, domain, [plot.x0, plot.x1]);
	const y = scaleOf(chart.logarithmic, chart.domain, [plot.y1, plot.y0]);
	const ticks = PERCENT_TICKS.filter((percent) => {
		const nines = ninesOf(percent);
		return nines >= domain[0] - 1e-9 && nines <= domain[1] + 1e-9;
	}).map((percent): Tick => [x(ninesOf(percent)), `${percent} %`]);
	return [
		frame(chart, size, plot, ticks),
		...chart.curves.map(({ points, colour, width, dash }) => {
			const places = points.map(({ percent, value }): Point => [x(ninesOf(percent)), y(value)]);
			return path(linePath(places), colour, width, dash?.join(" "));
		}),
	].join("");
}

type Tick = readonly [place: number, label: string];

/** Grid and axes. */
function frame(chart: TimeChart | CurveChart, size: ChartSize, plot: Plot, xTicks: readonly Tick[]): string {
	const y = scaleOf(chart.logarithmic, chart.domain, [plot.y1, plot.y0]);
	const values = valueTicks(chart.quantity, chart.logarithmic, chart.domain, 5);
	return [
		path(values.map((tick) => `M${half(plot.x0)} ${half(y(tick))}H${half(plot.x1)}`).join(""), ink("grid")),
		path(xTicks.map(([place]) => `M${half(place)} ${half(plot.y1)}v4`).join(""), ink("bound")),
		path(`M${half(plot.x0)} ${half(plot.y1)}H${half(plot.x1)}`, ink("bound")),
		texts(
			"end",
			ink("muted"),
			values.map((tick) => [plot.x0 - 7, y(tick) + size.fontSize / 3, axisLabel(chart.quantity, tick)]),
		),
		texts(
			"middle",
			ink("muted"),
			xTicks.map(([place, label]) => [place, plot.y1 + size.fontSize + 8, label]),
		),
	].join("");
}

/** The points of a line where they are drawn, in the middle of their buckets; null where a value is missing. */
function pointsOf(line: Line, size: ChartSize, x: Scale, y: Scale): readonly (Point | null)[] {
	const points = line.timeSeconds.map((time, index): readonly [number, number | null] => [
		time + line.bucketSeconds / 2,
		line.values[index] ?? null,
	]);
	const most = Math.floor(size.width * LINE_POINTS_PER_PIXEL);
	return thinned(points, most).map(([at, value]) => (value === null ? null : [x(at), y(value)]));
}

/** Values beyond the domain are drawn at its end: on a logarithmic axis zero is one of them. */
function scaleOf(
	logarithmic: boolean,
	domain: readonly [number, number],
	range: readonly [number, number],
): Scale {
	const [low, high] = domain;
	const [from, to] = range;
	const measure = logarithmic ? Math.log10 : (value: number) => value;
	const length = measure(high) - measure(low);
	return (value) => {
		const within = Math.min(Math.max(value, low), high);
		return length === 0 ? from : from + ((to - from) * (measure(within) - measure(low))) / length;
	};
}

function path(data: string, colour: string, width = 1, dash?: string): string {
	if (data === "") {
		return "";
	}
	const widths = width === 1 ? "" : ` stroke-width="${width}"`;
	// Round ends would close the gaps of a fine dash.
	const dashes = dash === undefined ? "" : ` stroke-dasharray="${dash}" stroke-linecap="butt"`;
	return `<path d="${data}" stroke="${colour}"${widths}${dashes}/>`;
}

type Label = readonly [x: number, y: number, text: string];

function texts(anchor: "start" | "middle" | "end", colour: string, labels: readonly Label[]): string {
	const drawn = labels.map(
		([x, y, text]) => `<text x="${tenth(x)}" y="${tenth(y)}">${escapeXml(text)}</text>`,
	);
	const anchored = anchor === "start" ? "" : ` text-anchor="${anchor}"`;
	return drawn.length === 0 ? "" : `<g fill="${colour}"${anchored}>${drawn.join("")}</g>`;
}

/** The middle of a pixel: a line of one pixel is sharp there. */
function half(place: number): number {
	return Math.floor(place) + 0.5;
}

function tenth(place: number): number {
	return Math.round(place * 10) / 10;
}

/** Rough width of a text: good enough to keep room for it. */
export function textWidth(text: string, fontSize: number): number {
	return text.length * fontSize * 0.56;
}

function shortened(text: string, room: number, fontSize: number): string {
	const most = Math.max(Math.floor(room / textWidth("x", fontSize)), 3);
	return text.length <= most + 1 ? text : `${text.slice(0, most - 1)}…`;
}

function dotMargin(chart: DotChart, size: ChartSize): number {
	const widest = Math.max(...chart.rows.map((row) => textWidth(row.label, size.fontSize)), 20);
	return Math.min(widest + 16, size.width * 0.45);
}

function textMargin(chart: DotChart, size: ChartSize): number {
	return Math.max(...chart.rows.map((row) => textWidth(row.text, size.fontSize)), 4) + 16;
}

function dotBody(chart: DotChart, size: ChartSize, plot: Plot): string {
	const x = scaleOf(chart.logarithmic, chart.domain, [plot.x0, plot.x1]);
	const room = plot.x0 - 16;
	const height = (plot.y1 - plot.y0) / chart.rows.length;
	const rowY = (index: number) => plot.y0 + (index + 0.5) * height;
	const baseline = size.fontSize / 3;
	const ticks = valueTicks(chart.quantity, chart.logarithmic, chart.domain, size.width > 400 ? 5 : 3);
	return [
		path(ticks.map((tick) => `M${half(x(tick))} ${plot.y0}V${tenth(plot.y1)}`).join(""), ink("grid")),
		texts(
			"middle",
			ink("muted"),
			ticks.map((tick) => [x(tick), plot.y1 + size.fontSize + 4, axisLabel(chart.quantity, tick)]),
		),
		texts(
			"end",
			ink("ink"),
			chart.rows.map(({ label }, index) => [
				plot.x0 - 9,
				rowY(index) + baseline,
				shortened(label, room, size.fontSize),
			]),
		),
		...chart.rows.map((row, index) => dotRow(chart, row, rowY(index), x)),
		texts(
			"start",
			ink("ink"),
			chart.rows.map(({ text }, index) => [plot.x1 + 12, rowY(index) + baseline, text]),
		),
	].join("");
}

function dotRow(chart: DotChart, { dots, colour, hollow }: DotRow, y: number, x: Scale): string {
	const places = dots
		.filter(({ value }) => value > 0 || !chart.logarithmic)
		.map(({ value }) => tenth(x(value)));
	const [first, last] = [places[0], places.at(-1)];
	if (first === undefined || last === undefined) {
		return "";
	}
	const from = chart.stems ? tenth(x(chart.domain[0])) : first;
	const fill = hollow ? ink("paper") : colour;
	const circles = places.map((place) => `<circle cx="${place}" cy="${tenth(y)}" r="4"/>`).join("");
	return (
		`<path d="M${from} ${tenth(y)}H${last}" stroke="${colour}" stroke-width="2.5" opacity=".45"/>` +
		`<g fill="${fill}" stroke="${colour}" stroke-width="1.75">${circles}</g>`
	);
}
