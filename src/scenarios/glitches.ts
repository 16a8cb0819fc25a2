/** Snapshots on either side that vouch for the one between. */
const NEIGHBOURS = 3;
const LOW_FACTOR = 0.95;
const HIGH_FACTOR = 1.05;
const HIGH_MARGIN = 2_000;

/**
 * Marks the values that a feed cannot have meant: below 95 % of the medians of both the three values before and the three
 * after, or above 105 % + 2,000 of both. Real outages do not end and come again within a snapshot; feeds lose regions.
 */
export function glitchFlags(values: readonly number[]): boolean[] {
	return values.map((value, index) => {
		const before = median(values.slice(Math.max(0, index - NEIGHBOURS), index));
		const after = median(values.slice(index + 1, index + 1 + NEIGHBOURS));
		if (before === undefined || after === undefined) {
			return false;
		}
		const low = value < LOW_FACTOR * before && value < LOW_FACTOR * after;
		const high = value > HIGH_FACTOR * before + HIGH_MARGIN && value > HIGH_FACTOR * after + HIGH_MARGIN;
		return low || high;
	});
}

function median(values: readonly number[]): number | undefined {
	const sorted = [...values].sort((a, b) => a - b);
	const middle = sorted.length / 2;
	const [low, high] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]];
	return low === undefined || high === undefined ? undefined : (low + high) / 2;
}
