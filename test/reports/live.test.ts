import { inflateSync } from "node:zlib";
import { XMLParser } from "fast-xml-parser";
import { describe, expect, it } from "vitest";
import type { LiveRecord } from "../../src/record/live-record.js";
import type { ResultsFile } from "../../src/record/run-record.js";
import { renderCharts } from "../../src/reports/charts.js";
import { renderGithub } from "../../src/reports/github.js";
import { renderHtml } from "../../src/reports/html.js";
import { renderJunit } from "../../src/reports/junit.js";
import { renderMarkdown } from "../../src/reports/markdown.js";
import { renderTerminal } from "../../src/reports/terminal.js";
import { liveRun } from "../fixtures/live-run.js";
import { variant, witness } from "../fixtures/live-witness.js";
import { pspsResults } from "../fixtures/psps-results.js";

const fileOf = (...live: readonly LiveRecord[]): ResultsFile => ({ ...pspsResults([]), live });
const broken = liveRun({
	assertions: [
		{ name: "ledger", holds: false, message: "7 readings are unaccounted for" },
		{ name: "exactly-once", holds: true, message: "0 readings were stored twice" },
	],
});

describe("a live run in reports", () => {
	it("shows measured beside predicted, and their ratio, in Markdown", () => {
		const text = renderMarkdown(fileOf(liveRun()));
		expect(text).toMatch(
			/^- \*\*Passed\*\*, live, `restart-100k \/ klais`: HELLOs answered in the kernel: 63\.4 %/m,
		);
		expect(text).toContain("|  | Measured (noisy) | Predicted (exact) | Measured / predicted |");
		expect(text).toContain("| Time to drain | 63.2 s | 61.5 s | 1.03x, met |");
		expect(text).toContain("- Time to drain: within 10 % of the simulator.");
		expect(text).toContain("| CPU of gateway 0 | 21.4 s | – | – |");
		expect(text).toContain("| generator | yes | sent 1.2 ms late at p99 |");
		expect(text).not.toContain('"figures"');
	});

	it("says aloud in each report what does not hold", async () => {
		const file = fileOf(broken);
		expect(renderMarkdown(file)).toContain("| ledger | **NO** | **7 readings are unaccounted for** |");
		expect(renderMarkdown(file)).toMatch(/^- \*\*FAILED\*\*, live, .*DOES NOT HOLD: ledger\.$/m);
		expect(renderTerminal(file, { colour: false })).toMatch(
			/^live: restart-100k \/ klais {2}FAILED\nledger: 7 readings/,
		);
		expect(renderGithub(file)).toContain(
			"::error title=klais%3A live%2C restart-100k / klais::ledger: 7 readings are unaccounted for",
		);
		const html = await renderHtml(file);
		expect(html).toMatch(/<p class="banner" role="status"><strong>A live run failed:<\/strong>/);
		expect(html).toContain('<td class="bad">7 readings are unaccounted for</td>');
	});

	it("is a suite of its own in JUnit, a case a promise", () => {
		const parser = new XMLParser({ ignoreAttributes: false, attributeNamePrefix: "" });
		const { testsuites } = parser.parse(renderJunit(fileOf(broken)));
		expect(testsuites).toMatchObject({ tests: "3", failures: "1", skipped: "0" });
		expect(testsuites.testsuite.name).toBe("live: restart-100k / klais");
		const [ran, ledger, once] = testsuites.testsuite.testcase;
		expect(ran).toMatchObject({ name: "runs to its end", time: "181.400" });
		expect(ledger.failure).toEqual({ type: "live-broken", message: "7 readings are unaccounted for" });
		expect(once.failure).toBeUndefined();
		const stopped = parser.parse(renderJunit(fileOf(liveRun({ complete: false }))));
		expect(stopped.testsuites).toMatchObject({ failures: "0", skipped: "1" });
		const nothing = parser.parse(renderJunit(fileOf(liveRun({ assertions: [] }))));
		expect(nothing.testsuites).toMatchObject({ tests: "1", failures: "1" });
	});

	it("shows a terminal what was predicted, as far as there is room", () => {
		const wide = renderTerminal(fileOf(liveRun()), { colour: false, width: 120 });
		expect(wide).toMatch(/│ Time to drain +│ +63\.2 s │ +61\.5 s │ +1\.03x, met │/);
		expect(wide).not.toContain("CPU of gateway 0");
		const narrow = renderTerminal(fileOf(liveRun()), { colour: false, width: 40 }).split("\n");
		expect(Math.max(...narrow.map((line) => line.length))).toBeLessThanOrEqual(40);
	});

	it("draws backlog and devices, and the page reads both lines out", async () => {
		const charts = await renderCharts(fileOf(liveRun(), liveRun()));
		expect(charts.map(({ name }) => name)).toEqual([
			"live--restart-100k-klais-live-backlog",
			"live--restart-100k-klais-live-devices",
			"live--restart-100k-klais-2-live-backlog",
			"live--restart-100k-klais-2-live-devices",
		]);
		expect(charts[0]?.description).toContain("at most 400 k measured, 400 k predicted");
		const html = await renderHtml(fileOf(liveRun()));
		const [, packed = ""] = /data-series="([^"]+)"/.exec(html) ?? [];
		const series = inflateSync(Buffer.from(packed, "base64")).toString();
		for (const column of ["backlogMeasured", "backlogPredicted", "onlineMeasured", "onlinePredicted"]) {
			expect(html).toContain(`data-source="0.${column}"`);
			expect(series).toContain(`"${column}":[`);
		}
	});

	it("says when the filter did not run where it was asked to", () => {
		const xdp = { asked: "native", used: "generic", reason: "the driver knows no native mode" } as const;
		const text = renderMarkdown(fileOf(liveRun({ xdp })));
		expect(text).toContain("| XDP | generic (asked for native: the driver knows no native mode) |");
	});

	it("puts the same with plain producers beside it, in each report, and fails nothing for what these lose", async () => {
		const lossy = variant("kafkajs-early", { missing: 11, stored: 10_989 }, { devicesBehind: 3 });
		const comparison = [variant("kafkajs", { twice: 7 }, { lateUntilSeconds: 31.25 }), lossy];
		const file = fileOf(liveRun({ witness: witness({}, { lateUntilSeconds: null }), comparison }));
		const markdown = renderMarkdown(file);
		expect(markdown).toContain(
			"The same outage with plain kafkajs producers in place of gateways and protocol",
		);
		expect(markdown).toMatch(/^\| klais \| 11,000 \| 11,000 \| 0 \| 0 \|.*\| never behind \|/m);
		expect(markdown).toMatch(/^\| kafkajs \| 11,000 \| 11,000 \| \*\*7\*\* \| 0 \|.*\| 31\.3 s \|/m);
		expect(markdown).toMatch(/^\| kafkajs-early \| 11,000 \| 10,989 \| 0 \| \*\*11\*\* \|/m);
		expect(markdown).toContain("**not by the end (3 devices)**");
		expect(markdown).toMatch(/^- \*\*Passed\*\*, live/m);
		expect(markdown).toContain(
			"kafkajs: devices sent 120 requests, 4 timed out and 2 failed, 9 readings were sent",
		);
		expect(await renderHtml(file)).toContain('<td class="bad">7</td>');
		const terminal = renderTerminal(file, { colour: false, width: 120 });
		expect(terminal).toMatch(/│ kafkajs +│ +7 │ +0 │ +31\.3 s │ +2\.05 s │/);
	});
});
