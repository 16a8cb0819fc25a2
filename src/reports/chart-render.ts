import { parse, type Runtime, View } from "vega";
import { compile, type TopLevelSpec } from "vega-lite";
import type { Chart } from "./chart-data.js";
import type { ChartSize, Plot } from "./chart-size.js";
import { ChartValues } from "./chart-values.js";
import { curveLayers } from "./curve-layers.js";
import { dotLayers, dotMargin, textMargin } from "./dot-layers.js";
import { leanSvg } from "./lean-svg.js";
import { ink } from "./palette.js";
import { timeLayers } from "./time-layers.js";

/** A chart drawn: its inner SVG, and where in it the plot lies, for the script that moves the cursor. */
export interface DrawnChart {
	readonly width: number;
	readonly height: number;
	readonly plot: Plot;
	/** SVG elements, without the `<svg>` around them. Nothing in them has an id. */
	readonly body: string;
}

/** The font of every chart, for the `<svg>` around it. */
export const CHART_FONT = "Inter, system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif";

/** Compiled specifications that are kept; charts of a report have far fewer shapes. */
const COMPILED_MAX = 512;

const compiled = new Map<string, Runtime>();

/** Draws a chart: the same one is the same bytes everywhere. */
export async function drawChart(chart: Chart, size: ChartSize): Promise<DrawnChart> {
	const rows = chart.kind === "dots" ? chart.rows.length : 0;
	const height = chart.kind === "dots" ? rows * 30 + 46 : size.height;
	const left = chart.kind === "dots" ? dotMargin(chart, size) : size.fontSize * 4.4;
	const right = chart.kind === "dots" ? textMargin(chart, size) : 16;
	const padding = { left, right, top: 14, bottom: size.fontSize * 2.4 };
	const plot = { x0: left, x1: size.width - right, y0: padding.top, y1: height - padding.bottom };
	const bound = new ChartValues();
	const layer = layersOf(chart, size, plot, bound);
	const spec = {
		$schema: "https://vega.github.io/schema/vega-lite/v6.json",
		// Fixed margins: the places of axis and plot then depend on no text measurement, and stay the same.
		autosize: { type: "none" },
		padding,
		width: plot.x1 - plot.x0,
		height: plot.y1 - plot.y0,
		config: configFor(size),
		params: [...bound.values.keys()].map((name) => ({ name })),
		layer,
	};
	const svg = await rendered(spec, bound);
	return { width: size.width, height, plot, body: leanSvg(svg) };
}

function layersOf(chart: Chart, size: ChartSize, plot: Plot, bound: ChartValues): readonly object[] {
	switch (chart.kind) {
		case "time":
			return timeLayers(chart, size, plot, bound);
		case "curve":
			return curveLayers(chart, size, bound);
		case "dots":
			return dotLayers(chart, size, bound);
	}
}

async function rendered(spec: object, bound: ChartValues): Promise<string> {
	const view = new View(runtimeOf(spec), { renderer: "none" });
	try {
		bound.values.forEach((value, name) => void view.signal(name, value));
		bound.rows.forEach((rows, name) => void view.data(name, [...rows]));
		return await view.toSVG();
	} finally {
		view.finalize();
	}
}

function runtimeOf(spec: object): Runtime {
	const key = JSON.stringify(spec);
	const known = compiled.get(key);
	if (known !== undefined) {
		return known;
	}
	const runtime = parse(compile(spec as TopLevelSpec).spec);
	if (compiled.size < COMPILED_MAX) {
		compiled.set(key, runtime);
	}
	return runtime;
}

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
