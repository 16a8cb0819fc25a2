import { spawnSync } from "node:child_process";
import { access, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { writeResults } from "../../src/record/write-results.js";

const files = [
	{ name: "results.json", content: "{}\n" },
	{ name: "BENCHMARK_RESULTS.md", content: "# new\n" },
	{ name: "charts/a.svg", content: new TextEncoder().encode("<svg/>") },
];

let folder = "";
beforeEach(async () => {
	folder = await mkdtemp(join(tmpdir(), "klais-write-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** Every path below the test's folder. */
async function tree(below = folder): Promise<string[]> {
	return (await readdir(below, { recursive: true })).sort();
}

describe("writeResults", () => {
	it("makes the folder, its parents and the files, and leaves nothing else", async () => {
		const out = join(folder, "a", "b");
		expect(await writeResults(out, files)).toEqual({ ok: true, value: { folder: out } });
		expect(await tree(out)).toEqual(["BENCHMARK_RESULTS.md", "charts", "charts/a.svg", "results.json"]);
		expect(await tree()).toContain("a/b/results.json");
		expect((await readdir(join(folder, "a"))).length).toBe(1);
		// Others may read results: not the 0700 of a temporary folder.
		expect((await stat(out)).mode & 0o777).toBe(0o777 & ~process.umask());
	});

	it("replaces what klais wrote before, removes its stale reports, and keeps other files", async () => {
		await mkdir(join(folder, "charts"));
		for (const name of [
			"results.json",
			"BENCHMARK_RESULTS.html",
			"junit.xml",
			"charts/old.svg",
			"notes.txt",
		]) {
			await writeFile(join(folder, name), "old");
		}
		expect((await writeResults(folder, files)).ok).toBe(true);
		expect(await tree()).toEqual([
			"BENCHMARK_RESULTS.md",
			"charts",
			"charts/a.svg",
			"notes.txt",
			"results.json",
		]);
		expect(await readFile(join(folder, "results.json"), "utf8")).toBe("{}\n");
		expect(await readFile(join(folder, "notes.txt"), "utf8")).toBe("old");
	});

	it("writes through a symbolic link to a folder", async () => {
		await mkdir(join(folder, "real"));
		await symlink(join(folder, "real"), join(folder, "link"));
		expect((await writeResults(join(folder, "link"), files)).ok).toBe(true);
		await access(join(folder, "real", "results.json"));
	});

	it("refuses a file in the way, as the folder and above it", async () => {
		await writeFile(join(folder, "file"), "mine");
		for (const out of [join(folder, "file"), join(folder, "file", "deeper")]) {
			const written = await writeResults(out, files);
			expect(written).toMatchObject({ ok: false, error: { kind: "unwritable", file: out } });
			expect(written.ok ? "" : written.error.message).toContain("a file is in the way");
		}
		expect(await tree()).toEqual(["file"]);
		expect(await readFile(join(folder, "file"), "utf8")).toBe("mine");
	});

	it("leaves the old files whole when a new one cannot be written", async () => {
		await writeFile(join(folder, "results.json"), "old");
		const written = await writeResults(folder, [...files, { name: `${"x".repeat(300)}.svg`, content: "" }]);
		expect(written).toMatchObject({ ok: false, error: { kind: "unwritable" } });
		expect(await tree()).toEqual(["results.json"]);
		expect(await readFile(join(folder, "results.json"), "utf8")).toBe("old");
	});

	it("says so when the disk is full, and leaves nothing behind", async ({ skip }) => {
		const mounted = spawnSync("/usr/bin/mount", ["-t", "tmpfs", "-o", "size=128k", "tmpfs", folder]);
		if (mounted.status !== 0) {
			skip("mounting a small disk needs root");
		}
		try {
			const big = { name: "BENCHMARK_RESULTS.html", content: "x".repeat(1_000_000) };
			const written = await writeResults(join(folder, "out"), [...files, big]);
			expect(written).toMatchObject({ ok: false, error: { kind: "unwritable" } });
			expect(written.ok ? "" : written.error.message).toContain("the disk is full");
			expect(await tree()).toEqual([]);
		} finally {
			spawnSync("/usr/bin/umount", [folder]);
		}
	});
});
