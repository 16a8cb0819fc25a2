import seedrandom from "seedrandom";
import { quantileSorted } from "simple-statistics";
import { studentQuantile } from "./normal.js";

/** Share of the values that is cut off at either end: R. Wilcox, "Introduction to Robust Estimation and Hypothesis Testing". */
const TRIM = 0.2;
/** Draws of the bootstrap. */
const DRAWS = 2_000;
/** A quantile of the draws is taken from so many draws beyond it at least. */
const DRAWS_BEYOND_MIN = 10;
/** Standard errors: no interval is wider, so that a spread of nothing stays nothing. */
const FARTHEST = 1e6;
/** Fewer blocks say nothing about their own spread. */
export const BLOCKS_MIN = 6;

/**
 * What is known about the true location of a sample: a point, and how far away from it the truth may be at a given
 * probability of error.
 */
export interface Estimate {
	/** The trimmed mean. */
	readonly location: number;
	readonly standardError: number;
	/** The truth is below this with a chance of `error` only. */
	lower(error: number): number;
	/** The truth is above this with a chance of `error` only. */
	upper(error: number): number;
}

/**
 * Estimates a location from blocks of values; values of one block belong together, so blocks are what is drawn again. The
 * bootstrap-t of the 20 % trimmed mean with the standard error of J. Tukey and D. McLaughlin (1963), as recommended by R. Wilcox for
 * samples with outliers. Levels too small for the number of draws are read off a t distribution that is
 * scaled to the smallest level which the draws still show. Same blocks and seed, same answer. All blocks have the same
 * number of values, and there are at least `BLOCKS_MIN` of them; anything else is a bug in the caller.
 */
export function estimate(blocks: readonly (readonly number[])[], seed: string): Estimate {
	const sample = new Sample(blocks);
	const all = new Float64Array(blocks.length).fill(1);
	const { location, standardError } = sample.describe(all);
	const chance = seedrandom.alea(seed);
	const ratios = new Float64Array(DRAWS);
	const times = new Float64Array(blocks.length);
	for (let draw = 0; draw < DRAWS; draw++) {
		times.fill(0);
		for (let n = 0; n < blocks.length; n++) {
			const block = Math.floor(chance() * blocks.length);
			times[block] = (times[block] as number) + 1;
		}
		const drawn = sample.describe(times);
		// A draw without spread is one block many times over: as far away as can be, on the side where it lies.
		const off = drawn.location - location;
		ratios[draw] = Math.max(-FARTHEST, Math.min(FARTHEST, off === 0 ? 0 : off / drawn.standardError));
	}
	const above = [...ratios.sort()];
	const below = above.map((ratio) => -ratio).reverse();
	const degrees = Math.max(1, blocks.length - 2 * Math.floor(TRIM * blocks.length) - 1);
	return {
		location,
		standardError,
		lower: (error) => location - standardError * reach(above, error, degrees),
		upper: (error) => location + standardError * reach(below, error, degrees),
	};
}

/** How many standard errors the upper tail of the draws reaches at a level. */
function reach(sorted: number[], error: number, degrees: number): number {
	if (!(error > 0)) {
		return FARTHEST;
	}
	const least = DRAWS_BEYOND_MIN / DRAWS;
	const shown = quantileSorted(sorted, 1 - Math.max(error, least));
	if (error >= least) {
		return shown;
	}
	return (shown * studentQuantile(1 - error, degrees)) / studentQuantile(1 - least, degrees);
}

/** The values of a sample, sorted once: a draw only says how often each block counts. */
class Sample {
	private readonly values: Float64Array;
	private readonly owners: Uint32Array;
	private readonly sums: Float64Array;
	private readonly perBlock: number;

	constructor(private readonly blocks: readonly (readonly number[])[]) {
		this.perBlock = blocks[0]?.length ?? 0;
		if (blocks.length < BLOCKS_MIN || this.perBlock === 0) {
			throw new RangeError(`${blocks.length} blocks of ${this.perBlock} values are no sample`);
		}
		const sorted = blocks.flatMap((block, owner) => {
			if (block.length !== this.perBlock) {
				throw new RangeError("blocks must have the same number of values");
			}
			return block.map((value) => [value, owner] as const);
		});
		sorted.sort(([x], [y]) => x - y);
		this.values = Float64Array.from(sorted, ([value]) => value);
		this.owners = Uint32Array.from(sorted, ([, owner]) => owner);
		this.sums = new Float64Array(blocks.length);
	}

	/** Trimmed mean and its standard error where block `n` counts `times[n]` times. */
	describe(times: Float64Array): { location: number; standardError: number } {
		const { values, owners, blocks, perBlock } = this;
		const total = blocks.length * perBlock;
		const cut = Math.floor(TRIM * total);
		let [passed, sum] = [0, 0];
		let [low, high] = [Number.NaN, Number.NaN];
		for (let n = 0; n < values.length; n++) {
			const count = times[owners[n] as number] as number;
			if (count === 0) {
				continue;
			}
			const value = values[n] as number;
			const inside = Math.min(passed + count, total - cut) - Math.max(passed, cut);
			passed += count;
			if (inside > 0) {
				low = Number.isNaN(low) ? value : low;
				high = value;
				sum += inside * value;
			}
		}
		const location = sum / (total - 2 * cut);
		return { location, standardError: this.errorOf(times, low, high) };
	}

	/** Of the block means, values beyond the cuts drawn in to them. */
	private errorOf(times: Float64Array, low: number, high: number): number {
		const { values, owners, sums, blocks, perBlock } = this;
		sums.fill(0);
		for (let n = 0; n < values.length; n++) {
			const owner = owners[n] as number;
			sums[owner] = (sums[owner] as number) + Math.min(high, Math.max(low, values[n] as number));
		}
		const count = blocks.length;
		let mean = 0;
		for (let n = 0; n < count; n++) {
			mean += ((times[n] as number) * (sums[n] as number)) / (perBlock * count);
		}
		let squares = 0;
		for (let n = 0; n < count; n++) {
			squares += (times[n] as number) * ((sums[n] as number) / perBlock - mean) ** 2;
		}
		return Math.sqrt(squares / (count - 1) / count) / (1 - 2 * TRIM);
	}
}
