import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { RecordedDurations } from "../../src/cli/recorded-durations.js";
import type { Job } from "../../src/cli/run-plan.js";
import { assignShards, jobCosts } from "../../src/cli/shard-plan.js";
import type { ResultsFile } from "../../src/record/run-record.js";
import { loadScenario } from "../../src/scenarios/load-scenario.js";
import {
	copiedTree,
	klais,
	lastLine,
	newFolder,
	recordIn,
	SAME_ENGINE,
	TINY,
	withoutWall,
} from "./support.js";

/** Seconds of the longest shard. */
function makespan(costs: readonly number[], shards: readonly number[], count: number): number {
	const loads = new Array<number>(count).fill(0);
	for (const [job, shard] of shards.entries()) {
		loads[shard - 1]! += costs[job]!;
	}
	return Math.max(...loads);
}

describe("balance", () => {
	const cases = fc.record({
		costs: fc.array(fc.integer({ min: 1, max: 1_000_000 }), { minLength: 1, maxLength: 40 }),
		count: fc.integer({ min: 1, max: 12 }),
	});

	test("every job has one shard, none is empty while jobs suffice, and the longest is near the best possible", () => {
		fc.assert(
			fc.property(cases, ({ costs, count }) => {
				const shards = assignShards(costs, count);
				expect(shards).toHaveLength(costs.length);
				expect(new Set(shards).size).toBe(Math.min(costs.length, count));
				expect(shards.every((shard) => Number.isInteger(shard) && shard >= 1 && shard <= count)).toBe(true);
				const total = costs.reduce((sum, cost) => sum + cost, 0);
				const sorted = [...costs].sort((a, b) => b - a);
				// No schedule beats any of these. The last job of the longest shard starts when the average shard ends, at the
				// latest, and is no longer than half of two that must share a shard: 1.5 times as long, at most.
				const least = Math.max(total / count, sorted[0]!, (sorted[count - 1] ?? 0) + (sorted[count] ?? 0));
				expect(makespan(costs, shards, count)).toBeLessThanOrEqual(1.5 * least);
				expect(assignShards([...costs], count)).toEqual(shards);
			}),
		);
	});

	test("the longest job does not wait behind short ones", () => {
		expect(assignShards([1, 1, 1, 1, 4], 2)).toEqual([2, 2, 2, 2, 1]);
		expect(makespan([7, 7, 6, 6, 5, 5, 4, 4, 4], assignShards([7, 7, 6, 6, 5, 5, 4, 4, 4], 4), 4)).toBe(15);
	});

	test("recorded durations come before estimates, and set their speed", () => {
		const loaded = loadScenario("smoke");
		const scenario = (loaded as Extract<typeof loaded, { ok: true }>).value;
		const job = (policy: Job["policy"], count = 2_000): Job => ({
			scenario: { ...scenario, devices: { ...scenario.devices, count } },
			policy,
			label: "",
			repeat: "",
		});
		const jobs = [job("none"), job("static"), job("klais", 2_000_000)];
		const none = new RecordedDurations();
		const [first, second, large] = jobCosts(jobs, none) as [number, number, number];
		expect(first).toBe(second);
		expect(large).toBeGreaterThan(10 * first);

		const recorded = new RecordedDurations();
		recorded.add({ scenario: "smoke", policy: "none", devices: 2_000, seconds: 99 });
		recorded.add({ scenario: "smoke", policy: "none", devices: 2_000, seconds: (4 * first) / 1_000 });
		recorded.add({ scenario: "smoke", policy: "static", devices: 2_001, seconds: 1 });
		expect(jobCosts(jobs, recorded)).toEqual([4 * first, 4 * second, 4 * large]);
	});
});

/** A dozen processes, on cores that may be at work elsewhere. */
const TIMEOUT_MS = 240_000;

describe("shards", { timeout: TIMEOUT_MS }, () => {
	const OTHER = TINY.replace("name: tiny", "name: other");

	/** In a copy outside of git: a commit in the middle of a test would be another version. */
	async function wholeAndShards(count: number, flags: readonly string[] = []) {
		const place = {
			cwd: newFolder({ "tiny.yaml": TINY, "other.yaml": OTHER }),
			tree: copiedTree(SAME_ENGINE),
		};
		const args = ["run", "tiny.yaml", "other.yaml", "--reporter", "json", ...flags];
		const whole = await klais([...args, "--out", "whole"], place);
		expect(whole.code).toBe(0);
		for (let index = 1; index <= count; index++) {
			const shard = ["--shard", `${index}/${count}`, "--out", `shards/${index}`];
			expect((await klais([...args, ...shard], place)).code).toBe(0);
		}
		return place;
	}

	test("merged, they are the whole to the byte, machine and clock apart", async () => {
		const { cwd } = await wholeAndShards(3);
		// Named in any order, and as the one folder that holds them.
		const named = ["shards/3", "shards/1/results.json", "shards/2"];
		const merged = await klais(["merge", ...named, "--reporter", "json,md", "--out", "merged"], { cwd });
		expect([merged.code, merged.stderr]).toEqual([0, ""]);
		expect(lastLine(merged.stdout)).toBe(join(cwd, "merged", "BENCHMARK_RESULTS.md"));
		expect(withoutWall(join(cwd, "merged"))).toBe(withoutWall(join(cwd, "whole")));
		expect((await klais(["merge", "shards", "--reporter", "json", "--out", "again"], { cwd })).code).toBe(0);
		expect(readFileSync(join(cwd, "again", "results.json"))).toEqual(
			readFileSync(join(cwd, "merged", "results.json")),
		);

		const shards = [1, 2, 3].map((index) => recordIn(join(cwd, "shards", String(index))));
		const runs = shards.flatMap((shard) => shard.runs.map(({ scenario, policy }) => `${scenario} ${policy}`));
		expect(runs).toHaveLength(6);
		expect(new Set(runs).size).toBe(6);
		expect(shards.every((shard) => shard.runs.length === 2)).toBe(true);
		// A shard says how it is repeated.
		expect(shards[1]?.command).toBe("klais run tiny.yaml other.yaml --seed seven --shard 2/3");
		// The clocks are those of the shards.
		const walls = (results: ResultsFile) => results.runs.map(({ wall }) => wall.seconds).sort();
		expect(walls(recordIn(join(cwd, "merged")))).toEqual(shards.flatMap(walls).sort());
	});

	test("are balanced by the durations of an earlier record, the same on every machine", async () => {
		const cwd = newFolder({ "tiny.yaml": TINY });
		const seconds = { none: 1, static: 2, klais: 3.5 };
		const lines = Object.entries(seconds).map(([policy, each]) =>
			JSON.stringify({ scenario: "tiny", policy, devices: 300, seconds: each }),
		);
		writeFileSync(join(cwd, "history.ndjson"), `${lines.join("\n")}\n`);
		const args = ["run", "tiny.yaml", "--reporter", "json", "--durations", "history.ndjson"];
		for (const index of [1, 2]) {
			await klais([...args, "--shard", `${index}/2`, "--out", String(index)], { cwd });
		}
		const policies = (index: number) => recordIn(join(cwd, String(index))).runs.map(({ policy }) => policy);
		expect([policies(1), policies(2)]).toEqual([["klais"], ["none", "static"]]);

		// A record serves as well: what took longest in it has a shard of its own.
		const slow = recordIn(join(cwd, "2"));
		const runs = slow.runs.map((run) => ({ ...run, wall: { ...run.wall, seconds: 1_000 } }));
		writeFileSync(join(cwd, "slow.json"), JSON.stringify({ ...slow, runs }));
		const slowly = ["run", "tiny.yaml", "--reporter", "json", "--durations", "slow.json", "--shard", "1/3"];
		await klais([...slowly, "--out", "3"], { cwd });
		expect(policies(3)).toEqual(["none"]);
	});

	test("what does not belong together is refused, by name, and nothing is written", async () => {
		const { cwd, tree } = await wholeAndShards(2);
		const place = (name: string) => join(cwd, "shards", name);
		const one = recordIn(place("1"));
		const variant = (name: string, change: Partial<ResultsFile>) => {
			mkdirSync(place(name));
			writeFileSync(join(place(name), "results.json"), JSON.stringify({ ...one, ...change }));
		};
		const shard = one.shard!;
		variant("version", { tool: { ...one.tool, version: "9.9.9" } });
		variant("commit", { tool: { ...one.tool, commit: "cafe" } });
		variant("count", { shard: { ...shard, count: 3 } });
		variant("seed", { shard: { ...shard, command: shard.command.replace("seven", "eight") } });
		const [first, ...rest] = shard.plan;
		variant("config", { shard: { ...shard, plan: [{ ...first!, identity: "0" }, ...rest] } });
		variant("balance", { shard: { ...shard, plan: [{ ...first!, shard: 3 - first!.shard }, ...rest] } });
		variant("partial", { partial: true });
		variant("cut", { runs: one.runs.slice(1) });
		variant("more", { runs: [...one.runs, ...one.runs] });
		const refusals: readonly (readonly [readonly string[], RegExp])[] = [
			[["1"], /^shards\/1\/results\.json: of 2 shards one is missing: 2\/2$/m],
			[
				["1", "2", "1"],
				/^shards\/1\/results\.json shard\.index: is shard 1\/2, as is shards\/1\/results\.json/m,
			],
			[["2", "version"], /^shards\/version\/results\.json tool\.version: .*klais version 9\.9\.9, there \d/m],
			[["2", "commit"], /tool\.commit: does not belong to shards\/2\/results\.json: klais commit cafe/],
			[["2", "count"], /^shards\/count\/results\.json shard\.count: .*shards 3, there 2/m],
			[
				["2", "seed"],
				/shard\.command: .*the whole is klais run .*--seed eight, there klais run .*--seed seven/,
			],
			[["2", "config"], /shard\.plan\[0\]: .*tiny \/ none, seed seven, 300 devices has the configuration 0/],
			[["2", "balance"], /shard\.plan\[0\]: .*is left to shard \d, there \d: .*--durations/],
			[
				["2", "partial"],
				/^shards\/partial\/results\.json partial: was stopped .* klais run .* --shard 1\/2$/m,
			],
			[["2", "cut"], /^shards\/cut\/results\.json runs\[0\]: has no record of .*--shard 1\/2$/m],
			[["2", "more"], /^shards\/more\/results\.json runs: has 6 runs, of which its plan knows 3$/m],
			[["2", "../whole"], /^whole\/results\.json shard: is no shard's record/m],
			[["2", "nowhere"], /^shards\/nowhere: holds no results\.json/m],
		];
		for (const [names, message] of refusals) {
			const dirs = names.map((name) => join("shards", name));
			const { code, stderr, stdout } = await klais(["merge", ...dirs, "--out", "merged"], { cwd });
			expect([code, stdout], stderr).toEqual([2, ""]);
			expect(stderr).toMatch(message);
		}
		expect(readdirSync(cwd).sort()).toEqual(["other.yaml", "shards", "tiny.yaml", "whole"]);

		// What was edited between the shards is another configuration, though the commands are the same.
		writeFileSync(join(cwd, "other.yaml"), OTHER.replace("capacity: 600/s", "capacity: 601/s"));
		renameSync(place("2"), place("earlier"));
		const args = ["run", "tiny.yaml", "other.yaml", "--reporter", "json", "--shard", "2/2"];
		expect((await klais([...args, "--out", "shards/2"], { cwd, tree })).code).toBe(0);
		const { code, stderr } = await klais(["merge", "shards/1", "shards/2"], { cwd });
		expect(code).toBe(2);
		expect(stderr).toMatch(
			/shard\.plan\[3\]: .*other \/ none, seed seven, 300 devices has the configuration/,
		);
	});
});
