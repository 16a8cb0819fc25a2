import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { serialiseResults } from "../../src/record/write-results.js";
import { pspsResults, pspsRun } from "../fixtures/psps-results.js";
import { klais, newFolder } from "./support.js";

describe("klais report --history", () => {
	test("notes a commit once, and shows the trend from the second on", async () => {
		const cwd = newFolder();
		const publish = (commit: string, digest: string, ...flags: readonly string[]) => {
			const results = pspsResults([]);
			const run = pspsRun("klais");
			const virtual = { ...run.virtual, drainRatio: digest === "d1" ? 1.5 : 1.2 };
			const tool = { ...results.tool, commit };
			const record = serialiseResults({ ...results, tool, runs: [{ ...run, digest, virtual }] });
			writeFileSync(join(cwd, "results.json"), record);
			return klais(["report", "results.json", "--history", "history/all.ndjson", ...flags], { cwd });
		};
		const lines = () =>
			readFileSync(join(cwd, "history", "all.ndjson"), "utf8")
				.trimEnd()
				.split("\n");
		const report = (name: string) => readFileSync(join(cwd, name), "utf8");

		expect((await publish("aaaaaaaaaaaa", "d1", "--date", "2026-11-24")).code).toBe(0);
		expect(report("BENCHMARK_RESULTS.md")).not.toContain("Over the commits");
		await publish("bbbbbbbbbbbb", "d2", "--date", "2026-11-25");
		await publish("bbbbbbbbbbbb", "d2", "--date", "2026-11-25");
		expect(lines()).toHaveLength(2);
		expect(report("BENCHMARK_RESULTS.md")).toMatch(/\| █▇ \| 1\.50x \| 1\.20x \| -20\.0 % \|/);
		expect(report("BENCHMARK_RESULTS.html")).toContain('<section id="trend">');

		writeFileSync(join(cwd, "history", "all.ndjson"), `${lines()[0]}\n{"half":\n`);
		const bad = await publish("cccccccccccc", "d3");
		expect(bad.code).toBe(2);
		expect(bad.stderr).toMatch(/history\/all\.ndjson:2/);
		expect(lines()).toHaveLength(2);
	});

	test("refuses a day that is none", async () => {
		const cwd = newFolder({ "results.json": serialiseResults(pspsResults()) });
		const args = ["report", "results.json", "--history", "h.ndjson", "--date", "2026-13-45"];
		const { code, stderr } = await klais(args, { cwd });
		expect(code).toBe(2);
		expect(stderr).toContain("--date");
	});
});
