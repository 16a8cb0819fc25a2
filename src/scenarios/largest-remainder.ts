/**
 * Shares out `total` in proportion to `weights`, in whole numbers that sum up exactly: each gets its quota rounded down,
 * and what is left goes to the largest remainders (equal ones: to the first). All weights 0: everything to the first.
 * Weights and total are whole numbers from 0 to 2^26.
 */
export function largestRemainder(weights: readonly number[], total: number): number[] {
	const sum = weights.reduce((a, b) => a + b, 0);
	if (sum === 0) {
		return weights.map((_, index) => (index === 0 ? total : 0));
	}
	// Products stay below 2^53, so quotients and remainders are exact.
	const quotas = weights.map((weight) => Math.floor((weight * total) / sum));
	const remainders = weights.map((weight, index) => weight * total - (quotas[index] ?? 0) * sum);
	const order = weights
		.map((_, index) => index)
		.sort((a, b) => (remainders[b] ?? 0) - (remainders[a] ?? 0) || a - b);
	const left = total - quotas.reduce((a, b) => a + b, 0);
	for (const index of order.slice(0, left)) {
		quotas[index] = (quotas[index] ?? 0) + 1;
	}
	return quotas;
}
