import type { Series } from "../record/run-record.js";

/** How far from the capacity a sink's rate may be to count as settled. */
const BAND = 0.1;

/** What the rates did in a busy period. */
export interface Settling {
	/** Largest admitted rate over the capacity, less 1; 0: never above it. null: no busy period. */
	readonly overshoot: number | null;
	/** From its start until the durable rate stays within a tenth of the capacity for the rest of it; null: it never does. */
	readonly settlingSeconds: number | null;
}

/** Reads the whole buckets of a busy period of the ideal sink, in which it would store `capacityPerSecond` throughout. */
export function settlingOf(
	series: Series,
	capacityPerSecond: number,
	startSeconds: number,
	endSeconds: number,
): Settling {
	const { bucketSeconds } = series;
	const isWithin = (time: number) => time >= startSeconds && time + bucketSeconds <= endSeconds;
	const first = series.timeSeconds.findIndex(isWithin);
	if (first < 0) {
		return { overshoot: null, settlingSeconds: null };
	}
	const end = series.timeSeconds.findLastIndex(isWithin) + 1;
	const peak = series.admittedPerSecond.slice(first, end).reduce((x, y) => Math.max(x, y), 0);
	const overshoot = Math.max(0, peak / capacityPerSecond - 1);
	let settled = end;
	while (settled > first && isSettled(series.durablePerSecond[settled - 1] ?? 0, capacityPerSecond)) {
		settled--;
	}
	const settlingSeconds = settled === end ? null : (series.timeSeconds[settled] ?? 0) - startSeconds;
	return { overshoot, settlingSeconds };
}

function isSettled(rate: number, capacity: number): boolean {
	return Math.abs(rate / capacity - 1) <= BAND;
}
