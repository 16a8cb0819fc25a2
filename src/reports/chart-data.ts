/** How an axis writes its values, and which ticks suit it. */
export type Quantity = "count" | "rate" | "micros";

export interface Line {
	/** What the legend calls it. */
	readonly label: string;
	/** Where its values come from: the number of the run in its scenario, and the column of its series. */
	readonly source: string;
	readonly colour: string;
	readonly values: readonly (number | null)[];
	readonly timeSeconds: readonly number[];
	readonly bucketSeconds: number;
	readonly dash?: readonly number[];
	readonly width?: number;
	/** Fills down to the axis; ignored on a logarithmic axis, where an area means nothing. */
	readonly area?: boolean;
}

export interface Rule {
	readonly value: number;
	readonly label: string;
	readonly colour: string;
}

/** What a chart shows; with its owner the name of its file and its anchor. */
type Topic =
	| "backlog"
	| "flow"
	| "devices"
	| "live-p99"
	| "percentiles"
	| "connected"
	| "drops"
	| "policies"
	| "sessions"
	| "live-backlog"
	| "live-devices";

/** What all charts have. */
interface AnyChart {
	readonly topic: Topic;
	/** Slug of what it is about: the scenario, or one run in a panel of its own. */
	readonly owner: string;
	readonly title: string;
	/** What to see in it, one sentence. */
	readonly caption: string;
	/** The accessible name: what the picture shows, in words and figures. */
	readonly description: string;
	readonly quantity: Quantity;
	readonly logarithmic: boolean;
	/** Of the value axis; on a logarithmic one the lower end is where smaller values are drawn. */
	readonly domain: readonly [number, number];
	/** One of several panels of the same title, told apart by this. */
	readonly panel?: string;
}

export interface TimeChart extends AnyChart {
	readonly kind: "time";
	readonly lines: readonly Line[];
	readonly rules: readonly Rule[];
	readonly endSeconds: number;
}

/** A point with a name on a horizontal scale, one row a run. */
export interface DotRow {
	readonly label: string;
	readonly colour: string;
	/** Drawn hollow: the state to compare with. */
	readonly hollow: boolean;
	readonly dots: readonly { readonly value: number; readonly name: string }[];
	/** Written at the row's end. */
	readonly text: string;
}

export interface DotChart extends AnyChart {
	readonly kind: "dots";
	readonly rows: readonly DotRow[];
	/** Draw a line from the axis to the dot: for single counts, not for ranges. */
	readonly stems: boolean;
}

/** A distribution: what share of the values lies at or below each value. */
export interface Curve {
	readonly label: string;
	readonly colour: string;
	readonly width: number;
	readonly dash?: readonly number[];
	/** Rising percentages, below 100. */
	readonly points: readonly { readonly percent: number; readonly value: number }[];
}

/** Values over percentages, on an axis that gives each further nine the same room. */
export interface CurveChart extends AnyChart {
	readonly kind: "curve";
	readonly curves: readonly Curve[];
}

export type Chart = TimeChart | DotChart | CurveChart;

/** How many nines a percentage has: 90 has one, 99.9 three. */
export function ninesOf(percent: number): number {
	return -Math.log10(1 - percent / 100);
}

/** Name of a chart's file (without its ending) and of its anchor; unique within a record. */
export function chartName(chart: Chart): string {
	return `${chart.owner}-${chart.topic}`;
}

/** Above this ratio of largest to smallest, a linear axis would show one line and hide the rest. */
const LOGARITHMIC_RATIO = 5;

/** Decades below the reference that a logarithmic axis still shows. */
const LOGARITHMIC_DECADES = 3;

/**
 * The value axis for `values`, of which `reference` (the capacity) must stay readable: logarithmic when the largest
 * value dwarfs it.
 */
export function axisFor(
	values: Iterable<number | null>,
	reference: number,
): { readonly logarithmic: boolean; readonly domain: readonly [number, number] } {
	let top = reference;
	for (const value of values) {
		if (value !== null && value > top) {
			top = value;
		}
	}
	if (reference > 0 && top > reference * LOGARITHMIC_RATIO) {
		const floor = 10 ** (Math.floor(Math.log10(reference)) - LOGARITHMIC_DECADES + 1);
		return { logarithmic: true, domain: [floor, 10 ** (Math.ceil(Math.log10(top) * 4) / 4)] };
	}
	return { logarithmic: false, domain: [0, top > 0 ? top * 1.05 : 1] };
}

/** A logarithmic axis that holds every positive value; whole decades at both ends. */
export function logarithmicAxis(values: Iterable<number | null>): readonly [number, number] {
	let low = Number.POSITIVE_INFINITY;
	let high = 0;
	for (const value of values) {
		if (value !== null && value > 0) {
			low = Math.min(low, value);
			high = Math.max(high, value);
		}
	}
	if (high === 0) {
		return [1, 10];
	}
	const floor = 10 ** Math.floor(Math.log10(low));
	return [floor, Math.max(10 ** Math.ceil(Math.log10(high)), floor * 10)];
}

/**
 * At most `most` points that keep every peak and trough: the largest and the smallest of each stretch, in order, and the end.
 * Null (no data) stays where a whole stretch has none.
 */
export function thinned(
	points: readonly (readonly [number, number | null])[],
	most: number,
): readonly (readonly [number, number | null])[] {
	if (points.length <= most) {
		return points;
	}
	const stretches = Math.floor((most - 1) / 2);
	const kept: (readonly [number, number | null])[] = [];
	for (let stretch = 0; stretch < stretches; stretch++) {
		const from = Math.floor((stretch * points.length) / stretches);
		const to = Math.floor(((stretch + 1) * points.length) / stretches);
		const part = points.slice(from, to);
		const known = part.filter((point): point is readonly [number, number] => point[1] !== null);
		const first = part[0];
		if (first !== undefined && known.length === 0) {
			kept.push([first[0], null]);
			continue;
		}
		const low = known.reduce((best, point) => (point[1] < best[1] ? point : best));
		const high = known.reduce((best, point) => (point[1] > best[1] ? point : best));
		kept.push(...(low[0] === high[0] ? [low] : low[0] < high[0] ? [low, high] : [high, low]));
	}
	const end = points.at(-1);
	if (end !== undefined && kept.at(-1)?.[0] !== end[0]) {
		kept.push(end);
	}
	return kept;
}
