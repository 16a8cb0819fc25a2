import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { copiedTree, klais, lastLine, newFolder, recordIn, TINY } from "./support.js";

describe("klais run", () => {
	test("runs the smoke scenario under all of its policies", async () => {
		const cwd = newFolder();
		const { code, stdout, stderr } = await klais(["run", "smoke"], { cwd });
		expect(stderr).toContain("smoke / klais: started, 2,000 devices, 90 min of virtual time");
		expect(stderr).toMatch(/smoke \/ none: done in .+ events/);
		expect(code).toBe(0);
		const out = join(cwd, "results", "latest");
		expect(lastLine(stdout)).toBe(join(out, "BENCHMARK_RESULTS.md"));
		expect(stdout).toContain("smoke  PASSED");
		expect(readdirSync(out).sort()).toEqual([
			"BENCHMARK_RESULTS.html",
			"BENCHMARK_RESULTS.md",
			"charts",
			"results.json",
		]);
		const results = recordIn(out);
		expect(results).toMatchObject({ partial: false, command: "klais run smoke --seed klais" });
		expect(results.runs.map(({ policy }) => policy)).toEqual(["none", "static", "klais"]);
		expect(results.runs.every(({ complete, workers }) => complete && workers === 1)).toBe(true);
		expect(Object.keys(results.runs[0]?.wall.phases ?? {})).toEqual(["setup", "simulate"]);
	});

	test("runs several scenarios, by name and file, in the order named", async () => {
		const cwd = newFolder({ "tiny.yaml": TINY, "other.yaml": TINY.replace("name: tiny", "name: other") });
		const args = ["run", "other.yaml", "tiny.yaml", "--policy", "klais,static", "--reporter", "junit,github"];
		const { code, stdout } = await klais([...args, "--out", "deep/er"], { cwd });
		expect(code).toBe(0);
		const out = join(cwd, "deep", "er");
		expect(lastLine(stdout)).toBe(join(out, "junit.xml"));
		expect(stdout).toContain("::notice title=klais%3A tiny::");
		expect(readdirSync(out).sort()).toEqual(["junit.xml", "results.json"]);
		const { runs, command } = recordIn(out);
		expect(runs.map(({ scenario, policy }) => `${scenario} ${policy}`)).toEqual([
			"other klais",
			"other static",
			"tiny klais",
			"tiny static",
		]);
		expect(command).toBe("klais run other.yaml tiny.yaml --policy klais,static --seed seven");
	});

	test("changes what the flags say, and names the change in the command that repeats it", async () => {
		const cwd = newFolder({ "tiny.yaml": TINY });
		const set = ["--set", "devices.firmware.backoff=full-jitter", "--set", "title=It's tiny"];
		const flags = ["--policy", "static", "--seed", "a b", "--devices", "200", ...set];
		const { code } = await klais(["run", "tiny.yaml", ...flags, "--reporter", "json", "--out", "o"], { cwd });
		expect(code).toBe(0);
		const { runs, command } = recordIn(join(cwd, "o"));
		expect(runs).toMatchObject([
			{ seed: "a b", devices: 200, config: { title: "It's tiny", broker: { capacityPerSecond: 400 } } },
		]);
		expect(command).toBe(
			"klais run tiny.yaml --policy static --seed 'a b' --devices 200 " +
				"--set devices.firmware.backoff=full-jitter --set 'title=It'\\''s tiny'",
		);
	});

	test("warns when a fleet is too small to keep its shape", async () => {
		const cwd = newFolder({ "tiny.yaml": TINY });
		const flags = ["--policy", "klais", "--devices", "10", "--reporter", "json", "--out", "o"];
		const { stderr } = await klais(["run", "tiny.yaml", ...flags], { cwd });
		expect(stderr).toMatch(/warning: tiny with 10 devices is no scale model .*gateways\.sessions/);
	});
});

describe("a run that fails", () => {
	const LOSING = `export class Simulation extends Real {
		run(control, elapsed) {
			const record = super.run(control, elapsed);
			return this.world.policy.name === "klais"
				? { ...record, ledger: { ...record.ledger, ackedLost: 3 } }
				: record;
		}
	}`;

	test("exits 1 with the finding and the command that repeats it", async () => {
		const cwd = newFolder({ "tiny.yaml": TINY });
		const place = { cwd, tree: copiedTree(LOSING) };
		const flags = ["--policy", "static,klais", "--reporter", "json", "--out", "o"];
		const { code, stdout } = await klais(["run", "tiny.yaml", ...flags], place);
		expect(code).toBe(1);
		expect(stdout).toContain("failure: tiny / klais: 3 readings were acknowledged and then lost");
		expect(stdout).toContain("repeat it with: klais run tiny.yaml --policy klais --seed seven\n");
		expect(stdout).not.toContain("--policy static");
		expect(lastLine(stdout)).toBe(join(cwd, "o", "results.json"));
		// A copy outside of git knows no commit.
		expect(recordIn(join(cwd, "o")).tool).toMatchObject({ commit: "unknown", dirty: false });
	});

	test("a worker that crashes costs only its own run", async () => {
		const stub = `export class Simulation extends Real {
			constructor(scenario, policy, seed) {
				if (policy === "static") throw new Error("the dam broke");
				super(scenario, policy, seed);
			}
		}`;
		const cwd = newFolder({ "tiny.yaml": TINY });
		const place = { cwd, tree: copiedTree(stub) };
		const { code, stderr } = await klais(["run", "tiny.yaml", "--workers", "1", "--out", "o"], place);
		expect(code).toBe(1);
		expect(stderr).toMatch(/tiny \/ static crashed.*the dam broke/);
		expect(stderr).toContain("repeat it with: klais run tiny.yaml --policy static --seed seven\n");
		const { partial, runs } = recordIn(join(cwd, "o"));
		expect(partial).toBe(true);
		expect(runs.map(({ policy }) => policy)).toEqual(["none", "klais"]);
		expect(readFileSync(join(cwd, "o", "BENCHMARK_RESULTS.md"), "utf8")).toMatch(/partial/i);
	});

	test("writes nothing when every worker crashes, and keeps what was there", async () => {
		const cwd = newFolder({ "tiny.yaml": TINY });
		const place = { cwd, tree: copiedTree(`export class Simulation { constructor() { process.exit(7); } }`) };
		const { code, stderr, stdout } = await klais(["run", "tiny.yaml", "--policy", "none"], place);
		expect(code).toBe(1);
		expect(stderr).toContain("the worker ended with code 7 and no record");
		expect(stdout).toBe("");
		expect(existsSync(join(cwd, "results"))).toBe(false);
	});
});
