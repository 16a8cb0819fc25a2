import { deflateSync } from "node:zlib";
import type { Series } from "../record/run-record.js";
import { type Chart, chartName } from "./chart-data.js";
import { type DrawnChart, drawChart } from "./chart-render.js";
import { SIZES } from "./chart-size.js";
import { ninesDomain } from "./curve-layers.js";
import type { ScenarioGroup } from "./grouping.js";
import { LIVE_COLUMNS, liveCharts } from "./live-charts.js";
import type { LabelledLive } from "./live-groups.js";
import { drawnRuns, type PlacedChart, scenarioCharts } from "./scenario-charts.js";

interface PanelModel {
	readonly id: string;
	readonly panel: string | null;
	readonly legend: readonly {
		readonly label: string;
		readonly colour: string;
		readonly dashed: boolean;
		/** Column of the series that the cursor reads out; null for a fixed line. */
		readonly source: string | null;
	}[];
	readonly quantity: string;
	/** The pictures' accessible name. */
	readonly said: string;
	/** The picture, once per paper width. */
	readonly svgHtml: readonly string[];
}

/** Panels that belong together under one title. */
export interface FigureModel {
	readonly id: string;
	readonly title: string;
	readonly caption: string;
	readonly size: PlacedChart["size"];
	readonly panels: readonly PanelModel[];
}

/** Every figure of a scenario with its pictures drawn. */
export function figuresOf(group: ScenarioGroup): Promise<readonly FigureModel[]> {
	return drawFigures(group.slug, scenarioCharts(group));
}

/** Every figure of a live run with its pictures drawn. */
export function liveFiguresOf(entry: LabelledLive): Promise<readonly FigureModel[]> {
	return drawFigures(entry.slug, liveCharts(entry));
}

/** Draws charts; small multiples are joined under one title. */
async function drawFigures(slug: string, charts: readonly PlacedChart[]): Promise<readonly FigureModel[]> {
	const figures: FigureModel[] = [];
	for (const placed of charts) {
		const panel = await panelOf(placed);
		const last = figures.at(-1);
		if (placed.size === "third" && last?.size === "third" && last.title === placed.chart.title) {
			figures[figures.length - 1] = { ...last, panels: [...last.panels, panel] };
		} else {
			const { title, caption } = placed.chart;
			figures.push({
				id: `${slug}-${placed.chart.topic}`,
				title,
				caption,
				size: placed.size,
				panels: [panel],
			});
		}
	}
	return figures;
}

async function panelOf({ chart, size }: PlacedChart): Promise<PanelModel> {
	const id = chartName(chart);
	const pictures = [svgOf(chart, await drawChart(chart, SIZES[size]), size === "third" ? "" : "broad")];
	if (size !== "third") {
		pictures.push(svgOf(chart, await drawChart(chart, SIZES.phone), "narrow"));
	}
	return {
		id,
		panel: chart.panel ?? null,
		quantity: chart.quantity,
		said: chart.description,
		legend: legendOf(chart),
		svgHtml: pictures,
	};
}

function legendOf(chart: Chart): PanelModel["legend"] {
	switch (chart.kind) {
		case "dots":
			return [];
		case "curve":
			return chart.curves.map(({ label, colour, dash }, index) => ({
				label,
				colour,
				dashed: dash !== undefined,
				source: `${chart.topic}.${index}`,
			}));
		case "time":
			return [
				...chart.lines.map(({ label, colour, dash, source }) => ({
					label,
					colour,
					dashed: dash !== undefined,
					source,
				})),
				...chart.rules.map(({ label, colour }) => ({ label, colour, dashed: true, source: null })),
			];
	}
}

/** A picture for the page: it grows with its column, has a name, which stands beside it once,, and says where its plot is. */
function svgOf(chart: Chart, drawn: DrawnChart, className: string): string {
	const { width, height, plot } = drawn;
	const ends =
		chart.kind === "time" ? [0, chart.endSeconds] : chart.kind === "curve" ? ninesDomain(chart) : null;
	const corners = [plot.x0, plot.x1, plot.y0, plot.y1].map((value) => Math.round(value * 10) / 10);
	const place =
		ends === null
			? ""
			: ` data-axis="${chart.kind}" data-plot="${corners.join(" ")}" data-ends="${ends.join(" ")}"`;
	return (
		`<svg class="${`chart ${className}`.trim()}" viewBox="0 0 ${width} ${height}" role="img" ` +
		`aria-labelledby="${chartName(chart)}--said"${place}>${drawn.body}</svg>`
	);
}

const COLUMNS = [
	"offeredPerSecond",
	"admittedPerSecond",
	"durablePerSecond",
	"duplicatesPerSecond",
	"helloPerSecond",
	"deferredPerSecond",
	"droppedPerSecond",
	"reachable",
	"online",
	"backlogReadings",
	"backlogBoundReadings",
	"liveP99Micros",
] as const satisfies readonly (keyof Series)[];

/** The series of the drawn runs for the cursor, as many digits as it shows: the page stays small, the record stays exact. */
export function packedSeries(group: ScenarioGroup): string {
	const runs = drawnRuns(group).map(({ run: { series } }) => ({
		bucketSeconds: series.bucketSeconds,
		startSeconds: series.timeSeconds[0] ?? 0,
		...Object.fromEntries(COLUMNS.map((column) => [column, series[column].map(threeDigits)])),
	}));
	const curves = scenarioCharts(group).flatMap(({ chart }) => (chart.kind === "curve" ? [chart] : []));
	const byTopic = curves.map(({ topic, curves: drawn }) => [
		topic,
		drawn.map(({ points }) => points.map(({ percent, value }) => [percent, threeDigits(value)])),
	]);
	return packed({ runs, curves: Object.fromEntries(byTopic) });
}

/** The series of a live run for the cursor, in the same shape. */
export function packedLiveSeries({ live: { series } }: LabelledLive): string {
	const columns = LIVE_COLUMNS.map((column) => [column, series[column].map(threeDigits)]);
	const { bucketSeconds, timeSeconds } = series;
	const runs = [{ bucketSeconds, startSeconds: timeSeconds[0] ?? 0, ...Object.fromEntries(columns) }];
	return packed({ runs, curves: {} });
}

/** JSON, deflated, in base64: a quarter of the bytes, and nothing for the browser to read until somebody points at a chart. */
function packed(value: unknown): string {
	return deflateSync(JSON.stringify(value), { level: 9 }).toString("base64");
}

function threeDigits(value: number | null): number | null {
	return value === null ? null : Number(value.toPrecision(3));
}
