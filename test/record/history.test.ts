import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { historyEntryOf, parseHistory, serialiseHistory, withEntry } from "../../src/record/history.js";
import type { ResultsFile } from "../../src/record/run-record.js";
import { pspsResults } from "../fixtures/psps-results.js";

const at = (commit: string, command = "klais run ci"): ResultsFile => {
	const results = pspsResults(["none", "klais"]);
	return { ...results, command, tool: { ...results.tool, commit } };
};

describe("the history of published records", () => {
	it("has a line a commit and suite, and reads it back", () => {
		let history = withEntry([], historyEntryOf(at("a"), "2026-11-24"));
		history = withEntry(history, historyEntryOf(at("b"), "2026-11-25"));
		history = withEntry(history, historyEntryOf(at("b", "klais run smoke"), "2026-11-25"));
		history = withEntry(history, historyEntryOf(at("a"), "2026-11-26"));
		expect(history.map(({ commit, suite, date }) => `${commit} ${suite} ${date}`)).toEqual([
			"a klais run ci 2026-11-26",
			"b klais run ci 2026-11-25",
			"b klais run smoke 2026-11-25",
		]);
		const text = serialiseHistory(history);
		expect(text.trimEnd().split("\n")).toHaveLength(3);
		expect(parseHistory(text, "h.ndjson")).toEqual({ ok: true, value: history });
	});

	it("holds the verdict and the figures of every run", () => {
		const entry = historyEntryOf(at("a"), "2026-11-24");
		expect(entry.passed).toBe(true);
		expect(entry.runs.map(({ policy, drainRatio }) => [policy, drainRatio])).toEqual([
			["none", null],
			["klais", expect.any(Number)],
		]);
		expect(historyEntryOf({ ...at("a"), partial: true }, "2026-11-24").passed).toBe(false);
	});

	it("names the bad line, whatever it holds", () => {
		const good = serialiseHistory([historyEntryOf(at("a"), "2026-11-24")]);
		for (const bad of [
			"{",
			"{}",
			"[]",
			'{"schema":"klais.history/2"}',
			good.replace("2026-11-24", "yesterday"),
		]) {
			const found = parseHistory(`${good}\n${bad.trim()}\n`, "h.ndjson");
			expect(found).toMatchObject({ ok: false, error: { kind: "schema", file: "h.ndjson", line: 3 } });
		}
		fc.assert(
			fc.property(fc.string(), (text) => {
				parseHistory(text, "h.ndjson");
			}),
		);
	});
});
