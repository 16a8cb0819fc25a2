/** A distribution given by four quantiles. */
export interface LatencyQuantiles {
	readonly minMicros: number;
	readonly medianMicros: number;
	readonly p99Micros: number;
	readonly maxMicros: number;
}

const ENTRIES = 1000;

/**
 * Latencies drawn by table look-up: the inverse of a distribution that is linear between its minimum, median, 99th
 * percentile and maximum. A table of integers, so that no runtime's mathematics can change a draw.
 */
export class QuantileTable {
	private readonly table = new Float64Array(ENTRIES);

	constructor(readonly quantiles: LatencyQuantiles) {
		const { minMicros, medianMicros, p99Micros, maxMicros } = quantiles;
		for (let n = 0; n < ENTRIES; n++) {
			const permille = n + 1;
			this.table[n] =
				permille <= 500
					? between(minMicros, medianMicros, permille, 500)
					: permille <= 990
						? between(medianMicros, p99Micros, permille - 500, 490)
						: between(p99Micros, maxMicros, permille - 990, 10);
		}
	}

	/** The latency for 32 uniform bits, whole microseconds, at least the minimum. */
	at(bits: number): number {
		return this.table[Math.floor((bits / 0x1_0000_0000) * ENTRIES)] as number;
	}
}

function between(low: number, high: number, step: number, steps: number): number {
	return low + Math.floor(((high - low) * step) / steps);
}
