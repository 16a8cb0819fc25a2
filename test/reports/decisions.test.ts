import { describe, expect, it } from "vitest";
import type { RunRecord } from "../../src/record/run-record.js";
import { renderHtml } from "../../src/reports/html.js";
import { renderMarkdown } from "../../src/reports/markdown.js";
import { pspsRun } from "../fixtures/psps-results.js";
import { fileOf, HOSTILE } from "./support.js";

const deciding = (decisions: unknown): RunRecord => ({ ...pspsRun("klais"), ...{ decisions } });

const ONE = { timeSeconds: 90, level: "narrow", capacityPerSecond: 2_500, reason: "commits slow down" };

describe("a controller's log of decisions", () => {
	it("stands in both reports, a row a decision, with the units of its keys", async () => {
		const results = fileOf(deciding([ONE, { timeSeconds: 91, level: "open", waitSeconds: 30 }]));
		const markdown = renderMarkdown(results);
		expect(markdown).toContain("<summary>What klais decided, and why: 2</summary>");
		expect(markdown).toContain("| At | level | capacity | reason | wait |");
		expect(markdown).toContain("| 90 s | narrow | 2,500/s | commits slow down | – |");
		expect(await renderHtml(results)).toContain("<summary>What klais decided, and why: 2</summary>");
	});

	it("is left out where there is none, and takes whatever a record may hold", async () => {
		for (const list of [undefined, null, 7, [], [null, 3, { reason: "no time" }], [{ timeSeconds: "1" }]]) {
			expect(await renderHtml(fileOf(deciding(list)))).not.toContain("--decisions");
		}
		const html = await renderHtml(fileOf(deciding([{ ...ONE, reason: HOSTILE, [HOSTILE]: [HOSTILE] }])));
		expect(html).not.toMatch(/<script>alert|<img src=x/);
		const many = Array.from({ length: 5_000 }, (_, timeSeconds) => ({ timeSeconds, reason: "tick" }));
		expect(renderMarkdown(fileOf(deciding(many)))).toContain("the first 200 of 5000");
	});
});
