import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { klais, lastLine, newFolder, recordIn, TINY } from "./support.js";

const SUITE = `schema: klais.suite/1
title: Ours
scenarios:
  - { scenario: tiny.yaml, policies: [klais] }
  - scenario: tiny.yaml
    name: tiny-small
    devices: 100
    seed: other
    policies: [none, klais]
    set: { title: Smaller }
`;

describe("klais run SUITE", () => {
	test("runs each scenario as the suite has it, and repeats each by itself", async () => {
		const cwd = newFolder({ "tiny.yaml": TINY, "team.yaml": SUITE });
		const { code, stdout } = await klais(["run", "team.yaml", "--out", "o"], { cwd });
		expect(code).toBe(0);
		expect(lastLine(stdout)).toContain("BENCHMARK_RESULTS");
		const record = recordIn(join(cwd, "o"));
		expect(record.command).toBe("klais run team.yaml");
		expect(record.runs.map((run) => [run.scenario, run.policy, run.seed, run.devices])).toEqual([
			["tiny", "klais", "seven", 300],
			["tiny-small", "none", "other", 100],
			["tiny-small", "klais", "other", 100],
		]);
		const alone = ["run", "tiny.yaml", "--policy", "klais", "--seed", "other", "--devices", "100"];
		const settings = ["--set", "name=tiny-small", "--set", "title=Smaller"];
		await klais([...alone, ...settings, "--out", "alone"], { cwd });
		const [again] = recordIn(join(cwd, "alone")).runs;
		expect([again?.digest, again?.input]).toEqual([record.runs[2]?.digest, record.runs[2]?.input]);
	});

	test("the command line comes on top", async () => {
		const cwd = newFolder({ "tiny.yaml": TINY, "team.yaml": SUITE });
		const flags = [
			"--policy",
			"static",
			"--devices",
			"50",
			"--seed",
			"mine",
			"--set",
			"broker.capacity=99/s",
		];
		const { code } = await klais(["run", "team.yaml", ...flags, "--out", "o"], { cwd });
		expect(code).toBe(0);
		const { runs } = recordIn(join(cwd, "o"));
		expect(runs.map(({ policy, seed, devices }) => [policy, seed, devices])).toEqual([
			["static", "mine", 50],
			["static", "mine", 50],
		]);
	});

	test("mistakes are placed in the suite, and nothing runs", async () => {
		const cwd = newFolder({
			"tiny.yaml": TINY,
			"team.yaml": `schema: klais.suite/1
scenarios:
  - tiny.yaml
  - { scenario: tiny.yaml, set: { broker.capacty: 5/s } }
  - { scenario: missing.yaml }
  - smoek
  - { scenario: tiny.yaml, devices: 50 }
`,
		});
		const { code, stdout, stderr } = await klais(["run", "team.yaml", "--out", "o"], { cwd });
		expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
		expect(stderr.trim().split("\n")).toEqual([
			'team.yaml:4:51 scenarios.1.set.broker.capacty: unknown key "capacty". Did you mean "capacity"?',
			"missing.yaml: no such file",
			expect.stringMatching(
				/^team\.yaml:6:5 scenarios\.3: no scenario is called "smoek"\. Did you mean "smoke"\?/,
			),
			"team.yaml:7:5 scenarios.4: tiny is there before with the same policy and seed: give one of them a name",
		]);
	});

	test("an expectation that does not hold ends with 1, in every report", async () => {
		const cwd = newFolder({
			"tiny.yaml": `${TINY}expect:\n  - ackedLost == 0\n  - klais: durable < 5\n`,
			"team.yaml": "schema: klais.suite/1\nscenarios: [{ scenario: tiny.yaml, policies: [none, klais] }]\n",
		});
		const reporters = ["--reporter", "md,html,junit,github"];
		const { code, stdout } = await klais(["run", "team.yaml", "--out", "o", ...reporters], { cwd });
		expect(code).toBe(1);
		const read = (name: string) => readFileSync(join(cwd, "o", name), "utf8");
		const says = /expected durable (<|&lt;) 5, found [\d,]{5,}/;
		expect(stdout).toMatch(/^failure: tiny \/ klais: expected durable < 5, found /m);
		expect(stdout).not.toMatch(/failure: tiny \/ none/);
		expect(stdout).toMatch(/^2 of 3 expectations hold$/m);
		expect(stdout).toMatch(/^ {2}repeat it with: klais run tiny\.yaml --policy klais --seed seven/m);
		expect(stdout).toMatch(/^::error title=klais%3A tiny%2C klais::expected durable < 5, found /m);
		expect(read("BENCHMARK_RESULTS.md")).toMatch(says);
		expect(read("BENCHMARK_RESULTS.html")).toMatch(says);
		expect(read("junit.xml")).toMatch(/<failure type="expectation" message="expected durable &lt; 5, found/);
		const again = await klais(["report", "o/results.json", "--reporter", "md", "--out", "again"], { cwd });
		expect(readFileSync(join(cwd, "again", "BENCHMARK_RESULTS.md"), "utf8")).toMatch(says);
		expect(again.stderr).toBe("");
	});

	test("suites of the catalogue are found, and klais live wants a scenario", async () => {
		const unknown = await klais(["run", "incidens"]);
		expect(unknown).toMatchObject({ code: 2, stderr: expect.stringContaining('Did you mean "incidents"?') });
		const live = await klais(["live", "ci"]);
		expect(live).toMatchObject({ code: 2, stderr: expect.stringContaining("expected its name") });
	});
});
