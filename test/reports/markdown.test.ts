import { describe, expect, it } from "vitest";
import type { ResultsFile, RunRecord } from "../../src/record/run-record.js";
import { COMMENT_BYTES_MAX, renderMarkdown, SUMMARY_BYTES_MAX } from "../../src/reports/markdown.js";
import { LEDGER, METRICS } from "../../src/reports/metrics.js";
import { pspsResults, pspsRun } from "../fixtures/psps-results.js";
import { EDGES, fileOf, HOSTILE, withVirtual } from "./support.js";

const text = renderMarkdown(pspsResults(["none", "static", "klais"]));

/** Paths of every number (or null) below `value`. */
function leaves(value: unknown, path: string): string[] {
	return typeof value === "object" && value !== null
		? Object.entries(value).flatMap(([key, item]) => leaves(item, `${path}.${key}`))
		: [path];
}

describe("renderMarkdown", () => {
	it("leads with the answer in three lines", () => {
		const [title, , first, second, third] = text.split("\n");
		expect(title).toBe("# KLAIS benchmark results");
		expect(first).toMatch(
			/^1\. \*\*Passed\.\*\* `klais` drained .* in 21\.3 h, 1\.03x the physical bound; nothing lost, nothing twice\.$/,
		);
		expect(second).toMatch(
			/^2\. `none` never drained \(252 M readings left\), stored 300 M duplicates .*`static` took/,
		);
		expect(third).toMatch(
			/^3\. Do: admit 250 sessions\/s on each of 4 gateways .*buffer.*do not count on firmware backoff/,
		);
	});

	it("shows every figure of the record, with what it means", () => {
		const run = pspsRun("klais");
		const known = new Set(METRICS.map((metric) => metric.id));
		const missing = leaves(run.virtual, "virtual")
			.map((path) => path.replace(/^virtual\.drops\..*/, "virtual.drops"))
			.filter((path) => !known.has(path) && path !== "virtual.forecast");
		expect(missing).toEqual([]);
		for (const metric of METRICS) {
			expect(text).toContain(`| ${metric.label} |`);
			expect(text).toContain(`(\`${metric.id}\`)`);
		}
		expect(LEDGER.map((column) => column.value({ ...run, ledger: COUNTING }))).toEqual([
			1, 2, 3, 4, 5, -13, 6, 7, 8,
		]);
	});

	it("keeps virtual and wall-clock figures in tables of their own", () => {
		const sections = text.split(/^### /m);
		const wall = sections.filter((section) => section.includes("Events per second"));
		expect(wall).toHaveLength(1);
		expect(wall[0]).toMatch(/^Wall clock \(noisy/);
		const [, table = ""] = /(\| Wall time[\s\S]*?)\n\n/.exec(wall[0] ?? "") ?? [];
		expect(table).not.toContain("Drain");
	});

	it("says how to repeat it, with which seed and digest, and where", () => {
		for (const part of [
			"klais run psps-2019-10-25 --seed b7",
			"9f2c11d07a63e854",
			"| b7 |",
			"AMD EPYC",
			"6.18.5",
			"0123456789abcdef",
		]) {
			expect(text).toContain(part);
		}
	});

	it("has one shape of table throughout: as many cells in each row as in its head", () => {
		for (const [table] of text.matchAll(/(?:^\|.*\n)+/gm)) {
			const widths = table
				.trimEnd()
				.split("\n")
				.map((row) => row.replace(/\\\|/g, "").split("|").length);
			expect(new Set(widths).size, table).toBe(1);
		}
	});

	it("links only charts that exist, or none on request", async () => {
		const { reportFiles } = await import("../../src/reports/report-files.js");
		const files = await reportFiles(pspsResults(["none", "klais"]), new Set(["md"]));
		const names = new Set(files.map((file) => file.name));
		const markdown = renderMarkdown(pspsResults(["none", "klais"]));
		const links = [...markdown.matchAll(/(?:\(|srcset="|src=")(charts\/[^)"]+)/g)].map((match) => match[1]);
		expect(links.length).toBeGreaterThan(8);
		expect(links.filter((link) => link === undefined || !names.has(link))).toEqual([]);
		expect(renderMarkdown(pspsResults(), { chartsFolder: null })).not.toContain("charts/");
	});

	it("says loudly that klais never drained", () => {
		const never = renderMarkdown(EDGES["klais never drained"] ?? fileOf());
		expect(never).toContain("NEVER DRAINED: 1 reading of backlog left at the end");
		expect(never).toContain("**never drained**");
	});

	it("does not call it a failure when nothing had to drain", () => {
		const calm = renderMarkdown(EDGES["all zero"] ?? fileOf());
		expect(calm).toContain("had no backlog to drain");
		expect(calm).toContain("| nothing to drain |");
		expect(calm.toLowerCase()).not.toContain("never drained");
	});

	it("speaks of lost, doubled and unaccounted readings where there are any", () => {
		const run = pspsRun("klais");
		const with_ = (ledger: Partial<RunRecord["ledger"]>) =>
			renderMarkdown(fileOf({ ...run, ledger: { ...run.ledger, ...ledger } }));
		expect(with_({ duplicates: 3 })).toMatch(/^1\. \*\*FAILED\.\*\* .*3 readings stored TWICE/m);
		expect(with_({ ackedLost: 2 })).toContain("2 readings acknowledged and LOST");
		expect(with_({ imbalance: "device 7" })).toContain("the ledger DOES NOT BALANCE");
		const lost = with_({ lostOverflow: 44, durable: run.ledger.durable - 44 });
		expect(lost).toContain(
			"44 readings lost by the devices themselves (full buffers), none on the way, nothing twice",
		);
		expect(lost).toContain("enlarge the device buffer beyond 480 readings (120 h)");
	});

	it("marks partial results at the top", () => {
		expect(
			renderMarkdown(EDGES["stopped early"] ?? fileOf())
				.split("\n")
				.slice(2, 4)
				.join(" "),
		).toContain("Partial results");
	});

	it("escapes names", () => {
		const hostile = renderMarkdown(EDGES["hostile names"] ?? fileOf());
		const outside = hostile.replace(/```[\s\S]*?```/g, "").replace(/(`+)[^`\n].*?\1/g, "");
		expect(outside).not.toMatch(/<script|<img src=x/);
		expect(hostile).not.toContain(HOSTILE);
	});

	it("answers for the worst of several seeds", () => {
		const runs = [1.1, 1.4, 1.2].map((drainRatio, i) => ({ ...withVirtual({ drainRatio }), seed: `s${i}` }));
		expect(renderMarkdown(fileOf(...runs))).toContain("`klais` (the worst of 3 runs) drained");
		expect(renderMarkdown(fileOf(...runs))).toContain("1.40x the physical bound");
	});

	const suite = (count: number, failing: readonly number[] = []) =>
		fileOf(
			...Array.from({ length: count }, (_, index) => {
				const run = { ...pspsRun("klais"), scenario: `scenario-${index}` };
				return failing.includes(index) ? { ...run, ledger: { ...run.ledger, duplicates: 3 } } : run;
			}),
		);
	const comment = (results: ResultsFile) =>
		renderMarkdown(results, { chartsFolder: null, bytesMax: COMMENT_BYTES_MAX });

	it.each([20, 60, 400])(
		"fits a comment with %d scenarios: the answer, failures and the command in it",
		(count) => {
			const short = comment(suite(count, [1, count - 1]));
			expect(Buffer.byteLength(short)).toBeLessThanOrEqual(COMMENT_BYTES_MAX);
			expect(short).toMatch(count === 400 ? /^_Cut to fit/m : /^_Shortened to fit\. Left out/m);
			expect(short).toContain("BENCHMARK_RESULTS.html and results.json hold everything");
			const failure = `- **Failure**, \`scenario-${count - 1} / klais\`: 3 readings were stored twice`;
			expect(short.indexOf(failure)).toBeGreaterThan(0);
			expect(short.indexOf(failure)).toBeLessThan(short.indexOf("| Scenario | Verdict |"));
			expect(short).toContain("| [scenario-0](#scenario-scenario-0) | Passed |");
			expect(short).toContain("klais run psps-2019-10-25 --seed b7");
			// A failed scenario keeps its section for longer than any that passed.
			expect(short.includes("## Scenario `scenario-1`\n")).toBe(count !== 400);
			expect((short.match(/^```/gm) ?? []).length % 2).toBe(0);
		},
	);

	it("says which scenarios are left out, and keeps those that fit", () => {
		const short = comment(suite(200));
		const [, left = ""] = /Left out: (\d+) whole scenarios/.exec(short) ?? [];
		const kept = short.match(/^## Scenario /gm)?.length ?? 0;
		expect(kept).toBeGreaterThan(0);
		expect(Number(left) + kept).toBe(200);
	});

	it("never has a byte too many, and leaves out nothing that fits", () => {
		const results = suite(3);
		const whole = Buffer.byteLength(renderMarkdown(results));
		const at = (bytesMax: number) => renderMarkdown(results, { bytesMax });
		expect(at(whole)).not.toContain("Shortened");
		expect(at(whole - 1)).toContain("_Shortened to fit. Left out: resolved scenarios.");
		for (let bytesMax = whole - 1; bytesMax > 500; bytesMax = Math.floor(bytesMax * 0.93)) {
			expect(Buffer.byteLength(at(bytesMax))).toBeLessThanOrEqual(bytesMax);
		}
	});

	it("keeps a step summary of many runs below its limit", () => {
		const long = renderMarkdown(suite(240));
		expect(long).toContain("_Shortened to fit");
		expect(Buffer.byteLength(long)).toBeLessThanOrEqual(SUMMARY_BYTES_MAX);
		expect(SUMMARY_BYTES_MAX).toBeLessThan(1_048_576);
	});

	it.each(Object.entries(EDGES))("takes: %s", (_name, results) => {
		const markdown = renderMarkdown(results);
		expect(markdown).not.toMatch(/undefined|NaN|Infinity|\[object/);
		expect(Buffer.byteLength(markdown)).toBeLessThanOrEqual(SUMMARY_BYTES_MAX);
	});
});

const COUNTING = {
	produced: 1,
	durable: 2,
	buffered: 3,
	lostOverflow: 4,
	lostVolatile: 5,
	duplicates: 6,
	reordered: 7,
	ackedLost: 8,
	imbalance: null,
};
