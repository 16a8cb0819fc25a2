import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { klais, newFolder, PROJECT, TINY } from "../cli/support.js";
import { git, newRepository } from "./repository.js";

const page = readFileSync(join(PROJECT, "docs", "ci.md"), "utf8");

/** A shell block of the page, by the name in the comment above it. */
function recipe(name: string): string {
	const [, text] = new RegExp(`<!-- recipe: ${name} -->\\n\`\`\`sh\\n([\\s\\S]*?)\`\`\``).exec(page) ?? [];
	expect(text).toBeDefined();
	return text as string;
}

/**
 * A repository of klais whose set-up takes this project's build in place of making one, which takes minutes and has its own
 * tests: what a user's CI clones.
 */
function standIn(): string {
	const link = `
		import { symlinkSync } from "node:fs";
		for (const name of ["dist", "bin", "node_modules"]) symlinkSync("${PROJECT}/" + name, new URL("../" + name, import.meta.url));
		symlinkSync("${PROJECT}/native/klais.node", new URL("../native/klais.node", import.meta.url));
	`;
	const repository = newRepository();
	repository.commit({
		"package.json": JSON.stringify({
			name: "klais-bench",
			version: "0.1.0",
			type: "module",
			scripts: { setup: "node scripts/setup.mjs" },
		}),
		"scripts/setup.mjs": link,
		"native/README": "the library is put here",
	});
	return repository.folder;
}

/** A user's repository, with a scenario and the record of what it gave. */
async function userRepository(scenario: string): Promise<string> {
	const { folder, commit } = newRepository();
	writeFileSync(join(folder, "my-fleet.yaml"), TINY);
	const made = await klais(
		["run", "my-fleet.yaml", "--policy", "klais,static", "--out", "baseline", "--reporter", "json"],
		{ cwd: folder },
	);
	expect(made.code).toBe(0);
	commit({ "my-fleet.yaml": scenario.replace("[none, static, klais]", "[klais, static]") });
	return folder;
}

function clone(folder: string): string {
	const place = join(newFolder(), "work");
	git(folder, "clone", "--quiet", folder, place);
	return place;
}

function shell(text: string, cwd: string, env: Readonly<Record<string, string>>, program = "sh") {
	const { CI: _ci, FORCE_COLOR: _colour, ...inherited } = process.env;
	const run = spawnSync(program, ["-e", "-c", text], {
		cwd,
		encoding: "utf8",
		env: { ...inherited, NO_COLOR: "1", ...env },
	});
	return { code: run.status, printed: `${run.stdout}${run.stderr}` };
}

describe("the shell recipe of docs/ci.md, as a user's CI runs it", () => {
	const run = (cwd: string) => {
		const summary = join(newFolder(), "summary.md");
		const env = { KLAIS_REPOSITORY: `file://${standIn()}`, GITHUB_STEP_SUMMARY: summary };
		const got = shell(recipe("get"), cwd, env);
		expect(got).toEqual({ code: 0, printed: "" });
		return {
			...shell(recipe("gate"), cwd, env),
			summary: existsSync(summary) ? readFileSync(summary, "utf8") : "",
		};
	};

	test("is green when nothing moved", async () => {
		const work = clone(await userRepository(TINY));
		const { code, printed, summary } = run(work);
		expect(code === 0 ? "" : printed).toBe("");
		expect(printed).toContain("gate: PASS");
		expect(summary).toContain("## Gate: PASS");
		expect(existsSync(join(work, "results", "gate", "gate-junit.xml"))).toBe(true);
	});

	test("says that another scenario cannot be compared", async () => {
		const { code, printed } = run(
			clone(await userRepository(TINY.replace("capacity: 600/s", "capacity: 500/s"))),
		);
		expect(printed).toContain("broker.capacityPerSecond is 600 in the base, 500 in the candidate");
		expect(code).toBe(2);
	});

	test("is red when what the scenario gives has moved", async () => {
		const work = clone(await userRepository(TINY));
		const file = join(work, "baseline", "results.json");
		// As if the code that made the record had been another.
		writeFileSync(
			file,
			readFileSync(file, "utf8").replace(/"attemptsPerConnect": [\d.]+/, '"attemptsPerConnect": 1.5'),
		);
		const { code, printed, summary } = run(work);
		expect(printed).toMatch(/fail: tiny \/ klais .*: 1 metric beyond what is allowed/);
		expect(summary).toContain("## Gate: FAIL");
		expect(code).toBe(1);
	});
});

interface Step {
	readonly id?: string;
	readonly env: Readonly<Record<string, string>>;
	readonly run: string;
	readonly shell: string;
}

/** Runs the steps of action.yml as GitHub would: expressions put in, each step a shell of its own. */
function runAction(cwd: string, given: Readonly<Record<string, string>>) {
	const action = parse(readFileSync(join(PROJECT, "action.yml"), "utf8")) as {
		inputs: Record<string, { default?: string }>;
		runs: { steps: Step[] };
	};
	const inputs = {
		...Object.fromEntries(Object.entries(action.inputs).map(([name, input]) => [name, input.default ?? ""])),
		...given,
	};
	const path = clone(standIn());
	const fill = (text: string) =>
		text.replace(/\$\{\{ (?:inputs\.([\w-]+)|github\.action_path) \}\}/g, (_, name) =>
			name === undefined ? path : (inputs[name] as string),
		);
	const folder = newFolder({ output: "", "summary.md": "" });
	const [output, summary] = [join(folder, "output"), join(folder, "summary.md")];
	let [code, printed] = [0, ""];
	for (const { env, run, shell: program } of action.runs.steps) {
		const all = Object.fromEntries(Object.entries(env).map(([name, text]) => [name, fill(text)]));
		// No expression may stand in a script: what a user types would be run.
		expect(run).not.toContain("${{");
		const ended = shell(run, cwd, { ...all, GITHUB_OUTPUT: output, GITHUB_STEP_SUMMARY: summary }, program);
		printed += ended.printed;
		code ||= ended.code ?? -1;
	}
	return { code, printed, output: readFileSync(output, "utf8"), summary: readFileSync(summary, "utf8") };
}

describe("action.yml, step by step", () => {
	test("passes, and says so", async () => {
		const work = clone(await userRepository(TINY));
		const { code, printed, output, summary } = runAction(work, {
			scenarios: "my-fleet.yaml",
			baseline: "baseline/results.json",
		});
		expect(code === 0 ? "" : printed).toBe("");
		expect(output).toBe("results=results/klais/results.json\nverdict=pass\n");
		expect(summary).toMatch(/tiny[\s\S]*## Gate: PASS/);
		expect(printed).toContain("::notice title=klais gate::PASS");
	});

	test("takes arguments and margins apart, and fails", async () => {
		const work = clone(await userRepository(TINY));
		const given = {
			scenarios: "my-fleet.yaml",
			arguments: "--seed eight",
			baseline: "baseline/results.json",
			margins: "digest=any virtual.*=5%",
		};
		// Another seed is another run.
		expect(runAction(work, given)).toMatchObject({
			code: 2,
			output: expect.stringContaining("verdict=incomparable"),
		});
	});
});
