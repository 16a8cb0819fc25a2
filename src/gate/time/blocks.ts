/** Who is measured: the base, the candidate, and the base once more, to see what the machine makes of no difference at all. */
export type Arm = "base" | "candidate" | "again";

/**
 * A block of samples: there and back (ABBA, with the base on both sides of the candidate), so that a drift falls on all arms
 * alike.
 */
export const BLOCK: readonly Arm[] = ["base", "candidate", "again", "again", "candidate", "base"];

/** Places of neighbours in the block whose ratio compares candidate to base: as often before it as after it. */
const PAIRS: readonly (readonly [base: number, candidate: number])[] = [
	[0, 1],
	[2, 1],
	[3, 4],
	[5, 4],
];

/** The same for base against base. */
const FLOOR_PAIRS: readonly (readonly [number, number])[] = [
	[0, 2],
	[5, 3],
];

/**
 * Logarithms of how much slower the candidate is, one a pair. `values`: a block's samples in the order of `BLOCK`, all above 0;
 * `higherIsBetter`: of a rate, more is faster.
 */
export function slowdowns(values: readonly number[], higherIsBetter: boolean): number[] {
	return logRatios(values, PAIRS, higherIsBetter);
}

/** The same for base against base. */
export function floorRatios(values: readonly number[], higherIsBetter: boolean): number[] {
	return logRatios(values, FLOOR_PAIRS, higherIsBetter);
}

function logRatios(
	values: readonly number[],
	pairs: readonly (readonly [number, number])[],
	higherIsBetter: boolean,
): number[] {
	const sign = higherIsBetter ? -1 : 1;
	return pairs.map(([from, to]) => sign * Math.log((values[to] as number) / (values[from] as number)));
}
