import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { CATALOGUE_FOLDER } from "../../src/scenarios/catalogue.js";
import { parseCohorts } from "../../src/scenarios/cohort-file.js";
import { parseScenario } from "../../src/scenarios/load-scenario.js";
import { readOutageList } from "../../src/scenarios/read-outage-list.js";
import { decodeText } from "../../src/scenarios/read-text.js";
import { readTrace } from "../../src/scenarios/read-trace.js";
import { parseSuite } from "../../src/scenarios/suite.js";

const SMOKE = readFileSync(join(CATALOGUE_FOLDER, "smoke.yaml"));
const SUITE = readFileSync(join(CATALOGUE_FOLDER, "suites", "ci.yaml"));
const TRACE = Buffer.from(
	"snapshot_utc,epoch_s,customers_out,glitch\n2020-01-01T00:00:00Z,1577836800,5,0\n2020-01-01T00:10:00Z,1577837400,0,0\n",
);

/** Bytes of `base` overwritten, inserted or cut out at a few places. */
function mutations(base: Uint8Array): fc.Arbitrary<Buffer> {
	const edit = fc.record({
		at: fc.nat(base.length),
		cut: fc.nat(40),
		put: fc.oneof(
			fc.uint8Array({ maxLength: 4 }),
			fc
				.constantFrom("- ", "? ", ": ", "&a ", "*a ", "{", "[", "\n", "'", '"', "!!", "|\n", "%", "\t")
				.map(Buffer.from),
		),
	});
	return fc.array(edit, { minLength: 1, maxLength: 4 }).map((edits) => {
		let bytes = Buffer.from(base);
		for (const { at, cut, put } of edits) {
			bytes = Buffer.concat([bytes.subarray(0, at), put, bytes.subarray(at + cut)]);
		}
		return bytes;
	});
}

function load(text: string): void {
	const result = parseScenario(text, { file: "fuzz.yaml", folder: "/nonexistent" });
	if (!result.ok) {
		expect(result.error.length).toBeGreaterThan(0);
		expect(result.error.every(({ message }) => message.length > 0)).toBe(true);
	}
}

test("any text is a scenario or a list of errors, never an exception", () => {
	fc.assert(fc.property(fc.oneof(fc.string({ unit: "binary" }), fc.string({ unit: "grapheme" })), load), {
		numRuns: 1_000,
	});
});

test("so is a real scenario with some bytes changed", () => {
	fc.assert(
		fc.property(mutations(SMOKE), (bytes) => {
			const text = decodeText(bytes, "fuzz.yaml");
			if (text.ok) {
				load(text.value);
			}
		}),
		{ numRuns: 500 },
	);
});

test("so is any YAML value in any place of a real scenario", () => {
	const value = fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.string(), fc.double(), fc.bigInt());
	const paths = [
		"duration",
		"seed",
		"devices",
		"devices.count",
		"devices.link",
		"devices.firmware.backoff",
		"broker",
		"outages",
		"outages.0",
		"outages.0.at",
		"policies",
		"sources",
		"title",
		"expect",
		"expect.0",
		"margins",
		"margins.drainRatio",
	];
	fc.assert(
		fc.property(fc.constantFrom(...paths), value, (path, any) => {
			const text = typeof any === "object" ? JSON.stringify(any) : String(any);
			parseScenario(SMOKE.toString(), { file: "fuzz.yaml", folder: "/nonexistent" }, { set: [[path, text]] });
		}),
		{ numRuns: 500 },
	);
});

test("so is any text that a file may extend, expect or bound", () => {
	const lines = fc.record({ parent: fc.string(), expectation: fc.string(), margin: fc.string() });
	fc.assert(
		fc.property(lines, ({ parent, expectation, margin }) => {
			const own = { expect: [expectation], margins: { [margin]: expectation } };
			load(JSON.stringify({ schema: "klais.scenario/1", extends: parent, ...own }));
			load(JSON.stringify({ schema: "klais.scenario/1", duration: "1h", devices: { count: 5 }, ...own }));
		}),
		{ numRuns: 200 },
	);
});

test("any text is a suite or a list of errors", () => {
	fc.assert(
		fc.property(mutations(SUITE), (bytes) => {
			const text = decodeText(bytes, "fuzz.yaml");
			const result = text.ok
				? parseSuite(text.value, { file: "fuzz.yaml", folder: "/nonexistent" })
				: undefined;
			expect(result?.ok === false ? result.error.length : 1).toBeGreaterThan(0);
		}),
		{ numRuns: 500 },
	);
});

test("any table is read or refused, never an exception", () => {
	fc.assert(
		fc.property(mutations(TRACE), (bytes) => {
			const text = bytes.toString();
			readTrace(text, "fuzz.csv", { detectGlitches: true });
			parseCohorts(text, "fuzz.csv");
			readOutageList(text, "fuzz.csv");
		}),
		{ numRuns: 500 },
	);
});
