import type { Quantity } from "./chart-data.js";
import { formatCount, formatMicros } from "./format.js";

/** The unit that the time axis counts in, chosen by the length of the run. */
export interface TimeUnit {
	readonly seconds: number;
	readonly name: string;
	readonly symbol: string;
}

const TIME_UNITS: readonly TimeUnit[] = [
	{ seconds: 3_600, name: "hours", symbol: "h" },
	{ seconds: 60, name: "minutes", symbol: "min" },
	{ seconds: 1, name: "seconds", symbol: "s" },
];

const STEPS: Readonly<Record<string, readonly number[]>> = {
	h: [1, 2, 3, 6, 12, 24, 48, 96, 168, 336, 720, 1_440, 2_880, 8_760],
	min: [1, 2, 5, 10, 15, 30, 60],
	s: [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60],
};

export function timeUnit(endSeconds: number): TimeUnit {
	const unit = TIME_UNITS.find((candidate) => endSeconds >= 3 * candidate.seconds);
	return unit ?? (TIME_UNITS.at(-1) as TimeUnit);
}

/** Ticks at steps that people count in: 6, 12, 24 hours; at most `most` of them after zero. */
export function timeTicks(endSeconds: number, unit: TimeUnit, most: number): readonly number[] {
	const end = endSeconds / unit.seconds;
	const steps = STEPS[unit.symbol] ?? [];
	const step = steps.find((candidate) => end / candidate <= most) ?? end / most;
	const ticks: number[] = [];
	for (let index = 0; index * step <= end * 1.000_001; index++) {
		ticks.push(Number((index * step).toPrecision(6)));
	}
	return ticks;
}

/** Microseconds where a logarithmic axis of durations is best labelled: 1 ms … 1 s, 1 min, 1 h, 1 d. */
const DURATION_TICKS = [
	1, 10, 100, 1e3, 1e4, 1e5, 1e6, 1e7, 6e7, 6e8, 3.6e9, 3.6e10, 3.6e11, 3.6e12,
] as const;

/** Labelled values of a value axis. */
export function valueTicks(
	quantity: Quantity,
	logarithmic: boolean,
	domain: readonly [number, number],
	most: number,
): readonly number[] {
	const [low, high] = domain;
	if (!logarithmic) {
		return linearTicks(low, high, most);
	}
	if (quantity === "micros") {
		return spread(
			DURATION_TICKS.filter((tick) => tick >= low * 0.999 && tick <= high * 1.001),
			most,
		);
	}
	const decades: number[] = [];
	for (let power = Math.ceil(Math.log10(low) - 1e-9); power <= Math.log10(high) + 1e-9; power++) {
		decades.push(10 ** power);
	}
	return spread(decades, most);
}

function linearTicks(low: number, high: number, most: number): readonly number[] {
	const rough = (high - low) / most;
	const power = 10 ** Math.floor(Math.log10(rough));
	const step = ([1, 2, 2.5, 5, 10].find((factor) => factor * power >= rough) ?? 10) * power;
	const ticks: number[] = [];
	for (let index = Math.ceil(low / step); index * step <= high * 1.000_001; index++) {
		ticks.push(Number((index * step).toPrecision(12)));
	}
	return ticks;
}

/** Every tick, or every second or third, so that no more than `most` remain. */
function spread(ticks: readonly number[], most: number): readonly number[] {
	const every = Math.max(Math.ceil(ticks.length / most), 1);
	return ticks.filter((_tick, index) => index % every === 0);
}

const WHOLE_DURATIONS: ReadonlyMap<number, string> = new Map([
	[6e7, "1 min"],
	[3.6e9, "1 h"],
]);

/** A value as the axis writes it: short, the unit said once in the title. */
export function axisLabel(quantity: Quantity, value: number): string {
	const whole = WHOLE_DURATIONS.get(value);
	return quantity === "micros" ? (whole ?? formatMicros(value)) : formatCount(value);
}
