import { XMLParser, XMLValidator } from "fast-xml-parser";
import { describe, expect, it } from "vitest";
import type { RunRecord } from "../../src/record/run-record.js";
import { renderGithub } from "../../src/reports/github.js";
import { renderJunit } from "../../src/reports/junit.js";
import { renderTerminal } from "../../src/reports/terminal.js";
import { pspsResults, pspsRun } from "../fixtures/psps-results.js";
import { EDGES, fileOf } from "./support.js";

const klais = pspsRun("klais");
const doubled: RunRecord = { ...klais, ledger: { ...klais.ledger, duplicates: 12_345 } };

describe("renderJunit", () => {
	const parser = new XMLParser({
		ignoreAttributes: false,
		attributeNamePrefix: "",
		isArray: (name) => name === "testcase",
	});

	it("has one test case a run, and fails those that break a promise", () => {
		const { testsuites } = parser.parse(renderJunit(fileOf(doubled, pspsRun("none"))));
		expect(testsuites).toMatchObject({ tests: "2", failures: "1", skipped: "0" });
		const [first, second] = testsuites.testsuite.testcase;
		expect(first).toMatchObject({ classname: "psps-2019-10-25", name: "klais", time: "48.200" });
		expect(first.failure).toEqual({ type: "duplicates", message: "12,345 readings were stored twice" });
		expect(second.failure).toBeUndefined();
		expect(second["system-out"]).toContain("never drained");
	});

	it("tells the expectations that hold, so that a pass says what it stands for", () => {
		const entry = { text: "duplicates == 0", metric: "ledger.duplicates", relation: "==", value: 0 };
		const { testsuites } = parser.parse(renderJunit(fileOf({ ...klais, config: { expect: [entry] } })));
		expect(testsuites.testsuite.testcase[0]["system-out"]).toContain("holds: duplicates == 0, found 0");
	});

	it("takes an unfinished run for skipped, not for passed", () => {
		const { testsuites } = parser.parse(renderJunit(EDGES["stopped early"] ?? fileOf()));
		expect(testsuites).toMatchObject({ tests: "1", failures: "0", skipped: "1" });
	});

	it.each(Object.entries(EDGES))("is valid XML: %s", (_name, results) => {
		expect(XMLValidator.validate(renderJunit(results))).toBe(true);
	});

	it("leaves out what XML forbids", () => {
		const xml = renderJunit(fileOf({ ...klais, scenario: "a\u0000b\u001b[31m\ud800<&\"'" }));
		expect(xml).toContain('name="ab[31m&lt;&amp;&quot;&apos;"');
	});
});

describe("renderGithub", () => {
	it("annotates failures as errors and the answer as a notice", () => {
		const [error, notice, ...rest] = renderGithub(fileOf(doubled)).trimEnd().split("\n");
		expect(error).toBe("::error title=klais%3A psps-2019-10-25%2C klais::12,345 readings were stored twice");
		expect(notice).toMatch(/^::notice title=klais%3A psps-2019-10-25::klais drained .*%0A.*%0ADo: /);
		expect(rest).toEqual([]);
		expect(renderGithub(fileOf())).toBe("");
	});

	it("lets no name start a command of its own", () => {
		const lines = renderGithub(EDGES["hostile names"] ?? fileOf())
			.trimEnd()
			.split("\n");
		expect(lines.every((line) => /^::(error|notice) title=klais/.test(line))).toBe(true);
	});
});

describe("renderTerminal", () => {
	it("shows the answer and a table", () => {
		const text = renderTerminal(pspsResults(["none", "klais"]), { colour: false, width: 120 });
		expect(text).toContain("psps-2019-10-25  PASSED");
		expect(text).toMatch(/│ none +│ never drained │/);
		expect(text).toMatch(/│ klais +│ +1\.03x │/);
		expect(text).toContain("klais drained a backlog");
	});

	it("names what failed", () => {
		const text = renderTerminal(fileOf(doubled), { colour: false });
		expect(text).toContain("psps-2019-10-25  FAILED");
		expect(text).toContain("klais: 12,345 readings were stored twice");
	});

	it("colours only when asked, and by default as NO_COLOR says", () => {
		const colour = "\u001b[";
		expect(renderTerminal(pspsResults(), { colour: true })).toContain(colour);
		expect(renderTerminal(pspsResults(), { colour: false })).not.toContain(colour);
		// The suite runs under NO_COLOR.
		expect(renderTerminal(pspsResults())).not.toContain(colour);
	});

	it.each([40, 60, 80, 120])("fits %d columns", (width) => {
		const lines = renderTerminal(pspsResults(["none", "static", "klais"]), { colour: false, width }).split(
			"\n",
		);
		expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(width);
	});

	it.each(Object.entries(EDGES))("takes: %s", (_name, results) => {
		const text = renderTerminal(results, { colour: false });
		expect(text).not.toMatch(/undefined|NaN|Infinity/);
		// biome-ignore lint/suspicious/noControlCharactersInRegex: none but the line feed may reach a terminal
		expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
	});
});
