import { describe, expect, it } from "vitest";
import type { DecisionRow, RunRecord } from "../../src/record/run-record.js";
import { renderHtml } from "../../src/reports/html.js";
import { renderMarkdown } from "../../src/reports/markdown.js";
import { pspsRun } from "../fixtures/psps-results.js";
import { fileOf, HOSTILE } from "./support.js";

const deciding = (decisions: readonly DecisionRow[]): RunRecord => ({ ...pspsRun("klais"), decisions });

const ONE: DecisionRow = {
	atSeconds: 90,
	gateway: 1,
	level: 1,
	capacityPerSecond: 2_500,
	sessionsPerSecond: 0,
	reason: "latency",
};

describe("a controller's log of decisions", () => {
	it("stands in both reports, a row a decision", async () => {
		const results = fileOf(deciding([ONE, { ...ONE, atSeconds: 91, level: 0, sessionsPerSecond: 20 }]));
		const markdown = renderMarkdown(results);
		expect(markdown).toContain("<summary>What klais decided, and why: 2</summary>");
		expect(markdown).toContain("| At | gateway | given up | share of the sink | sessions | why |");
		expect(markdown).toContain("| 90 s | 1 | history slowed | 2,500/s | – | latency |");
		expect(markdown).toContain("| 91 s | 1 | nothing | 2,500/s | 20/s | latency |");
		expect(await renderHtml(results)).toContain("<summary>What klais decided, and why: 2</summary>");
	});

	it("is left out where there is none, cut where it is long, and harmless", async () => {
		expect(await renderHtml(fileOf(deciding([])))).not.toContain("--decisions");
		const html = await renderHtml(fileOf(deciding([{ ...ONE, reason: HOSTILE }])));
		expect(html).not.toMatch(/<script>alert|<img src=x/);
		const many = Array.from({ length: 5_000 }, (_, atSeconds) => ({ ...ONE, atSeconds }));
		expect(renderMarkdown(fileOf(deciding(many)))).toContain("the first 200 of 5000");
	});
});
