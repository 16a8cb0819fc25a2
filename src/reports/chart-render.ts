import { parse, View } from "vega";
import { compile, type TopLevelSpec } from "vega-lite";
import { axisLabel, timeTicks, timeUnit, valueTicks } from "./chart-axis.js";
import { type Chart, type DotChart, type Line, type TimeChart, thinned } from "./chart-data.js";
import { ink } from "./palette.js";

/** Width and height of a picture, and how far apart its labels must be. */
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

/** A chart drawn: its inner SVG, and where in it the plot lies, for the script that moves the cursor. */
export interface DrawnChart {
	readonly width: number;
	readonly height: number;
	/** Plot area in pixels from the picture's corner. */
	readonly plot: { readonly x0: number; readonly x1: number; readonly y0: number; readonly y1: number };
	/** SVG elements, without the `<svg>` around them. */
	readonly body: string;
}

/** Points a pixel of width; more could not be told apart, and would make the page larger. */
const LINE_POINTS_PER_PIXEL = 0.8;

const FONT = "Inter, system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif";

/** Draws a chart. `idPrefix` keeps the ids of several charts in one page apart. */
export async function drawChart(chart: Chart, size: ChartSize, idPrefix: string): Promise<DrawnChart> {
	const rows = chart.kind === "dots" ? chart.rows.length : 0;
	const height = chart.kind === "dots" ? rows * 30 + 46 : size.height;
	const left = chart.kind === "dots" ? dotMargin(chart, size) : size.fontSize * 4.4;
	const right = chart.kind === "dots" ? textMargin(chart, size) : 16;
	const padding = { left, right, top: 14, bottom: size.fontSize * 2.4 };
	const plot = { x0: left, x1: size.width - right, y0: padding.top, y1: height - padding.bottom };
	const body = chart.kind === "time" ? timeLayers(chart, size) : dotLayers(chart, size);
	const spec = {
		$schema: "https://vega.github.io/schema/vega-lite/v6.json",
		// Fixed margins: the places of axis and plot then depend on no text measurement, and stay the same.
		autosize: { type: "none" },
		padding,
		width: plot.x1 - plot.x0,
		height: plot.y1 - plot.y0,
		config: configFor(size),
		...body,
	} as TopLevelSpec;
	const svg = await renderSpec(spec);
	return { width: size.width, height, plot, body: innerSvg(svg, idPrefix) };
}

async function renderSpec(spec: TopLevelSpec): Promise<string> {
	const view = new View(parse(compile(spec).spec), { renderer: "none" });
	try {
		return await view.toSVG();
	} finally {
		view.finalize();
	}
}

/**
 * Strips Vega's own `<svg>` element and renames its ids. Vega numbers clip paths through the whole process, so that
 * the second rendering of the same chart would differ from the first, and two charts of a page could clash.
 */
function innerSvg(svg: string, idPrefix: string): string {
	const inner = svg.slice(svg.indexOf(">", svg.indexOf("<svg")) + 1, svg.lastIndexOf("</svg>"));
	const names = new Map<string, string>();
	const renamed = (id: string) => {
		const name = names.get(id) ?? `${idPrefix}-${names.size}`;
		names.set(id, name);
		return name;
	};
	return inner
		.replace(/\bid="([^"]+)"/g, (_all, id: string) => `id="${renamed(id)}"`)
		.replace(/url\(#([^)]+)\)/g, (_all, id: string) => `url(#${renamed(id)})`)
		.replace(/ font-family="[^"]*"/g, "")
		.replace(/ d="([^"]+)"/g, (_all, path: string) => ` d="${path.replace(/-?\d+\.\d{2,}/g, tenth)}"`);
}

/** A tenth of a pixel is finer than any screen; Vega writes thousandths. */
function tenth(coordinate: string): string {
	return String(Math.round(Number(coordinate) * 10) / 10);
}

/** The font of every chart, for the `<svg>` around it. */
export const CHART_FONT = FONT;

function configFor(size: ChartSize): object {
	const label = { labelColor: ink("muted"), labelFontSize: size.fontSize, labelPadding: 7, labelLimit: 0 };
	return {
		background: null,
		aria: false,
		view: { stroke: null },
		axis: { ...label, title: null, domain: false, ticks: false, grid: true, gridColor: ink("grid") },
		axisX: {
			grid: false,
			domain: true,
			domainColor: ink("bound"),
			ticks: true,
			tickColor: ink("bound"),
			tickSize: 4,
		},
		text: { fontSize: size.fontSize },
	};
}

/** A label for every tick, written beforehand: Vega's own number formats differ from the report's. */
function labelled(ticks: readonly number[], label: (tick: number) => string): object {
	const labels = Object.fromEntries(ticks.map((tick) => [String(tick), label(tick)]));
	return { values: [...ticks], labelExpr: `(${JSON.stringify(labels)})[datum.value]` };
}

function timeLayers(chart: TimeChart, size: ChartSize): object {
	const unit = timeUnit(chart.endSeconds);
	const ticks = timeTicks(chart.endSeconds, unit, size.width > 600 ? 16 : size.width > 400 ? 8 : 6);
	const lastTick = ticks.at(-1);
	const x = {
		field: "x",
		type: "quantitative",
		scale: { domain: [0, chart.endSeconds / unit.seconds], nice: false },
		axis: {
			...labelled(ticks, (tick) => (tick === lastTick ? `${tick} ${unit.symbol}` : String(tick))),
			labelFlush: false,
			labelOverlap: false,
		},
	};
	const y = valueChannel(chart, size, "y");
	const layers: object[] = chart.lines.map((line) => lineLayer(chart, line, size, x, y));
	for (const rule of chart.rules) {
		layers.push({
			data: { values: [{ y: rule.value }] },
			mark: { type: "rule", color: rule.colour, strokeDash: [5, 4], strokeWidth: 1.25 },
			encoding: { y },
		});
	}
	return { layer: layers };
}

function lineLayer(chart: TimeChart, line: Line, size: ChartSize, x: object, y: object): object {
	const [low] = chart.domain;
	const unit = timeUnit(chart.endSeconds);
	const most = Math.floor(size.width * LINE_POINTS_PER_PIXEL);
	const clamp = (value: number | null) =>
		value === null ? null : chart.logarithmic ? Math.max(value, low) : value;
	const points = line.timeSeconds.map((time, index): readonly [number, number | null] => [
		Number(((time + line.bucketSeconds / 2) / unit.seconds).toPrecision(7)),
		clamp(line.values[index] ?? null),
	]);
	const values = thinned(points, most).map(([at, value]) => ({ x: at, y: value }));
	const stroke = {
		color: line.colour,
		strokeWidth: line.width ?? 1.75,
		strokeJoin: "round",
		...(line.dash === undefined ? {} : { strokeDash: [...line.dash] }),
	};
	const filled = line.area === true && !chart.logarithmic;
	const mark = filled
		? { type: "area", color: line.colour, opacity: 0.16, line: { ...stroke, opacity: 1 }, clip: true }
		: { type: "line", ...stroke, clip: true };
	return {
		data: { values },
		mark: { ...mark, invalid: "break-paths-show-path-domains" },
		encoding: { x, y },
	};
}

function valueChannel(chart: Chart, size: ChartSize, channel: "x" | "y"): object {
	const most = channel === "y" ? 5 : size.width > 400 ? 5 : 3;
	const ticks = valueTicks(chart.quantity, chart.logarithmic, chart.domain, most);
	const type = chart.logarithmic ? { type: "log" } : { type: "linear", zero: false };
	return {
		field: channel,
		type: "quantitative",
		scale: { ...type, domain: [...chart.domain], nice: false, clamp: true },
		axis: {
			...labelled(ticks, (tick) => axisLabel(chart.quantity, tick)),
			grid: true,
			domain: false,
			ticks: false,
			labelOverlap: false,
			labelFlush: false,
		},
	};
}

/** Rough width of a text: good enough to keep room for it. */
export function textWidth(text: string, fontSize: number): number {
	return text.length * fontSize * 0.56;
}

/** Vega would measure and cut by itself, but without a canvas it takes texts for half as wide again. */
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

function dotLayers(chart: DotChart, size: ChartSize): object {
	const order = chart.rows.map((_row, index) => String(index));
	const room = dotMargin(chart, size) - 16;
	const names = Object.fromEntries(
		chart.rows.map((row, index) => [String(index), shortened(row.label, room, size.fontSize)]),
	);
	const y = {
		field: "row",
		type: "nominal",
		scale: { domain: order },
		sort: null,
		axis: {
			labelExpr: `(${JSON.stringify(names)})[datum.value]`,
			labelColor: ink("ink"),
			labelLimit: 0,
			grid: false,
		},
	};
	const x = valueChannel(chart, size, "x");
	const [low, high] = chart.domain;
	const layers = chart.rows.flatMap((row, index): object[] => {
		const dots = row.dots.filter((dot) => dot.value > 0 || !chart.logarithmic);
		const drawn = dots.map((dot) => ({ row: String(index), x: Math.min(Math.max(dot.value, low), high) }));
		const last = drawn.at(-1);
		const first = chart.stems ? low : drawn[0]?.x;
		const fill = row.hollow ? ink("paper") : row.colour;
		return [
			{
				data: { values: last === undefined ? [] : [{ row: String(index), x: first, x2: last.x }] },
				mark: { type: "rule", color: row.colour, strokeWidth: 2.5, opacity: 0.45 },
				encoding: { x, x2: { field: "x2" }, y },
			},
			{
				data: { values: drawn },
				mark: {
					type: "point",
					filled: true,
					fill,
					stroke: row.colour,
					strokeWidth: 1.75,
					size: 62,
					opacity: 1,
				},
				encoding: { x, y },
			},
			{
				data: { values: [{ row: String(index) }] },
				mark: { type: "text", align: "left", color: ink("ink"), text: row.text },
				encoding: { x: { value: size.width - dotMargin(chart, size) - textMargin(chart, size) + 12 }, y },
			},
		];
	});
	return { layer: layers };
}
