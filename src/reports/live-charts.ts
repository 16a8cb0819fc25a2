import { axisFor, type Line, type TimeChart } from "./chart-data.js";
import { formatCount } from "./format.js";
import type { LabelledLive } from "./live-groups.js";
import { ink } from "./palette.js";
import type { PlacedChart } from "./scenario-charts.js";

/** The columns of a live series that charts draw, in the order of their legend. */
export const LIVE_COLUMNS = [
	"backlogMeasured",
	"backlogPredicted",
	"onlineMeasured",
	"onlinePredicted",
] as const;

interface Course {
	readonly topic: "live-backlog" | "live-devices";
	readonly title: string;
	readonly caption: string;
	readonly measured: (typeof LIVE_COLUMNS)[number];
	readonly predicted: (typeof LIVE_COLUMNS)[number];
}

const COURSES: readonly Course[] = [
	{
		topic: "live-backlog",
		title: "Backlog still to be stored, live",
		caption: "Readings that reachable devices still owe: measured, and predicted (dashed).",
		measured: "backlogMeasured",
		predicted: "backlogPredicted",
	},
	{
		topic: "live-devices",
		title: "Devices with a session, live",
		caption: "Devices that are served: measured, and predicted (dashed).",
		measured: "onlineMeasured",
		predicted: "onlinePredicted",
	},
];

/** The charts of a live run; none without a series. */
export function liveCharts(entry: LabelledLive): readonly PlacedChart[] {
	const { series } = entry.live;
	return series.timeSeconds.length === 0
		? []
		: COURSES.map((course) => ({ chart: courseChart(entry, course), size: "half" }));
}

function courseChart(
	{ live, label, colour, slug }: LabelledLive,
	{ topic, title, caption, measured, predicted }: Course,
): TimeChart {
	const { series } = live;
	const { timeSeconds, bucketSeconds } = series;
	const line = (column: keyof typeof series & Course["measured"], style: Partial<Line>): Line => ({
		label: column === measured ? "measured" : "predicted",
		source: `0.${column}`,
		colour,
		values: series[column],
		timeSeconds,
		bucketSeconds,
		...style,
	});
	// The prediction is drawn last: where the two agree, the measured line would hide it.
	const lines = [
		line(measured, { width: 2.75 }),
		line(predicted, { colour: ink("ink"), dash: [3, 4], width: 1.25 }),
	];
	const peak = (column: Course["measured"]) =>
		formatCount(series[column].reduce<number>((top, value) => Math.max(top, value ?? 0), 0));
	return {
		kind: "time",
		topic,
		owner: slug,
		title,
		caption,
		description: `${title}, ${label}, over time: at most ${peak(measured)} measured, ${peak(predicted)} predicted.`,
		quantity: "count",
		...axisFor(
			lines.flatMap(({ values }) => [...values]),
			0,
		),
		lines,
		rules: [],
		endSeconds: (timeSeconds.at(-1) ?? 0) + bucketSeconds,
	};
}
