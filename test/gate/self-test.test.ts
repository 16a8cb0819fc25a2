import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { OWN_GATE, reaches, TARGETS } from "../../src/gate/self-test/rates.js";
import { RIVALS } from "../../src/gate/self-test/rivals.js";
import { type PoolSample, resampledTrials } from "../../src/gate/self-test/trials.js";
import { klais, lastLine, newFolder, recordIn } from "../cli/support.js";
import { Chance } from "./chance.js";

/** What a noisy machine gives: wall times wander for a while and jump, CPU times a tenth as much. */
function madeUpPool(count: number): PoolSample[] {
	const chance = new Chance("pool");
	let mood = 0;
	return Array.from({ length: count }, () => {
		mood = 0.9 * mood + 0.1 * chance.normal();
		const common = Math.exp(0.02 * mood);
		return {
			wallMicros: 30_000 * common ** 10 * chance.time(),
			cpuMicros: 30_000 * common * Math.exp(0.03 * chance.normal()),
		};
	});
}

describe("the self-test", () => {
	test("finds the wanted rates in a pool that is known, and the usual gates' as they are", async () => {
		const options = {
			blocksMax: 30,
			budgetSeconds: 3_600,
			error: 0.05,
			judge: "cpu" as const,
			stop: new AbortController().signal,
		};
		const rates = await resampledTrials(madeUpPool(2_000), 40, "test", 0.03, options);
		const own = rates.filter(({ gate }) => gate === OWN_GATE);
		expect(own.map(({ slowdown, trials }) => [slowdown, trials])).toEqual(
			[0, 0.02, 0.05, 0.1, 0.2].map((each) => [each, 40]),
		);
		for (const target of TARGETS) {
			const rate = own.find(({ slowdown }) => slowdown === target.slowdown);
			expect(rate && reaches(rate, target)).toBe(true);
		}
		const lastPair = rates.find(
			({ gate, slowdown }) => gate === "last pair, wall time, over 10 %" && slowdown === 0,
		);
		expect(lastPair?.alarms).toBeGreaterThan(2);
	});

	test("tries the usual gates as they are used", () => {
		const steady = Array(15).fill(100);
		const alarms = (candidate: readonly number[], previous = steady) =>
			RIVALS.map(({ raisesAlarm }) => raisesAlarm({ base: steady, candidate, previous }, 0.1));
		expect(alarms(steady)).toEqual([false, false, false]);
		expect(alarms(Array(15).fill(120))).toEqual([true, true, true]);
		// One bad sample is enough for the last pair alone; a lucky earlier run for the third alone.
		expect(alarms([120, ...Array(14).fill(100)])).toEqual([true, false, false]);
		expect(alarms(steady, Array(15).fill(80))).toEqual([false, false, true]);
	});

	test("a gate without trials reaches nothing", () => {
		const none = { gate: OWN_GATE, kind: "real" as const, slowdown: 0, trials: 0, alarms: 0, undecided: 0 };
		expect(reaches(none, { slowdown: 0, atMost: 1 })).toBeUndefined();
	});

	test("runs for real, quickly, and raises no alarm for the same program", async () => {
		const cwd = newFolder();
		const { code, stdout, stderr } = await klais(["gate", "--self-test", "--quick", "--out", "o"], { cwd });
		expect(code === 0 ? "" : stderr).toBe("");
		expect(stdout).toContain("Alarms, real trials");
		expect(stdout).toContain("Quick: it shows that it works");
		expect(lastLine(stdout)).toBe(join(cwd, "o", "results.json"));
		const { bench } = recordIn(join(cwd, "o"));
		const rate = (name: string) => bench.find((record) => record.name === name)?.samples;
		expect(rate("gate, klais gate, 0 % slower, real")).toEqual([0]);
		expect(rate("gate, klais gate, 0 % slower, resampled")).toEqual([0]);
		expect(bench.length).toBe(13 * (2 + 5));
		expect(readFileSync(join(cwd, "o", "SELF_TEST.txt"), "utf8")).toContain("klais gate");
	}, 900_000);
});
