import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { GateReport } from "../../src/gate/gate-report.js";
import { klais, lastLine, recordIn, startKlais } from "../cli/support.js";
import { pspsResults } from "../fixtures/psps-results.js";
import { git, madeUp, newRepository, type Repository, SUITE } from "./repository.js";

function gate({ folder, cache }: Repository, ...more: readonly string[]) {
	return klais(["gate", "--base", "HEAD~1", "--cache", cache, "--blocks", "12", ...more], { cwd: folder });
}

function reportOf({ folder }: Repository): GateReport {
	return JSON.parse(readFileSync(join(folder, "results", "latest", "gate", "gate.json"), "utf8"));
}

/** A repository whose second commit takes so much longer than its first. */
function repository(before: string, after: string, suite = SUITE): Repository {
	const found = newRepository();
	found.commit({ "bench/gate.yaml": suite, ".gitignore": "results\nbuilt\n", "work.js": before });
	found.commit({ "work.js": after, "README.md": "changed" });
	return found;
}

describe("klais gate --base", () => {
	test("passes what takes as long, and keeps the build", async () => {
		const repo = repository(madeUp(1_000), madeUp(1_000));
		const first = await gate(repo);
		expect(first.stderr).toMatch(/base HEAD~1 \(\w{10}\): node -e/);
		expect(first).toMatchObject({ code: 0, stdout: expect.stringContaining("gate: PASS") });
		expect(lastLine(first.stdout)).toBe(join(repo.folder, "results", "latest", "gate", "GATE.md"));
		const second = await gate(repo);
		expect(second.stderr).toContain("built before");
		expect(second.code).toBe(0);
		const [home = ""] = readdirSync(repo.cache);
		const [tree = ""] = readdirSync(join(repo.cache, home)).filter((name) => !name.includes("."));
		expect(readFileSync(join(repo.cache, home, tree, "built"), "utf8")).toBe("x");
		expect(readdirSync(join(repo.cache, home)).filter((name) => name.endsWith(".lock"))).toEqual([]);
	});

	test("fails what takes longer, again in a second round, in every format", async () => {
		const repo = repository(madeUp(1_000), madeUp(1_100));
		const { code, stdout } = await gate(repo, "--reporter", "md,junit,github");
		expect(code).toBe(1);
		expect(stdout).toMatch(/fail: work, CPU time: \+\d.*and so again in a second round: beyond 3 %/);
		expect(stdout).toContain("::error title=klais gate%3A work%2C CPU time::");
		expect(stdout).toMatch(/wall time: \+\d.*not judged/);
		const folder = join(repo.folder, "results", "latest", "gate");
		expect(readFileSync(join(folder, "gate-junit.xml"), "utf8")).toMatch(
			/tests="1" failures="1" skipped="0"/,
		);
		expect(readFileSync(join(folder, "GATE.md"), "utf8")).toContain("| work, CPU time |");
		const [plane] = reportOf(repo).planes;
		expect(plane?.judged[0]?.figures).toMatchObject({ margin: 0.03, second: { margin: 0.03 } });
	});

	test("judges a checkout with changes that are not committed", async () => {
		const repo = repository(madeUp(1_000), madeUp(1_000));
		repo.write({ "work.js": madeUp(1_200) });
		expect((await gate(repo, "--base", "HEAD")).code).toBe(1);
		expect(reportOf(repo).candidate).toContain("with changes that are not committed");
	});

	test("cannot tell where noise is larger than the margin", async () => {
		const repo = repository(madeUp(1_000, 5), madeUp(1_000, 5));
		const { code, stdout } = await gate(repo, "--reporter", "junit,github");
		expect(code).toBe(3);
		expect(stdout).toMatch(
			/inconclusive: work, CPU time: .*the budget is spent: \d+ % is the smallest difference that shows here/,
		);
		expect(stdout).toContain("::warning title=klais gate%3A work%2C CPU time::");
		const xml = readFileSync(join(repo.folder, "results", "latest", "gate", "gate-junit.xml"), "utf8");
		expect(xml).toMatch(/tests="1" failures="0" skipped="1"/);
	});

	test("a margin from the command line, and one from the suite before it", async () => {
		const repo = repository(madeUp(1_000), madeUp(1_100));
		expect((await gate(repo, "--time-margin", "20%")).code).toBe(0);
		const strict = repository(
			madeUp(1_000),
			madeUp(1_100),
			SUITE.replace("work.js]", "work.js], margin: 2%"),
		);
		expect((await gate(strict, "--time-margin", "20%")).code).toBe(1);
	});

	test("a benchmark that the change broke fails, one that prints nothing is undecided", async () => {
		const broken = repository(madeUp(1_000), "process.exit(7)");
		const failed = await gate(broken);
		expect(failed).toMatchObject({
			code: 1,
			stdout: expect.stringContaining("the candidate cannot run it: it ended with 7"),
		});
		const silent = repository("", "");
		expect(await gate(silent)).toMatchObject({
			code: 3,
			stdout: expect.stringContaining("it printed no measurement"),
		});
	});

	test("keeps nothing of a build that fails", async () => {
		const repo = repository(madeUp(1), madeUp(1), SUITE.replace("require('node:fs')", "nonsense"));
		const { code, stderr } = await gate(repo);
		expect(code).toBe(2);
		expect(stderr).toMatch(/does not build: node -e .*nonsense/);
		const [home = ""] = readdirSync(repo.cache);
		expect(readdirSync(join(repo.cache, home))).toEqual([]);
		expect(git(repo.folder, "worktree", "list").split("\n")).toHaveLength(1);
	});

	test("compares what the scenarios give in both trees", async () => {
		const results = pspsResults(["klais"]);
		const [run] = results.runs;
		const moved = { ...results, runs: [{ ...run, digest: "ff" }] };
		const copy = `require("node:fs").copyFileSync("record.json", process.argv[2] + "/results.json")`;
		const suite = `schema: klais.gate/1\nexact:\n  command: [node, run.js, "{out}"]\n`;
		const repo = newRepository();
		const common = { "bench/gate.yaml": suite, ".gitignore": "results", "run.js": copy };
		repo.commit({ ...common, "record.json": JSON.stringify(results) });
		repo.commit({ "record.json": JSON.stringify(moved) });
		const { code, stdout } = await gate(repo);
		expect(stdout).toMatch(/fail: psps\S* \/ klais .*: other events, though no metric moved/);
		expect(code).toBe(1);
		expect((await gate(repo, "--margin", "digest=any")).code).toBe(0);
		// What the candidate gave is kept as a record: the next baseline.
		expect(recordIn(join(repo.folder, "results", "latest", "gate")).runs).toMatchObject([{ digest: "ff" }]);
		repo.write({ "run.js": "process.exit(9)" });
		const broken = await gate(repo);
		expect(broken).toMatchObject({
			code: 1,
			stdout: expect.stringContaining("the candidate cannot run them: it ended with 9"),
		});
	});

	test("stops at once, proves nothing, and leaves no process", async () => {
		const slow = `setTimeout(() => {}, 60_000); require("node:fs").writeFileSync("pid", String(process.pid));`;
		const repo = repository(slow, slow);
		const { child, ended } = startKlais(["gate", "--base", "HEAD~1", "--cache", repo.cache], {
			cwd: repo.folder,
		});
		await new Promise<void>((resolve) =>
			child.stderr.on("data", (text: string) => text.includes("warming up") && setTimeout(resolve, 1_000)),
		);
		child.kill("SIGINT");
		expect((await ended).code).toBe(130);
		const home = join(repo.cache, readdirSync(repo.cache)[0] as string);
		const tree = readdirSync(home).find((name) => !name.includes(".")) as string;
		const pid = Number(readFileSync(join(home, tree, "pid"), "utf8"));
		expect(() => process.kill(pid, 0)).toThrow("ESRCH");
	});
});

describe("klais gate --base, wrong input", () => {
	test.each([
		[["--base", "nowhere"], 'no such commit: "nowhere"'],
		[["--base", "--help"], 'no such commit: "--help"'],
		[["--suite", "none.yaml"], "none.yaml: no such file"],
		[["--plane", "exact"], "has nothing for the plane exact"],
		[["--plane", "speed"], 'unknown name "speed"'],
		[["--only", "wrok"], 'has no benchmark "wrok": expected work. Did you mean "work"?'],
		[["--budget", "ages"], "--budget: expected a duration"],
		[["--blocks", "0"], "--blocks: expected a whole number from 1 to 1000"],
		[["--time-margin", "3"], "--time-margin: expected a share above 0 such as 3%"],
		[["--judge", "both"], 'unknown name "both"'],
		[["--baseline", "x.json"], "expected one of --baseline FILE"],
	])("%j", async (flags, message) => {
		const repo = repository(madeUp(1), madeUp(1));
		const { code, stderr } = await gate(repo, ...flags);
		expect(stderr).toContain(message);
		expect(code).toBe(2);
		expect(existsSync(join(repo.folder, "results"))).toBe(false);
	});

	test("outside of a repository", async () => {
		const { folder, cache } = newRepository();
		const { code, stderr } = await klais(["gate", "--base", "HEAD", "--cache", cache], {
			cwd: join(folder, ".."),
		});
		expect(code).toBe(2);
		expect(stderr).toContain("not in a git repository: --base needs one, --baseline FILE does not");
	});

	test("a budget that is too small", async () => {
		const repo = repository(madeUp(1), madeUp(1));
		const { code, stdout } = await gate(repo, "--budget", "1ms");
		expect(stdout).toMatch(/budget of 0.001 s is too small: 6 blocks take \d+ s/);
		expect(code).toBe(3);
	});
});
