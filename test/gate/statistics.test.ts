import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { boundaries, spent } from "../../src/gate/stats/alpha-spending.js";
import { BLOCKS_MIN, estimate } from "../../src/gate/stats/bootstrap.js";
import { holm } from "../../src/gate/stats/holm.js";
import { normalCdf, normalQuantile, normalTail, studentQuantile } from "../../src/gate/stats/normal.js";
import { BLOCK, floorRatios, slowdowns } from "../../src/gate/time/blocks.js";
import { Chance } from "./chance.js";

describe("the normal distribution", () => {
	it.each([
		[0, 0.5],
		[1.959963984540054, 0.975],
		[-3, 1.349898031630095e-3],
		[-6, 9.865876450376981e-10],
		[-10, 7.619853024160527e-24],
	])("P(Z <= %d)", (z, p) => {
		expect(normalCdf(z) / p).toBeCloseTo(1, 8);
	});

	it("has a quantile that inverts it", () => {
		fc.assert(
			fc.property(fc.double({ min: 1e-12, max: 1 - 1e-12, noNaN: true }), (p) => {
				expect(Math.abs(normalCdf(normalQuantile(p)) - p)).toBeLessThan(1e-12);
			}),
		);
		expect(() => normalQuantile(0)).toThrow(RangeError);
		expect(normalTail(3)).toBeCloseTo(1.349898031630095e-3, 12);
	});

	// Values of any table of Student's t.
	it.each([
		[0.975, 10, 2.2281],
		[0.95, 20, 1.7247],
		[0.995, 8, 3.3554],
		[0.999, 30, 3.3852],
	])("t quantile %d with %d degrees", (p, degrees, t) => {
		expect(Math.abs(studentQuantile(p, degrees) - t)).toBeLessThan(0.01);
	});
});

describe("alpha spending", () => {
	it("spends nothing at first, all of it at the end, and never takes back", () => {
		expect(spent(0.05, 0)).toBe(0);
		expect(spent(0.05, 1)).toBe(0.05);
		fc.assert(
			fc.property(
				fc.double({ min: 0, max: 1, noNaN: true }),
				fc.double({ min: 0, max: 1, noNaN: true }),
				(x, y) => {
					// The normal distribution's rounding, in shares of the samples that differ by as little.
					const rounding = 1e-12;
					expect(spent(0.05, Math.min(x, y))).toBeLessThanOrEqual(spent(0.05, Math.max(x, y)) + rounding);
				},
			),
		);
	});

	// Lan and DeMets' program, one-sided 0.025, five equal looks: 4.8769 3.3569 2.6803 2.2898 2.0310.
	it("gives the published boundaries", () => {
		const found = boundaries(0.025, [0.2, 0.4, 0.6, 0.8, 1]);
		for (const [n, z] of [4.8769, 3.3569, 2.6803, 2.2898, 2.031].entries()) {
			expect(found[n]).toBeCloseTo(z, 3);
		}
	});

	it("of a single look is the plain quantile", () => {
		expect(boundaries(0.05, [1])[0]).toBeCloseTo(1.6449, 4);
	});

	it("keeps the error of all looks together, whatever the looks", () => {
		const chance = new Chance("boundaries");
		const trials = 20_000;
		for (const looks of [
			[0.2, 0.4, 0.6, 0.8, 1],
			[0.5, 1],
			[0.33, 0.34, 0.9, 1],
		]) {
			const found = boundaries(0.05, looks);
			let crossed = 0;
			for (let n = 0; n < trials; n++) {
				let [score, before] = [0, 0];
				const over = looks.some((share, look) => {
					score += chance.normal() * Math.sqrt(share - before);
					before = share;
					return score / Math.sqrt(share) > (found[look] as number);
				});
				crossed += Number(over);
			}
			// Four standard errors of the simulation.
			expect(Math.abs(crossed / trials - 0.05)).toBeLessThan(4 * Math.sqrt((0.05 * 0.95) / trials));
		}
	});
});

describe("the bootstrap", () => {
	const shapes: [string, (chance: Chance) => number[]][] = [
		["independent values", (chance) => [0, 0, 0, 0].map(() => chance.normal())],
		[
			"values that share their block's fate",
			(chance) => {
				const shared = chance.normal();
				return [0, 0, 0, 0].map(() => shared + 0.5 * chance.normal());
			},
		],
		[
			"times with outliers",
			(chance) =>
				slowdowns(
					BLOCK.map(() => chance.time()),
					false,
				),
		],
	];

	it.each(shapes)("bounds the truth as often as it says: %s", (_name, block) => {
		const trials = 300;
		for (const size of [10, 30]) {
			const chance = new Chance(`coverage ${size}`);
			const beyond = { lower: 0, upper: 0 };
			for (let n = 0; n < trials; n++) {
				const found = estimate(
					Array.from({ length: size }, () => block(chance)),
					`trial ${n}`,
				);
				beyond.lower += Number(found.lower(0.05) > 0);
				beyond.upper += Number(found.upper(0.05) < 0);
			}
			const slack = 4 * Math.sqrt((0.05 * 0.95) / trials);
			expect(beyond.lower / trials).toBeLessThan(0.05 + slack);
			expect(beyond.upper / trials).toBeLessThan(0.05 + slack);
			// Nor is it so wide that it says nothing.
			expect((beyond.lower + beyond.upper) / trials).toBeGreaterThan(0.1 - 2 * slack);
		}
	});

	it("moves with its values and widens with the certainty", () => {
		const chance = new Chance("shift");
		const blocks = Array.from({ length: 12 }, () => [chance.normal(), chance.normal()]);
		const here = estimate(blocks, "s");
		const there = estimate(
			blocks.map((block) => block.map((value) => value + 5)),
			"s",
		);
		expect(there.location).toBeCloseTo(here.location + 5, 9);
		expect(there.lower(0.05)).toBeCloseTo(here.lower(0.05) + 5, 9);
		const widths = [0.2, 0.05, 0.01, 0.001, 1e-6].map((error) => here.upper(error) - here.lower(error));
		expect(widths).toEqual([...widths].sort((x, y) => x - y));
	});

	it("repeats itself for the same seed", () => {
		const blocks = Array.from({ length: 8 }, (_, n) => [Math.sin(n), Math.cos(n)]);
		expect(estimate(blocks, "a").lower(0.01)).toBe(estimate(blocks, "a").lower(0.01));
	});

	it("takes equal values for what they are", () => {
		const found = estimate(
			Array.from({ length: BLOCKS_MIN }, () => [2, 2]),
			"equal",
		);
		expect([found.location, found.lower(0.001), found.upper(0.001)]).toEqual([2, 2, 2]);
	});

	it("refuses what is no sample", () => {
		expect(() => estimate([[1], [2]], "few")).toThrow(RangeError);
		expect(() =>
			estimate(
				Array.from({ length: 9 }, (_, n) => (n === 3 ? [1, 2] : [1])),
				"uneven",
			),
		).toThrow(RangeError);
	});
});

describe("a block", () => {
	it("compares neighbours, so that a steady drift cancels", () => {
		fc.assert(
			fc.property(fc.double({ min: -0.1, max: 0.1, noNaN: true }), (drift) => {
				const values = BLOCK.map((_, place) => Math.exp(drift * place));
				for (const ratios of [slowdowns(values, false), floorRatios(values, false)]) {
					expect(ratios.reduce((x, y) => x + y)).toBeCloseTo(0, 9);
				}
			}),
		);
	});

	it("knows slower from faster", () => {
		const values = BLOCK.map((arm) => (arm === "candidate" ? 1.1 : 1));
		expect(slowdowns(values, false).every((ratio) => Math.abs(ratio - Math.log(1.1)) < 1e-12)).toBe(true);
		expect(slowdowns(values, true).every((ratio) => ratio < 0)).toBe(true);
		expect(floorRatios(values, false)).toEqual([0, 0]);
	});
});

describe("Holm's procedure", () => {
	const by = (p: Record<string, number>) => [
		...holm(Object.keys(p), 0.05, (name, level) => (p[name] as number) <= level),
	];

	it("gives each claim a larger share as others hold", () => {
		expect(by({ a: 0.01, b: 0.02, c: 0.04 }).sort()).toEqual(["a", "b", "c"]);
		expect(by({ a: 0.02, b: 0.02, c: 0.04 })).toEqual([]);
		expect(by({ a: 0.01, b: 0.03, c: 0.04 })).toEqual(["a"]);
		expect(by({})).toEqual([]);
	});

	it("keeps the chance of any false claim, where a plain test does not", () => {
		const chance = new Chance("holm");
		const trials = 4_000;
		let [any, plain] = [0, 0];
		for (let n = 0; n < trials; n++) {
			const p = Object.fromEntries(
				Array.from({ length: 10 }, (_, claim) => [String(claim), chance.uniform()]),
			);
			any += Number(by(p).length > 0);
			plain += Number(Object.values(p).some((value) => value <= 0.05));
		}
		expect(any / trials).toBeLessThan(0.05 + 4 * Math.sqrt((0.05 * 0.95) / trials));
		expect(plain / trials).toBeGreaterThan(0.3);
	});
});
