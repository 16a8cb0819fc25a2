import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { planSweep } from "../../src/cli/sweep/plan.js";
import { SWEEP_SCHEMA_ID, sweepJsonSchema } from "../../src/cli/sweep/schema.js";
import {
	copiedTree,
	klais,
	lastLine,
	newFolder,
	PROJECT,
	recordIn,
	SAME_ENGINE,
	TINY,
	withoutWall,
} from "./support.js";

const SWEEP = `schema: ${SWEEP_SCHEMA_ID}
title: Sessions, and how long an outage may be
scenario: tiny.yaml
set:
  broker.capacity: 500/s
grid:
  gateways.sessions: [20/s, 40/s]
  outages.0.until: ["3m", 4m]
seeds: [7, nine]
policies: [static, klais]
metrics: [virtual.drainRatio, ledger.lost]
`;

const TIMEOUT_MS = 240_000;

describe("klais sweep", { timeout: TIMEOUT_MS }, () => {
	test("runs every combination, and records what was varied", async () => {
		const cwd = newFolder({ "tiny.yaml": TINY, "sweep.yaml": SWEEP });
		const args = ["sweep", "sweep.yaml", "--out", "o", "--reporter", "md,html,junit,github"];
		const { code, stdout, stderr } = await klais(args, { cwd });
		expect(code).toBe(0);
		expect(stderr).toMatch(/^16 runs\n[\s\S]*16 of 16 done in /);
		const out = join(cwd, "o");
		expect(readdirSync(out).sort()).toEqual([
			"BENCHMARK_RESULTS.html",
			"BENCHMARK_RESULTS.md",
			"junit.xml",
			"results.json",
		]);
		expect(lastLine(stdout)).toBe(join(out, "BENCHMARK_RESULTS.md"));
		expect(stdout).toContain("4 combinations x 2 policies x 2 seeds: 16 runs, every one passed.");

		const results = recordIn(out);
		expect(results).toMatchObject({
			command: "klais sweep sweep.yaml",
			partial: false,
			sweep: {
				title: "Sessions, and how long an outage may be",
				parameters: ["gateways.sessions", "outages.0.until"],
				seeds: ["7", "nine"],
				policies: ["static", "klais"],
				metrics: ["virtual.drainRatio", "ledger.lost"],
			},
		});
		const points = results.runs.map(({ parameters, seed, policy }) =>
			[...Object.values(parameters ?? {}), seed, policy].join(" "),
		);
		expect(points.slice(0, 5)).toEqual([
			"20/s 3m 7 static",
			"20/s 3m 7 klais",
			"20/s 3m nine static",
			"20/s 3m nine klais",
			"20/s 4m 7 static",
		]);
		expect(new Set(points).size).toBe(16);
		expect(new Set(results.runs.map(({ digest }) => digest)).size).toBe(16);
		expect(results.runs[0]).toMatchObject({
			config: { broker: { capacityPerSecond: 500 }, gateways: { sessionsPerSecond: 20 } },
		});

		// A row per combination and policy, with the median of the seeds.
		const markdown = readFileSync(join(out, "BENCHMARK_RESULTS.md"), "utf8");
		const rows = markdown
			.split("\n")
			.filter((line) => /^\| [24]0\/s \| [34]m \| (static|klais) \| /.test(line));
		expect(rows).toHaveLength(8);
		expect(markdown).toMatch(/^2\. `static`: drain against the bound is best, .* at `gateways\.sessions=/m);
		expect(readFileSync(join(out, "BENCHMARK_RESULTS.html"), "utf8")).toContain(
			'<th scope="col">outages.0.until</th>',
		);
		expect(readFileSync(join(out, "junit.xml"), "utf8")).toContain(
			'name="klais, gateways.sessions=40/s, outages.0.until=4m, seed nine"',
		);
		expect(stdout).toMatch(
			/^::notice title=klais%3A Sessions%2C and how long an outage may be::4 combinations/m,
		);

		// One of its runs alone, by the settings of its row, is the same run.
		const alone = ["run", "tiny.yaml", "--policy", "klais", "--seed", "nine", "--reporter", "json"];
		const settings = ["broker.capacity=500/s", "gateways.sessions=40/s", "outages.0.until=4m"];
		await klais([...alone, ...settings.flatMap((each) => ["--set", each]), "--out", "alone"], { cwd });
		expect(recordIn(join(cwd, "alone")).runs[0]?.digest).toBe(results.runs.at(-1)?.digest);
	});

	test("in shards, merged, it is the whole to the byte, machine and clock apart", async () => {
		const sweep = SWEEP.replace("seeds: [7, nine]", "").replace(/set:\n.*\n/, "");
		const place = {
			cwd: newFolder({ "tiny.yaml": TINY, "sweep.yaml": sweep }),
			tree: copiedTree(SAME_ENGINE),
		};
		const { cwd } = place;
		const args = ["sweep", "sweep.yaml", "--reporter", "json"];
		await klais([...args, "--out", "whole"], place);
		for (const index of [1, 2]) {
			const shard = ["--shard", `${index}/2`, "--out", `shards/${index}`];
			expect((await klais([...args, ...shard], place)).code).toBe(0);
		}
		expect((await klais(["merge", "shards", "--reporter", "json", "--out", "merged"], place)).code).toBe(0);
		expect(withoutWall(join(cwd, "merged"))).toBe(withoutWall(join(cwd, "whole")));
	});

	test("a grid may scale the fleet, a number of seeds stands for a list, and all else may be left out", async () => {
		const cwd = newFolder({
			"tiny.yaml": TINY.replace("policies: [none, static, klais]", "policies: [klais]"),
			"sweep.yaml": "schema: klais.sweep/1\nscenario: tiny.yaml\ngrid: { devices: [150, 300] }\nseeds: 2\n",
			"plain.yaml": "schema: klais.sweep/1\nscenario: tiny.yaml\n",
		});
		await klais(["sweep", "sweep.yaml", "--out", "o", "--reporter", "json"], { cwd });
		const { runs, sweep } = recordIn(join(cwd, "o"));
		expect(runs.map(({ devices, seed, parameters }) => [devices, seed, parameters])).toEqual([
			[150, "1", { devices: "150" }],
			[150, "2", { devices: "150" }],
			[300, "1", { devices: "300" }],
			[300, "2", { devices: "300" }],
		]);
		expect(sweep?.metrics).toContain("virtual.drainRatio");
		const plain = await klais(["sweep", "plain.yaml", "--out", "p"], { cwd });
		expect(plain.stdout).toContain("1 combination x 1 policy x 1 seed: 1 run, every one passed.");
		expect(recordIn(join(cwd, "p")).runs[0]).toMatchObject({ seed: "seven", parameters: {} });
	});
});

describe("a sweep file that is wrong exits 2, and says where", () => {
	const HEAD = "schema: klais.sweep/1\nscenario: tiny.yaml\n";
	const BAD: readonly (readonly [string, RegExp])[] = [
		["", /^bad\.yaml: is empty/],
		["schema: klais.sweep/2\nscenario: smoke\n", /^bad\.yaml:1:9 schema: expected klais\.sweep\/1/],
		["schema: klais.sweep/1\n", /^bad\.yaml:1:1 scenario: the key "scenario" is missing/],
		[`${HEAD}gird: {}\n`, /^bad\.yaml:3:1 gird: unknown key "gird"\. Did you mean "grid"\?/],
		[
			`${HEAD}grid: { gateways.sessions: 20/s }\n`,
			/^bad\.yaml:3:28 grid\.gateways\.sessions: expected a list/,
		],
		[`${HEAD}grid: { gateways.sessions: [] }\n`, /grid\.gateways\.sessions: expected at least one value/],
		[
			`${HEAD}grid: { gateways.sessions: [1/s, 1/s] }\n`,
			/:34 grid\.gateways\.sessions\.1: the value is there twice/,
		],
		[
			`${HEAD}grid:\n  gateways.sesions: [20/s]\n`,
			/^bad\.yaml:4:22 grid\.gateways\.sesions\.0: unknown key "sesions"\. Did you mean "sessions"\?/,
		],
		[
			`${HEAD}grid:\n  gateways.sessions: [20/s, many]\n`,
			/^bad\.yaml:4:29 grid\.gateways\.sessions\.1: expected a whole rate per second .*found "many"/,
		],
		[`${HEAD}set: { broker.capacity: no }\n`, /^bad\.yaml:3:25 set\.broker\.capacity: expected/],
		[
			`${HEAD}set: { brokr.capacity: 5/s }\n`,
			/^bad\.yaml:3:24 set\.brokr\.capacity: .*Did you mean "broker"\?/,
		],
		[`${HEAD}grid: { devices: [100, 1.5] }\n`, /^bad\.yaml:3:24 grid\.devices\.1: expected a whole number/],
		[`${HEAD}grid: { seed: [1, 2] }\n`, /^bad\.yaml:3:15 grid\.seed: is no parameter: `seeds` lists them/],
		[`${HEAD}devices: 0\n`, /^bad\.yaml:3:10 devices: expected a whole number from 1/],
		[`${HEAD}seeds: [a, a]\n`, /^bad\.yaml:3:12 seeds\.1: the seed is there twice/],
		[`${HEAD}seeds: 0\n`, /^bad\.yaml:3:8 seeds: expected a whole number from 1 to 1,000/],
		[`${HEAD}policies: [klias]\n`, /^bad\.yaml:3:12 policies\.0: .*Did you mean "klais"\?/],
		[
			`${HEAD}metrics: [virtual.drainratio]\n`,
			/^bad\.yaml:3:11 metrics\.0: .*Did you mean "virtual\.drainRatio"\?/,
		],
		[
			"schema: klais.sweep/1\nscenario: smok\n",
			/^bad\.yaml:2:11 scenario: no scenario .*Did you mean "smoke"\?/,
		],
		["schema: klais.sweep/1\nscenario: nowhere.yaml\n", /^nowhere\.yaml: no such file/],
		[
			`${HEAD}seeds: 1000\ngrid: { gateways.count: [1, 2, 3, 4, 5, 6] }\n`,
			/^bad\.yaml:4:\d+ grid: at least 6,000 runs/,
		],
		[`${HEAD}grid: {`, /^bad\.yaml:\d+:\d+: /],
	];

	test("every case", { timeout: TIMEOUT_MS }, async () => {
		const cwd = newFolder({ "tiny.yaml": TINY });
		const { writeFileSync } = await import("node:fs");
		for (const [text, message] of BAD) {
			writeFileSync(join(cwd, "bad.yaml"), text);
			const { code, stdout, stderr } = await klais(["sweep", "bad.yaml"], { cwd });
			expect(stderr, text).toMatch(message);
			expect([text, code, stdout]).toEqual([text, 2, ""]);
			expect(stderr, text).not.toContain("    at ");
		}
		expect(readdirSync(cwd).sort()).toEqual(["bad.yaml", "tiny.yaml"]);
	});
});

test("the sweep that the manual shows can be run", () => {
	const page = readFileSync(join(PROJECT, "docs", "sweep.md"), "utf8");
	const [, text = ""] = /```yaml\n(schema: klais\.sweep[\s\S]*?)```/.exec(page) ?? [];
	const folder = newFolder({ "sessions.yaml": text });
	const plan = planSweep(join(folder, "sessions.yaml"), undefined);
	expect(plan).toMatchObject({ ok: true, value: { warnings: [] } });
	expect(plan.ok ? plan.value.jobs : []).toHaveLength(60);
});

describe("the JSON Schema of a sweep file", () => {
	test("describes every key, and is what klais schema prints", async () => {
		const schema = sweepJsonSchema() as {
			required: string[];
			additionalProperties: boolean;
			properties: Record<string, { description?: string }>;
		};
		expect(schema.required).toEqual(["schema", "scenario"]);
		expect(schema.additionalProperties).toBe(false);
		for (const [key, { description }] of Object.entries(schema.properties)) {
			expect(description, key).toMatch(/^[A-Z].*\.$/);
		}
		const printed = await klais(["schema", "--sweep"]);
		expect(JSON.parse(printed.stdout)).toEqual(JSON.parse(JSON.stringify(schema)));
	});
});
