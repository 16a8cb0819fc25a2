import { describe, expect, it } from "vitest";
import {
	PURPOSE_BOOT,
	PURPOSE_COMMIT,
	PURPOSE_DOWNLINK,
	PURPOSE_SPREAD,
	PURPOSE_UPLINK,
	Streams,
} from "../../src/engine/streams.js";

const PURPOSES = [PURPOSE_UPLINK, PURPOSE_DOWNLINK, PURPOSE_BOOT, PURPOSE_COMMIT, PURPOSE_SPREAD];

/** Chi-squared of counts that should be equal. */
function chiSquared(counts: Iterable<number>): number {
	const all = [...counts];
	const mean = all.reduce((x, y) => x + y, 0) / all.length;
	return all.reduce((sum, n) => sum + (n - mean) ** 2 / mean, 0);
}

/** Counts of draws over `bins`, 32 bits each. */
function histogram(bins: number, draws: readonly number[]): number[] {
	const counts = new Array<number>(bins).fill(0);
	for (const bits of draws) {
		const bin = Math.floor((bits / 0x1_0000_0000) * bins);
		counts[bin] = (counts[bin] ?? 0) + 1;
	}
	return counts;
}

/** 1 in 10^6 by chance: mean of chi-squared plus five standard deviations. */
function isEven(counts: readonly number[]): boolean {
	const freedom = counts.length - 1;
	return chiSquared(counts) < freedom + 5 * Math.sqrt(2 * freedom);
}

describe("the random streams", () => {
	it("give the same draw whatever was drawn before, and another for another seed", () => {
		const one = new Streams("a");
		const other = new Streams("a");
		const coordinates = Array.from({ length: 500 }, (_, n) => [n % 5, n * 17, n * 60_000, n - 250] as const);
		const forward = coordinates.map(([p, e, t, n]) => one.draw(p, e, t, n));
		const backward = [...coordinates].reverse().map(([p, e, t, n]) => other.draw(p, e, t, n));
		expect(backward.reverse()).toEqual(forward);
		const strange = new Streams("b");
		const same = coordinates.filter(([p, e, t, n], k) => strange.draw(p, e, t, n) === forward[k]);
		expect(same).toEqual([]);
		expect([strange.keyLow, strange.keyHigh]).not.toEqual([one.keyLow, one.keyHigh]);
	});

	it("depend on every coordinate, high halves of the time included", () => {
		const s = new Streams("c");
		const base = s.draw(1, 2, 3, 4);
		expect(s.draw(2, 2, 3, 4)).not.toBe(base);
		expect(s.draw(1, 3, 3, 4)).not.toBe(base);
		expect(s.draw(1, 2, 4, 4)).not.toBe(base);
		expect(s.draw(1, 2, 3 + 2 ** 32, 4)).not.toBe(base);
		expect(s.draw(1, 2, 3 + 2 ** 52, 4)).not.toBe(base);
		expect(s.draw(1, 2, 3, 5)).not.toBe(base);
		expect(s.draw(1, 2, 3, -4)).not.toBe(base);
	});

	it.each(PURPOSES)("are even over devices, times and counters (purpose %i)", (purpose) => {
		const s = new Streams("even");
		const byDevice = Array.from({ length: 20_000 }, (_, device) => s.draw(purpose, device, 60_000, 0));
		const byTime = Array.from({ length: 20_000 }, (_, n) => s.draw(purpose, 7, n * 60_000, 0));
		const byBlock = Array.from({ length: 20_000 }, (_, n) =>
			s.draw(purpose, n % 100, Math.floor(n / 100), -1),
		);
		const byCounter = Array.from({ length: 20_000 }, (_, n) => s.draw(purpose, 7, 1e9, n));
		for (const draws of [byDevice, byTime, byBlock, byCounter]) {
			expect(isEven(histogram(64, draws))).toBe(true);
			expect(draws.every((bits) => Number.isInteger(bits) && bits >= 0 && bits < 2 ** 32)).toBe(true);
		}
	});

	it("do not tell one draw from its neighbour's", () => {
		const s = new Streams("pairs");
		const pairs = (next: (n: number) => [number, number]) => {
			const counts = new Array<number>(64).fill(0);
			for (let n = 0; n < 40_000; n++) {
				const [x, y] = next(n);
				const bin = Math.floor(x / 2 ** 29) * 8 + Math.floor(y / 2 ** 29);
				counts[bin] = (counts[bin] ?? 0) + 1;
			}
			return counts;
		};
		const ways: ((n: number) => [number, number])[] = [
			(n) => [s.draw(1, n, 5, 0), s.draw(1, n + 1, 5, 0)],
			(n) => [s.draw(1, 5, n, 0), s.draw(1, 5, n + 1, 0)],
			(n) => [s.draw(1, 5, n, 0), s.draw(1, 5, n, 1)],
			(n) => [s.draw(1, n, 5, 0), s.draw(2, n, 5, 0)],
		];
		expect(ways.map((way) => isEven(pairs(way)))).toEqual([true, true, true, true]);
	});

	it("draw whole numbers below a bound, evenly", () => {
		const s = new Streams("below");
		for (const bound of [1, 2, 7, 1_000, 2 ** 31]) {
			const draws = Array.from({ length: 7_000 }, (_, n) => s.below(bound, PURPOSE_BOOT, n, 0, 0));
			expect(draws.every((x) => Number.isInteger(x) && x >= 0 && x < bound)).toBe(true);
		}
		const sevens = new Array<number>(7).fill(0);
		for (let n = 0; n < 70_000; n++) {
			const drawn = s.below(7, PURPOSE_BOOT, n, 0, 0);
			sevens[drawn] = (sevens[drawn] ?? 0) + 1;
		}
		expect(isEven(sevens)).toBe(true);
	});
});
