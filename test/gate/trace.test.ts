import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { firstDifference } from "../../src/cli/gate/trace-difference.js";
import type { TraceCall, TraceRecord } from "../../src/cli/gate/trace-task.js";
import { copiedTree, klais, newFolder, TINY } from "../cli/support.js";

/** Another build of klais, with a line of its engine changed. */
function otherBuild(file: string, from: RegExp, to: string): string {
	const tree = copiedTree("export const Simulation = Real;\n");
	const path = join(tree, "dist", "engine", file);
	const text = readFileSync(path, "utf8");
	const changed = text.replace(from, to);
	expect(changed).not.toBe(text);
	writeFileSync(path, changed);
	return tree;
}

async function record(cwd: string, out: string, tree?: string): Promise<void> {
	const args = ["run", "tiny.yaml", "--policy", "klais", "--reporter", "json", "--out", out];
	const { code, stderr } = await klais(args, { cwd, ...(tree === undefined ? {} : { tree }) });
	expect(`${code} ${code === 0 ? "" : stderr}`).toBe("0 ");
}

/** What the gate of one build says of records of two, with both at hand: a suite whose command runs the build that a file names. */
async function traced(tree: string): Promise<string> {
	const cwd = newFolder({ "tiny.yaml": TINY });
	const same = copiedTree("export const Simulation = Real;\n");
	await record(cwd, "base", same);
	await record(cwd, "candidate", tree);
	const child = `
		import { compareExactly } from "${same}/dist/gate/exact/compare.js";
		import { traceChanged } from "${same}/dist/cli/gate/trace.js";
		import { readFileSync } from "node:fs";
		const [base, candidate] = ["base", "candidate"].map((side) => JSON.parse(readFileSync(side + "/results.json")));
		const exact = compareExactly(base, candidate, { margins: [], subset: false });
		const report = await traceChanged(exact, candidate.command, "${same}", "${tree}", new AbortController().signal);
		console.log(report.judged.flatMap(({ details }) => details).join("\\n"));
	`;
	writeFileSync(join(cwd, "trace.mjs"), child);
	const { spawnSync } = await import("node:child_process");
	const run = spawnSync(process.execPath, ["trace.mjs"], { cwd, encoding: "utf8" });
	expect(run.status === 0 ? "" : run.stderr).toBe("");
	return run.stdout.split("\n").find((line) => line.includes("first difference")) ?? run.stdout;
}

describe("the first event that differs", () => {
	test("is what the gateways did, when their settings changed", async () => {
		const line = await traced(otherBuild("policies.js", /controller: "brain"/, 'controller: "fixed"'));
		expect(line).toMatch(
			/^first difference: in what the gateways did, record \d+: the base has ADMIT of device \d+ at/,
		);
		expect(line).toMatch(/backfill delay ms \d+.*the candidate ADMIT of device \d+/);
		expect(line).toMatch(/all [\d,]+ records before are the same$/);
	});

	test("is what the world did, when its links changed", async () => {
		const line = await traced(otherBuild("link.js", /const fate = /, "const fate = 0.5 * "));
		expect(line).toMatch(
			/^first difference: in (what reached the devices|the frames that reached the gateways), record/,
		);
	});

	test("is not found for a record that the build does not repeat", async () => {
		const cwd = newFolder({ "tiny.yaml": TINY });
		await record(cwd, "base");
		await record(cwd, "candidate");
		const file = join(cwd, "base", "results.json");
		const base = JSON.parse(readFileSync(file, "utf8"));
		base.tool = { ...base.tool, dirty: true };
		base.runs[0].digest = "ff";
		writeFileSync(file, JSON.stringify(base));
		const other = JSON.parse(readFileSync(join(cwd, "candidate", "results.json"), "utf8"));
		other.tool = { ...other.tool, dirty: true };
		writeFileSync(join(cwd, "candidate", "results.json"), JSON.stringify(other));
		const args = [
			"gate",
			"--baseline",
			"base/results.json",
			"--candidate",
			"candidate/results.json",
			"--trace",
		];
		const { code, stdout } = await klais(args, { cwd });
		expect(stdout).toMatch(
			/no first difference found: the base's build gives the digest \w+, its record has ff/,
		);
		expect(code).toBe(1);
	});
});

describe("the words for a difference", () => {
	const hello = (device: number): TraceRecord => [0, 0x41200000, device, 8 | (3 << 16), 1, 2, 3, 4];
	const call = (change: Partial<TraceCall> = {}): TraceCall => ({
		...{
			name: "clusterIngress",
			horizonMicros: 20_000,
			given: [hello(5)],
			answered: [],
			timers: [],
			verdicts: [0],
		},
		...{ recordsBefore: 1_234, ...change },
	});

	test("a record more, a record less", () => {
		const words = firstDifference(call(), call({ given: [hello(5), hello(6)] }), 7);
		expect(words).toMatch(
			/^in the frames that reached the gateways, record 2: the base has nothing, the candidate HELLO of device 6/,
		);
		expect(words).toContain("all 1,234 records before are the same");
	});

	test("another verdict", () => {
		expect(firstDifference(call(), call({ verdicts: [2] }), 7)).toMatch(
			/^the dam's verdict on frame 1 \(HELLO of device 5 .*accepted in the base, dropped in the candidate/,
		);
	});

	test("another deadline", () => {
		const [x, y] = [call({ timers: [[5, 1_000_000]] }), call({ timers: [[5, -1]] })];
		expect(firstDifference(x, y, 7)).toMatch(
			/^device 5 is due at 1\.000000 s next in the base, and waits for nothing in the candidate/,
		);
	});

	test("another call, and an end", () => {
		expect(firstDifference(call(), call({ name: "stepFleet" }), 7)).toMatch(
			/^the base goes on with clusterIngress/,
		);
		expect(firstDifference(null, call(), 7)).toMatch(/^the base's run ends where the other goes on/);
	});
});
