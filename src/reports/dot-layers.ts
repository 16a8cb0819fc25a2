import { valueChannel } from "./chart-channel.js";
import type { DotChart } from "./chart-data.js";
import { type ChartSize, textWidth } from "./chart-size.js";
import type { ChartValues } from "./chart-values.js";
import { ink } from "./palette.js";

/** Vega would measure and cut by itself, but without a canvas it takes texts for half as wide again. */
function shortened(text: string, room: number, fontSize: number): string {
	const most = Math.max(Math.floor(room / textWidth("x", fontSize)), 3);
	return text.length <= most + 1 ? text : `${text.slice(0, most - 1)}…`;
}

/** Room for the names of the rows. */
export function dotMargin(chart: DotChart, size: ChartSize): number {
	const widest = Math.max(...chart.rows.map((row) => textWidth(row.label, size.fontSize)), 20);
	return Math.min(widest + 16, size.width * 0.45);
}

/** Room for the texts at the rows' ends. */
export function textMargin(chart: DotChart, size: ChartSize): number {
	return Math.max(...chart.rows.map((row) => textWidth(row.text, size.fontSize)), 4) + 16;
}

/** A colour that a row of data names itself. */
const asNamed = (field: string) => ({ field, type: "nominal", scale: null, legend: null });

/** The layers of a chart with a row a run, as Vega-Lite has them. */
export function dotLayers(chart: DotChart, size: ChartSize, bound: ChartValues): readonly object[] {
	const room = dotMargin(chart, size) - 16;
	const names = chart.rows.map(({ label }) => shortened(label, room, size.fontSize));
	const y = {
		field: "row",
		type: "nominal",
		scale: { domain: chart.rows.map((_row, index) => String(index)) },
		sort: null,
		axis: {
			labelExpr: `${bound.name(names)}[datum.value]`,
			labelColor: ink("ink"),
			labelLimit: 0,
			grid: false,
		},
	};
	const x = valueChannel(chart, size, "x", bound);
	const [low, high] = chart.domain;
	const rows = chart.rows.map((row, index) => {
		const shown = row.dots.filter((dot) => dot.value > 0 || !chart.logarithmic);
		const places = shown.map((dot) => Math.min(Math.max(dot.value, low), high));
		return { ...row, places, row: String(index), fill: row.hollow ? ink("paper") : row.colour };
	});
	return [
		{
			data: bound.data(
				rows.flatMap(({ row, colour, places }) => {
					const [first, last] = [chart.stems ? low : places[0], places.at(-1)];
					return last === undefined ? [] : [{ row, colour, x: first, x2: last }];
				}),
			),
			mark: { type: "rule", strokeWidth: 2.5, opacity: 0.45 },
			encoding: { x, x2: { field: "x2" }, y, color: asNamed("colour") },
		},
		{
			data: bound.data(
				rows.flatMap(({ row, colour, fill, places }) =>
					places.map((place) => ({ row, colour, fill, x: place })),
				),
			),
			mark: { type: "point", filled: true, strokeWidth: 1.75, size: 62, opacity: 1 },
			encoding: { x, y, fill: asNamed("fill"), stroke: asNamed("colour") },
		},
		{
			data: bound.data(rows.map(({ row, text }) => ({ row, text }))),
			mark: { type: "text", align: "left", color: ink("ink") },
			encoding: {
				x: { value: size.width - dotMargin(chart, size) - textMargin(chart, size) + 12 },
				y,
				text: { field: "text", type: "nominal" },
			},
		},
	];
}
