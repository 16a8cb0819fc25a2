import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseResults, readResults, resultsJsonSchema } from "../../src/record/results-schema.js";
import { serialiseResults } from "../../src/record/write-results.js";
import { liveRun } from "../fixtures/live-run.js";
import { pspsResults } from "../fixtures/psps-results.js";

const results = pspsResults();
const text = serialiseResults(results);

function errorOf(source: string) {
	const parsed = parseResults(source, "results.json");
	if (parsed.ok) {
		throw new Error("expected an error");
	}
	return parsed.error;
}

/** The line that holds `needle`, counted from 1. */
function lineOf(source: string, needle: string): number {
	return source.slice(0, source.indexOf(needle)).split("\n").length;
}

describe("parseResults", () => {
	it("gives back what was stored, and keeps fields that it does not know", () => {
		expect(parseResults(text, "results.json")).toEqual({ ok: true, value: results });
		const later = { ...results, added: 1, runs: results.runs.map((run) => ({ ...run, added: 2 })) };
		expect(parseResults(serialiseResults(later), "f")).toEqual({ ok: true, value: later });
		expect(parseResults(`\ufeff${text}`, "f").ok).toBe(true);
	});

	it("stores each series column on one line, so that a diff of two records can be read", () => {
		const lines = text.split("\n");
		expect(lines.filter((line) => line.includes('"online": [')).length).toBe(results.runs.length);
		expect(lines.length).toBeLessThan(500);
	});

	it("names key, line and column of a wrong value", () => {
		const bad = text.replace('"drainRatio": 1.031', '"drainRatio": "fast"');
		expect(errorOf(bad)).toMatchObject({
			kind: "schema",
			key: "runs[1].virtual.drainRatio",
			file: "results.json",
			line: lineOf(bad, '"fast"'),
			message: expect.stringContaining("expected number"),
		});
	});

	it("names a missing key at the place that lacks it", () => {
		const bad = text.replace('"ackedLost": 0,', "");
		const error = errorOf(bad);
		expect(error).toMatchObject({ kind: "schema", key: "runs[0].ledger.ackedLost" });
		expect(error.line).toBe(lineOf(bad, '"ledger"'));
	});

	it.each([
		["cut short", text.slice(0, 5_000), "cut short"],
		["empty", "", "cut short"],
		["a missing comma", text.replace('"version": "0.1.0",', '"version": "0.1.0"'), "not valid JSON"],
	])("says where JSON ends: %s", (_name, source, message) => {
		const error = errorOf(source);
		expect(error.kind).toBe("syntax");
		expect(error.message).toContain(message);
		expect(error.line).toBeGreaterThan(0);
	});

	it.each([
		["another version", { ...results, schema: "klais.results/2" }],
		["no record", { hello: "world" }],
		["an array", []],
		["null", null],
		["a number", 7],
	])("refuses %s by its schema name", (_name, value) => {
		expect(errorOf(JSON.stringify(value))).toMatchObject({ kind: "schema", key: "schema" });
	});

	it("knows live runs: keeps what it does not know of them, refuses what is wrong", () => {
		const whole = { ...results, live: [{ ...liveRun(), added: 1 }] };
		expect(parseResults(serialiseResults(whole), "f")).toEqual({ ok: true, value: whole });
		const wrong = (live: object) => errorOf(JSON.stringify({ ...results, live: [live] })).key;
		const run = liveRun();
		expect(wrong({ name: "x" })).toBe("live[0].scenario");
		expect(wrong({ ...run, xdp: { ...run.xdp, used: "fast" } })).toBe("live[0].xdp.used");
		expect(wrong({ ...run, series: { ...run.series, onlineMeasured: [] } })).toBe(
			"live[0].series.onlineMeasured",
		);
		expect(wrong({ ...run, assertions: [{ name: "ledger", holds: "yes", message: "" }] })).toBe(
			"live[0].assertions[0].holds",
		);
	});

	it("refuses columns of unequal length", () => {
		const [run] = results.runs;
		if (run === undefined) {
			throw new Error("the fixture has runs");
		}
		const series = { ...run.series, online: run.series.online.slice(1) };
		expect(errorOf(JSON.stringify({ ...results, runs: [{ ...run, series }] }))).toMatchObject({
			key: "runs[0].series.online",
			message: "expected 400 rows, as in timeSeconds, found 399",
		});
	});

	it.each([-1, 1.5, "7", null])("refuses %j readings", (value) => {
		const bad = text.replace('"reordered": 0', `"reordered": ${JSON.stringify(value)}`);
		expect(errorOf(bad).key).toBe("runs[0].ledger.reordered");
	});
});

describe("readResults", () => {
	let folder = "";
	beforeAll(async () => {
		folder = await mkdtemp(join(tmpdir(), "klais-results-"));
	});
	afterAll(() => rm(folder, { recursive: true, force: true }));

	it("tells a missing file, a folder and no text apart", async () => {
		const binary = join(folder, "binary.json");
		await writeFile(binary, Buffer.from([0x7b, 0xff, 0xfe]));
		const kinds = await Promise.all(
			[join(folder, "absent.json"), folder, binary].map(async (path) => {
				const read = await readResults(path);
				return read.ok ? "ok" : read.error.kind;
			}),
		);
		expect(kinds).toEqual(["not-found", "unreadable", "unreadable"]);
	});
});

describe("resultsJsonSchema", () => {
	it("describes every field of a record", () => {
		const schema = JSON.stringify(resultsJsonSchema());
		const keys = new Set<string>();
		const collect = (value: unknown): void => {
			if (Array.isArray(value)) {
				value.forEach(collect);
			} else if (typeof value === "object" && value !== null) {
				for (const [key, item] of Object.entries(value)) {
					keys.add(key);
					collect(item);
				}
			}
		};
		const [run] = results.runs;
		collect({
			...results,
			runs: [
				{ ...run, config: null, virtual: { ...run?.virtual, drops: {} }, wall: { ...run?.wall, phases: {} } },
			],
		});
		for (const key of keys) {
			expect(schema, key).toContain(`"${key}":`);
		}
		expect(schema).not.toContain("readOnly");
		expect(resultsJsonSchema()["$schema"]).toBe("https://json-schema.org/draft/2020-12/schema");
	});
});
