import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { ResultsFile } from "../../src/record/run-record.js";
import { klais, newFolder } from "../cli/support.js";
import { pspsResults } from "../fixtures/psps-results.js";

const base = pspsResults(["none", "klais"]);

/** A folder with both records, and what the gate says of them. */
async function gate(candidate: ResultsFile, ...more: readonly string[]) {
	const cwd = newFolder({ "base.json": JSON.stringify(base), "candidate.json": JSON.stringify(candidate) });
	const args = ["gate", "--baseline", "base.json", "--candidate", "candidate.json", ...more];
	return { cwd, ...(await klais(args, { cwd })) };
}

function moved(): ResultsFile {
	const [first, second] = base.runs;
	return {
		...base,
		runs: [first!, { ...second!, digest: "ff", virtual: { ...second!.virtual, attemptsPerConnect: 9 } }],
	};
}

describe("klais gate --baseline", () => {
	test("0: the same", async () => {
		const { code, stdout, stderr, cwd } = await gate(base);
		expect(stderr).toBe("");
		expect(stdout).toContain("gate: PASS");
		expect(code).toBe(0);
		expect(readFileSync(join(cwd, "results", "latest", "gate", "GATE.md"), "utf8")).toMatch(/^## Gate: PASS/);
	});

	test("1: something moved", async () => {
		const { code, stdout } = await gate(moved(), "--reporter", "github,junit,md");
		expect(stdout).toMatch(
			/fail: psps\S* \/ klais \/ seed \S+: other events, and 1 metric beyond what is allowed/,
		);
		expect(stdout).toContain("::error title=klais gate%3A psps");
		expect(stdout).toContain("name the first event that differs with --trace");
		expect(code).toBe(1);
	});

	test("0 again: within the margins that the command gives", async () => {
		const { code } = await gate(
			moved(),
			"--margin",
			"digest=any",
			"--margin",
			"virtual.attemptsPerConnect=10",
		);
		expect(code).toBe(0);
	});

	test("2: not comparable, with what differs", async () => {
		const other = {
			...base,
			runs: base.runs.map((run) => ({ ...run, config: { ...(run.config as object), seeds: 4 } })),
		};
		const { code, stdout } = await gate(other);
		expect(stdout).toMatch(/incomparable: psps.* klais.*: seeds is absent in the base, 4 in the candidate/);
		expect(stdout).toContain("gate: INCOMPARABLE");
		expect(code).toBe(2);
	});

	test("2: nothing in common is not passed as nothing wrong", async () => {
		expect((await gate({ ...base, runs: [] })).code).toBe(2);
	});

	test("3: counts without their other half", async () => {
		const environment = { cpu: "EPYC", valgrind: "3.19", rustc: "1.95" };
		const counts = {
			name: "dam, instructions",
			unit: "instructions",
			better: "lower" as const,
			samples: [100],
			environment,
		};
		const cwd = newFolder({
			"base.json": JSON.stringify({ ...base, runs: [], bench: [counts] }),
			"candidate.json": JSON.stringify({ ...base, runs: [] }),
		});
		const args = ["gate", "--baseline", "base.json", "--candidate", "candidate.json"];
		expect((await klais(args, { cwd })).code).toBe(3);
		// And with it, the plane is judged.
		const heavier = { ...counts, samples: [102] };
		writeFileSync(join(cwd, "candidate.json"), JSON.stringify({ ...base, runs: [], bench: [heavier] }));
		expect(await klais(args, { cwd })).toMatchObject({
			code: 1,
			stdout: expect.stringContaining("+2.000 %"),
		});
	});

	test("says that another machine's record gates the exact plane only", async () => {
		const times = {
			name: "storm",
			unit: "events/s",
			better: "higher" as const,
			samples: [1],
			environment: {},
		};
		const { code, stdout } = await gate({ ...base, host: { ...base.host, cpu: "Another" }, bench: [times] });
		expect(stdout).toMatch(/different machines \(cpu .* and Another\): only the exact plane is judged/);
		expect(stdout).toContain("Benchmark times in the records are not compared.");
		expect(code).toBe(0);
	});

	test.each([
		[
			["--margin", "virtual.drainRation=1%"],
			'no metric is called "virtual.drainRation". Did you mean "virtual.drainRatio"?',
		],
		[["--margin", "drainRatio"], "expected metric=value"],
		[["--margin", "virtual.drainRatio=lots"], "expected a margin such as 2%, 50 or any"],
		[["--candidate", "none.json"], "none.json: no such file"],
		[["--reporter", "html"], 'unknown name "html"'],
		[["--base", "main"], "expected one of --baseline FILE"],
		[["--frobnicate"], "unknown option"],
	])("2: %j", async (flags, message) => {
		const { code, stderr } = await gate(base, ...flags);
		expect(stderr).toContain(message);
		expect(code).toBe(2);
	});

	test("a comment never gets longer than GitHub takes", async () => {
		const many = (digest: string) => ({
			...base,
			runs: Array.from({ length: 400 }, (_, n) => ({
				...base.runs[0]!,
				seed: `${n} ${"x".repeat(300)}`,
				digest: `${digest}${n}`,
			})),
		});
		const cwd = newFolder({ "a.json": JSON.stringify(many("a")), "b.json": JSON.stringify(many("b")) });
		const { code } = await klais(["gate", "--baseline", "a.json", "--candidate", "b.json"], { cwd });
		expect(code).toBe(1);
		const markdown = readFileSync(join(cwd, "results", "latest", "gate", "GATE.md"), "utf8");
		expect(markdown.length).toBeLessThan(65_536);
		expect(markdown).toContain("the whole is in gate.json");
	});
});
