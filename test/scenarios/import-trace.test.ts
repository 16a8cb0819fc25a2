import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parseCohorts } from "../../src/scenarios/cohort-file.js";
import type { ImportOptions } from "../../src/scenarios/import-options.js";
import { importTrace } from "../../src/scenarios/import-trace.js";
import { loadScenario } from "../../src/scenarios/load-scenario.js";
import { writeImported } from "../../src/scenarios/write-imported.js";
import { devicesOut } from "./curve.js";

let folder = "";
beforeAll(() => {
	folder = mkdtempSync(join(tmpdir(), "klais-import-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const HEAD = "epoch_s,customers_out,glitch\n";

function importText(text: string | Uint8Array, options: Partial<ImportOptions> = {}) {
	const traceFile = join(folder, "trace.csv");
	writeFileSync(traceFile, text);
	return importTrace({ traceFile, ...options });
}

function imported(text: string | Uint8Array, options: Partial<ImportOptions> = {}) {
	const result = importText(text, options);
	if (!result.ok) {
		throw new Error(JSON.stringify(result.error));
	}
	return result.value;
}

/** [kind, key, line:column, a part of the message] */
const BAD: readonly (readonly [name: string, text: string, where: string, says: string])[] = [
	[
		"no time column",
		"when,customers_out\n1,2\n",
		"schema epoch_s 1",
		'the file has "when", "customers_out". Name it with --time-column',
	],
	["no count column", "epoch_s,outages\n1,2\n", "schema customers_out 1", "Name it with --out-column"],
	["no number", `${HEAD}600,many,0\n`, "schema customers_out 2:5", 'found "many"'],
	["a fraction", `${HEAD}600,1.5,0\n`, "schema customers_out 2:5", "whole number of customers"],
	["below nobody", `${HEAD}600,-1,0\n`, "schema customers_out 2:5", "no negative number"],
	["no time", `${HEAD}tomorrow,1,0\n`, "schema epoch_s 2:1", 'found "tomorrow"'],
	["a day that is none", "date,out\n2019-02-30,1\n", "schema date 2:1", "2019-02-30"],
	[
		"time backwards",
		`${HEAD}1200,1,0\n600,2,0\n`,
		"schema epoch_s 3:1",
		'"600" comes after 1970-01-01T00:20:00Z in line 2',
	],
	["time twice", `${HEAD}600,1,0\n600,2,0\n`, "schema epoch_s 3:1", "line 2 has it too"],
	["an odd glitch", `${HEAD}600,1,0\n1200,1,x\n`, "schema glitch 3:8", "expected 0 or 1"],
	["absurd counts", `${HEAD}600,20000000,0\n`, "limit customers_out 2:5", "3.2 GB"],
	["endless digits", `${HEAD}600,${"9".repeat(30)},0\n`, "schema customers_out 2:5", "whole number"],
	["an empty file", "", "syntax  undefined", "is empty"],
	["a header alone", HEAD, "syntax  1", "no rows"],
	["one row", `${HEAD}600,1,0\n`, "schema  undefined", "at least two snapshots, found 1"],
	["nobody ever out", `${HEAD}600,0,0\n1200,0,0\n`, "schema  undefined", "nobody is ever out"],
	["only glitches", `${HEAD}600,1,1\n1200,1,1\n`, "schema  undefined", "found 0"],
	[
		"a line cut short",
		`${HEAD}600,1,0\n1200,5`,
		"syntax  3",
		"the last line is cut short: expected 3 cells, found 2",
	],
	["a line too long", `${HEAD}600,1,0,7\n1200,5,0\n`, "syntax  2", "expected 3 cells, found 4"],
	["an open quote", `${HEAD}600,"1,0\n1200,5,0\n`, "syntax  2", "not a CSV file"],
	["a column twice", "epoch_s,epoch_s,customers_out\n1,2,3\n", "syntax  1", '"epoch_s" is there twice'],
	["a century", `${HEAD}0,1,0\n3000000000,1,0\n`, "limit  undefined", "the limit is 49 days"],
];

describe("a bad trace says what is wrong, and where", () => {
	test.each(BAD)("%s", (_, text, where, says) => {
		const result = importText(text);
		const errors = result.ok ? [] : result.error;
		const match = errors.find(({ message }) => message.includes(says));
		expect(match, JSON.stringify(errors)).toBeDefined();
		const place = where.includes(":") ? `${match?.line}:${match?.column}` : `${match?.line}`;
		expect(`${match?.kind} ${match?.key ?? ""} ${place}`).toBe(where);
		expect(match?.file).toBe(join(folder, "trace.csv"));
	});

	test.each([
		["UTF-16", Buffer.from(`\uFEFF${HEAD}`, "utf16le"), "UTF-16"],
		["binary", Buffer.from([1, 0, 2]), "binary"],
	])("%s", (_, bytes, says) => {
		expect(importText(bytes)).toMatchObject({
			error: [{ kind: "unreadable", message: expect.stringContaining(says) }],
		});
	});

	test("a column that the user misnamed", () => {
		expect(importText(`${HEAD}600,1,0\n1200,0,0\n`, { outColumn: "customer_out" })).toMatchObject({
			error: [
				{
					kind: "schema",
					key: "customer_out",
					message: expect.stringContaining('Did you mean "customers_out"?'),
				},
			],
		});
	});

	test("many mistakes are told at once, but not without end", () => {
		const result = importText(HEAD + "x,y,0\n".repeat(1_000));
		expect(result.ok ? 0 : result.error.length).toBe(20);
	});

	test.each([
		[{ name: "../x" }, "--name"],
		[{ capacityPerSecond: 0 }, "--capacity"],
		[{ sources: [" "] }, "--source"],
	])("option %j", (options, key) => {
		expect(importText(`${HEAD}600,1,0\n`, options)).toMatchObject({ error: [{ kind: "usage", key }] });
	});

	test("a bad list of outages", () => {
		const outagesFile = join(folder, "list.csv");
		writeFileSync(
			outagesFile,
			"first_seen_epoch_s,last_seen_epoch_s,max_customers,last_customers\n600,500,1,1\n",
		);
		expect(importText(`${HEAD}600,1,0\n1200,0,0\n`, { outagesFile })).toMatchObject({
			error: [{ kind: "schema", file: outagesFile, line: 2, column: 5, key: "last_seen_epoch_s" }],
		});
	});
});

describe("a good trace, however written", () => {
	const expected = imported_cohorts([
		[10, 0, 600, 0],
		[5, 0, null, 0],
	]);

	function imported_cohorts(rows: readonly (readonly [number, number, number | null, number])[]) {
		return rows.map(([devices, out, back, spread]) => ({
			devices,
			outAtMicros: out * 1e6,
			backAtMicros: back === null ? null : back * 1e6,
			spreadMicros: spread * 1e6,
		}));
	}

	test.each([
		["seconds", "epoch_s,customers_out\n1571961600,15\n1571962200,5\n"],
		["milliseconds", "Timestamp,Customers Out\n1571961600000,15\n1571962200000,5\n"],
		[
			"ISO 8601, semicolons, CRLF, a mark",
			"\uFEFFtime;customers_out\r\n2019-10-25T00:00:00Z;15\r\n2019-10-25T00:10:00Z;5\r\n",
		],
		["local times with a zone", "time,out\n2019-10-24T17:00:00-07:00,15\n2019-10-24 17:10:00-07:00,5\n"],
		["tabs, quotes, no newline at the end", 'time\tout\n"2019-10-25 00:00"\t"15"\n"2019-10-25 00:10"\t5'],
		[
			"EAGLE-I",
			"fips_code,county,state,customers_out,run_start_time\n6,a,b,15,2019-10-25 00:00:00\n6,a,b,5,2019-10-25 00:10:00\n",
		],
	])("%s", (_, text) => {
		expect(parseCohorts(imported(text).cohortsCsv, "x")).toMatchObject({ ok: true, value: expected });
	});

	test("named columns", () => {
		const text = "a,b,epoch_s\n600,15,x\n1200,5,y\n";
		expect(imported(text, { timeColumn: "a", outColumn: "b" }).devices).toBe(15);
	});

	test("a gap is a warning", () => {
		const rows = [0, 600, 1_200, 1_800, 6_000].map((at) => `${at},7,0\n`).join("");
		expect(imported(HEAD + rows).warnings).toEqual([
			"line 6: a gap of 4200 s, where the median step is 600 s",
		]);
	});

	test("glitches go, by the column or by the rule", () => {
		const values = [10_000, 9_990, 9_980, 4_000, 9_970, 9_960, 30_000, 9_950, 9_940, 9_930];
		const rows = values.map((value, index) => `${index * 600},${value}`);
		const marked = rows.map((row) => `${row},${/,(4000|30000)$/.test(row) ? 1 : 0}`).join("\n");
		const byColumn = imported(HEAD + marked);
		const byRule = imported(`epoch_s,customers_out\n${rows.join("\n")}`, { detectGlitches: true });
		expect(byRule.warnings).toEqual(["2 of 10 snapshots dropped as glitches"]);
		expect(byRule.cohortsCsv).toBe(byColumn.cohortsCsv);
		expect(imported(`epoch_s,customers_out\n${rows.join("\n")}`).devices).toBe(30_000);
	});

	test("a fall without a list: one lump, or spread", () => {
		const text = `${HEAD}0,15,0\n600,5,0\n`;
		expect(imported(text, { spread: true }).cohortsCsv).toContain("10,0,1,599\n");
		expect(imported(text).cohortsCsv).toContain("10,0,600,0\n");
	});

	test("a list gives the lumps; the small ones make a trickle", () => {
		const outagesFile = join(folder, "list.csv");
		const list =
			"first_seen_epoch_s,last_seen_epoch_s,max_customers,last_customers\n0,0,60,60\n0,0,20,20\n0,0,20,20\n0,600,7,7\n";
		writeFileSync(outagesFile, list);
		const { cohortsCsv } = imported(`${HEAD}0,107,0\n600,7,0\n1200,0,0\n`, { outagesFile });
		expect(cohortsCsv).toBe("devices,out_at_s,back_at_s,spread_s\n40,0,1,599\n60,0,600,0\n7,0,601,599\n");
	});
});

describe("what is written", () => {
	const TEXT = `${HEAD}0,1500,0\n600,500,0\n1200,900,0\n1800,0,0\n`;

	test("loads, repeats the curve, and names no folder", () => {
		const target = join(folder, "out");
		const made = imported(TEXT, {
			name: "tiny",
			title: 'A "quoted": title',
			sources: ["somewhere\nelse, it's free"],
		});
		expect(writeImported(made, target)).toMatchObject({
			ok: true,
			value: { yamlFile: join(target, "tiny.yaml") },
		});
		const result = loadScenario(join(target, "tiny.yaml"));
		const scenario = result.ok ? result.value : undefined;
		expect(result).toMatchObject({
			ok: true,
			value: { name: "tiny", title: 'A "quoted": title', devices: { count: 1_500 } },
		});
		const [outage] = scenario?.outages ?? [];
		const cohorts = outage && "cohorts" in outage ? outage.cohorts : [];
		expect([0, 600, 1_200].map((at) => devicesOut(cohorts, at * 1e6))).toEqual([1_500, 500, 900]);
		expect(made.yaml).not.toContain(folder);
		expect(made.yaml).toContain("klais import trace.csv");
		expect(readdirSync(target).sort()).toEqual(["tiny.cohorts.csv", "tiny.yaml"]);
	});

	test("nothing is replaced unasked", () => {
		const target = join(folder, "twice");
		const made = imported(TEXT, { name: "tiny" });
		expect(writeImported(made, target).ok).toBe(true);
		expect(writeImported({ ...made, yaml: "changed" }, target)).toMatchObject({
			ok: false,
			error: { kind: "unwritable" },
		});
		expect(readFileSync(join(target, "tiny.yaml"), "utf8")).toBe(made.yaml);
		expect(writeImported({ ...made, yaml: "changed" }, target, { overwrite: true }).ok).toBe(true);
		expect(readFileSync(join(target, "tiny.yaml"), "utf8")).toBe("changed");
	});

	test("a place that cannot be written to", () => {
		const made = imported(TEXT, { name: "tiny" });
		expect(writeImported(made, join(folder, "trace.csv"))).toMatchObject({
			ok: false,
			error: { kind: "unwritable" },
		});
	});
});
