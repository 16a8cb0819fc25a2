import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { QuantileTable } from "../../src/engine/quantile-table.js";
import { LINK_PROFILES } from "../../src/scenarios/link-profiles.js";

const TOP = 0xffff_ffff;

/** The value below or at which `share` of all draws lie, over an even grid of draws. */
function quantileOf(table: QuantileTable, share: number): number {
	return table.at(Math.floor((share - 0.0005) * (TOP + 1)));
}

const quantiles = fc
	.tuple(
		fc.integer({ min: 1, max: 300_000 }),
		fc.integer({ min: 1, max: 1_000_000 }),
		fc.integer({ min: 1, max: 5_000_000 }),
		fc.integer({ min: 1, max: 60_000_000 }),
	)
	.map(([min, a, b, c]) => ({
		minMicros: min,
		medianMicros: min + a,
		p99Micros: min + a + b,
		maxMicros: min + a + b + c,
	}));

describe("a table of latencies", () => {
	it("reproduces its four quantiles, rises, and never goes below its minimum", () => {
		fc.assert(
			fc.property(quantiles, (q) => {
				const table = new QuantileTable(q);
				expect(quantileOf(table, 0.5)).toBe(q.medianMicros);
				expect(quantileOf(table, 0.99)).toBe(q.p99Micros);
				expect(table.at(TOP)).toBe(q.maxMicros);
				// The first of a thousand steps: the minimum to within a 500th of the way to the median.
				expect(table.at(0) - q.minMicros).toBeLessThanOrEqual((q.medianMicros - q.minMicros) / 500);
				const grid = Array.from({ length: 1_001 }, (_, n) =>
					Math.min(TOP, Math.floor((n / 1_000) * (TOP + 1))),
				);
				const values = [q.minMicros, ...grid.map((bits) => table.at(bits))];
				const bad = values.find((v, n) => !Number.isInteger(v) || v < (values[n - 1] ?? 0));
				expect(bad).toBe(undefined);
			}),
			{ numRuns: 100, seed: 4 },
		);
	});

	// A cable in a laboratory has one latency, and no shares.
	const spread = Object.values(LINK_PROFILES).filter(({ name }) => name !== "lab");

	it.each(spread)("draws the share of slow frames that $name says", (profile) => {
		const table = new QuantileTable(profile);
		const draws = Array.from({ length: 10_000 }, (_, n) => table.at((n / 10_000) * (TOP + 1)));
		const below = (limit: number) => draws.filter((value) => value <= limit).length / draws.length;
		expect(below(profile.medianMicros)).toBeCloseTo(0.5, 2);
		expect(below(profile.p99Micros)).toBeCloseTo(0.99, 2);
		expect(below(profile.maxMicros)).toBe(1);
	});

	it("does with four equal quantiles", () => {
		const table = new QuantileTable({ minMicros: 7, medianMicros: 7, p99Micros: 7, maxMicros: 7 });
		expect([table.at(0), table.at(TOP)]).toEqual([7, 7]);
	});
});
