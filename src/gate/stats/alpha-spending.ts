import { normalDensity, normalQuantile, normalTail } from "./normal.js";

/**
 * How much of a one-sided error `alpha` may have been spent once the share `information` (0 to 1) of the samples is in: the
 * O'Brien-Fleming-like function of K. Lan and D. DeMets, "Discrete sequential boundaries for clinical trials", Biometrika 70
 * (1983), 659-663. Nearly nothing early, all of it at the end.
 */
export function spent(alpha: number, information: number): number {
	if (information >= 1) {
		return alpha;
	}
	return information <= 0 ? 0 : 2 * normalTail(normalQuantile(1 - alpha / 2) / Math.sqrt(information));
}

/** Places at which the density of the score is kept; Simpson's rule wants an even number of gaps. */
const GAPS = 400;
/** Standard deviations below zero at which the density is cut off. */
const DEPTH = 8;
/** A boundary above this is not crossed: the error that may be spent there is nothing. */
const HIGHEST_Z = 12;

/**
 * What a statistic that is standard normal at every look has to exceed at each, so that the chance of ever exceeding it under
 * the null is `alpha`, spent as `spent` says. `information`: shares of the samples that are in at the looks, rising to 1 at
 * most. The boundaries come out of the recursion of P. Armitage, C. McPherson and B. Rowe, "Repeated
 * significance tests on accumulating data", J. R. Stat. Soc. A 132 (1969), 235-244.
 */
export function boundaries(alpha: number, information: readonly number[]): number[] {
	const found: number[] = [];
	let density: Density | undefined;
	let before = 0;
	let errorSoFar = 0;
	for (const share of information) {
		const increment = Math.max(0, spent(alpha, share) - errorSoFar);
		const step = share - before;
		const z = boundaryOf(density, step, share, increment);
		errorSoFar += crossing(density, step, z * Math.sqrt(share));
		density = next(density, step, z * Math.sqrt(share), share);
		before = share;
		found.push(z);
	}
	return found;
}

/** The density of the score (Brownian motion observed at the looks) where no boundary has been crossed yet. */
interface Density {
	readonly from: number;
	readonly gap: number;
	readonly values: Float64Array;
}

function boundaryOf(density: Density | undefined, step: number, share: number, increment: number): number {
	let [low, high] = [-HIGHEST_Z, HIGHEST_Z];
	if (increment <= 0) {
		return high;
	}
	for (let turn = 0; turn < 60; turn++) {
		const middle = (low + high) / 2;
		if (crossing(density, step, middle * Math.sqrt(share)) > increment) {
			low = middle;
		} else {
			high = middle;
		}
	}
	return high;
}

/** The chance that the score, not over before, is above `score` after another `step` of information. */
function crossing(density: Density | undefined, step: number, score: number): number {
	const spread = Math.sqrt(step);
	return density === undefined
		? normalTail(score / spread)
		: integral(density, (from) => normalTail((score - from) / spread));
}

function next(density: Density | undefined, step: number, highest: number, share: number): Density {
	const from = -DEPTH * Math.sqrt(share);
	const gap = (highest - from) / GAPS;
	const spread = Math.sqrt(step);
	const values = Float64Array.from({ length: GAPS + 1 }, (_, n) => {
		const score = from + n * gap;
		return density === undefined
			? normalDensity(score / spread) / spread
			: integral(density, (origin) => normalDensity((score - origin) / spread)) / spread;
	});
	return { from, gap, values };
}

/** Simpson's rule over the density times `weight`. */
function integral({ from, gap, values }: Density, weight: (score: number) => number): number {
	let sum = 0;
	for (let n = 0; n <= GAPS; n++) {
		const factor = n === 0 || n === GAPS ? 1 : n % 2 === 0 ? 2 : 4;
		sum += factor * (values[n] as number) * weight(from + n * gap);
	}
	return (sum * gap) / 3;
}
