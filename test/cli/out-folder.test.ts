import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { copiedTree, klais, newFolder, recordIn, TINY } from "./support.js";

const RUN = ["run", "tiny.yaml", "--policy", "klais", "--reporter", "json", "--out"];

describe("a folder that cannot be written", () => {
	test("is said before anything runs: a file in the way", async () => {
		const cwd = newFolder({ "tiny.yaml": TINY, file: "" });
		for (const out of ["file", "file/deeper/still"]) {
			const { code, stdout, stderr } = await klais([...RUN, out], { cwd });
			expect(code).toBe(2);
			expect(stderr).toMatch(new RegExp(`^${out}: cannot write the results: a file is in the way`));
			expect(stderr).not.toContain("started");
			expect(stdout).toBe("");
		}
		expect(readdirSync(cwd).sort()).toEqual(["file", "tiny.yaml"]);
	});

	test("is said before anything runs: a full disk", async ({ skip }) => {
		skip(process.getuid?.() !== 0 || process.platform !== "linux", "only root can mount a small disk");
		const cwd = newFolder({ "tiny.yaml": TINY });
		const disk = join(cwd, "disk");
		mkdirSync(disk);
		const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", disk]);
		skip(mounted.status !== 0, "this container may not mount a disk");
		onTestFinished(() => {
			spawnSync("umount", [disk]);
		});
		for (const out of ["disk", "disk/new"]) {
			const { code, stderr } = await klais([...RUN, out], { cwd });
			expect(stderr).toMatch(new RegExp(`^${out}: cannot write the results: the disk is full`));
			expect(code).toBe(2);
			expect(stderr).not.toContain("started");
			expect(readdirSync(disk)).toEqual([]);
		}
	});

	test("costs no record when it fails after the run", async () => {
		// The engine stub puts a file in the way once the run is under way.
		const stub = `import { writeFileSync } from "node:fs";
			export class Simulation extends Real {
				run(control, elapsed) {
					writeFileSync(process.env.IN_THE_WAY, "");
					return super.run(control, elapsed);
				}
			}`;
		const cwd = newFolder({ "tiny.yaml": TINY });
		const env = { IN_THE_WAY: join(cwd, "o") };
		const { code, stderr } = await klais([...RUN, "o"], { cwd, tree: copiedTree(stub), env });
		expect(code).toBe(2);
		expect(stderr).toContain("o: cannot write the results: a file is in the way");
		const rescued = /klais report (\S+results\.json) --out FOLDER/.exec(stderr)?.[1] ?? "";
		onTestFinished(() => rmSync(dirname(rescued), { recursive: true, force: true }));
		expect(recordIn(dirname(rescued)).partial).toBe(false);
	});
});

test("results of an earlier run are replaced, files of others stay, nothing else is left", async () => {
	const cwd = newFolder({ "tiny.yaml": TINY });
	const out = join(cwd, "o");
	mkdirSync(out);
	writeFileSync(join(out, "junit.xml"), "of an earlier run");
	writeFileSync(join(out, "notes.txt"), "mine");
	expect((await klais([...RUN, "o"], { cwd })).code).toBe(0);
	expect(readdirSync(out).sort()).toEqual(["notes.txt", "results.json"]);
	expect(readFileSync(join(out, "notes.txt"), "utf8")).toBe("mine");
	expect(existsSync(join(cwd, "results"))).toBe(false);
	expect(readdirSync(cwd).sort()).toEqual(["o", "tiny.yaml"]);
});
