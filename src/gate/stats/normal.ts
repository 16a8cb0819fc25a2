/**
 * The standard normal distribution. simple-statistics has it from a table and from a rough inverse,
 * too coarse for the small probabilities of early looks.
 */

const SQRT_TWO_PI = Math.sqrt(2 * Math.PI);
/** Beyond this the upper tail is below the smallest double. */
const FARTHEST = 37;

/**
 * P(Z <= z). G. West, "Better approximations to cumulative normal functions", Wilmott Magazine (2005), after J. Hart's
 * algorithm 5666: relative error below 1e-8, however small the probability.
 */
export function normalCdf(z: number): number {
	const upper = upperTail(Math.abs(z));
	return z > 0 ? 1 - upper : upper;
}

/** P(Z > z), accurate where it is tiny. */
export function normalTail(z: number): number {
	return normalCdf(-z);
}

const NUMERATOR = [
	3.52624965998911e-2, 0.700383064443688, 6.37396220353165, 33.912866078383, 112.079291497871,
	221.213596169931, 220.206867912376,
];
const DENOMINATOR = [
	8.83883476483184e-2, 1.75566716318264, 16.064177579207, 86.7807322029461, 296.564248779674,
	637.333633378831, 793.826512519948, 440.413735824752,
];

function upperTail(x: number): number {
	if (x > FARTHEST) {
		return 0;
	}
	const density = Math.exp((-x * x) / 2);
	if (x < 7.071_067_811_865_475) {
		return (density * polynomial(NUMERATOR, x)) / polynomial(DENOMINATOR, x);
	}
	// A continued fraction, five steps deep.
	const fraction = x + 1 / (x + 2 / (x + 3 / (x + 4 / (x + 0.65))));
	return density / fraction / SQRT_TWO_PI;
}

/** Highest power first. */
function polynomial(coefficients: readonly number[], x: number): number {
	return coefficients.reduce((sum, coefficient) => sum * x + coefficient, 0);
}

/** The density at `z`. */
export function normalDensity(z: number): number {
	return Math.exp((-z * z) / 2) / SQRT_TWO_PI;
}

/**
 * The z with P(Z <= z) = p, for p in (0, 1): bisection on the distribution above, accurate wherever that is. Throws on any
 * other p, which is a bug in the caller.
 */
export function normalQuantile(p: number): number {
	if (!(p > 0 && p < 1)) {
		throw new RangeError(`a probability must lie within 0 and 1: ${p}`);
	}
	if (p > 0.5) {
		return -normalQuantile(1 - p);
	}
	let [low, high] = [-FARTHEST, 0];
	for (let step = 0; step < 200 && high - low > 1e-15 * Math.max(1, -low); step++) {
		const middle = (low + high) / 2;
		if (normalCdf(middle) < p) {
			low = middle;
		} else {
			high = middle;
		}
	}
	return (low + high) / 2;
}

/**
 * Student's t quantile for `degrees` of freedom out of the normal one: the Cornish-Fisher expansion, Abramowitz and Stegun
 * 26.7.5. Good to three digits from five degrees on.
 */
export function studentQuantile(p: number, degrees: number): number {
	const z = normalQuantile(p);
	const [z2, n] = [z * z, degrees];
	const first = (z * (z2 + 1)) / 4;
	const second = (z * (5 * z2 * z2 + 16 * z2 + 3)) / 96;
	const third = (z * (3 * z2 ** 3 + 19 * z2 * z2 + 17 * z2 - 15)) / 384;
	return z + first / n + second / n ** 2 + third / n ** 3;
}
