import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { damResult, parseDamLines } from "../../src/cli/bench/dam.js";
import { holdDelays } from "../../src/cli/bench/hold-delays.js";
import { best, interleave, middle } from "../../src/cli/bench/samples.js";
import { runBench } from "../../src/cli/bench-command.js";
import { parseResults } from "../../src/record/results-schema.js";
import type { BenchRecord } from "../../src/record/run-record.js";

let folder: string;
let printed: string;
let said: string;

beforeEach(() => {
	folder = mkdtempSync(join(tmpdir(), "klais-bench-"));
	[printed, said] = ["", ""];
	vi.spyOn(process.stdout, "write").mockImplementation((text) => {
		printed += text;
		return true;
	});
	vi.spyOn(process.stderr, "write").mockImplementation((text) => {
		said += text;
		return true;
	});
});

afterEach(() => {
	vi.restoreAllMocks();
	rmSync(folder, { recursive: true, force: true });
});

function recordsOf(file: string): readonly BenchRecord[] {
	const results = parseResults(readFileSync(file, "utf8"), file);
	if (!results.ok) {
		throw new Error(results.error.message);
	}
	return results.value.bench;
}

describe("klais bench", () => {
	it("measures the engine's queue beside peers, and writes a record that can be read", async () => {
		expect(await runBench({ quick: true, only: ["hold"], out: folder })).toBe(0);
		const records = recordsOf(join(folder, "bench.json"));
		const ours = records.find(({ name }) => name === "hold, klais wheels, 10 k pending");
		expect(ours).toMatchObject({ unit: "ns/event", better: "lower" });
		for (const { samples, environment } of records) {
			expect(samples.length).toBeGreaterThan(1);
			expect(samples.every((nanos) => nanos > 0 && nanos < 1_000_000)).toBe(true);
			expect(Number(environment["eventsPerSample"])).toBeGreaterThan(1_000);
		}
		expect(printed).toContain("klais wheels, 10 k pending");
		expect(printed).toMatch(/load average [\d.]+ before/);
	});

	it("drives the simulator through a storm and names memory and speed", async () => {
		const json = join(folder, "deep", "mine.json");
		await runBench({ quick: true, only: ["engine-storm"], json });
		const records = recordsOf(json);
		expect(records.map(({ unit }) => unit)).toEqual(expect.arrayContaining(["events/s per core", "bytes"]));
		const storm = records.find(({ name }) => name === "engine-storm, klais, 10 k devices");
		expect(Number(storm?.environment["events"])).toBeGreaterThan(100_000);
		expect(storm?.environment["digest"]).toMatch(/^[0-9a-f]{32,}$/);
		expect(said).not.toContain("not deterministic");
		expect(said).not.toContain("engine-storm, klais, 10 k devices: the ledger does not balance");
	});

	it("measures each native call at three batch sizes", async () => {
		expect(await runBench({ quick: true, only: ["native-step"], out: folder })).toBe(0);
		const records = recordsOf(join(folder, "bench.json"));
		expect(records).toHaveLength(12);
		expect(records.every(({ samples }) => samples.every((nanos) => nanos > 0))).toBe(true);
	});

	it("refuses a group that there is not, and says which there are", async () => {
		expect(await runBench({ quick: true, only: ["engine-strom"], out: folder })).toBe(2);
		expect(said).toContain('Did you mean "engine-storm"?');
		expect(said).toContain("native-step");
	});

	it("refuses a place that cannot be written before it measures anything", async () => {
		const file = join(folder, "file");
		writeFileSync(file, "");
		expect(await runBench({ quick: true, only: ["hold"], out: join(file, "out") })).toBe(2);
		expect(said).toContain("cannot be written");
		expect(printed).toBe("");
	});
});

const LINE = {
	name: "bucket: pass",
	unit: "ns/op",
	better: "lower",
	samples: [4, 3, 5],
	environment: { timeSource: "now passed in", passShare: 1 },
};

describe("the dam's records", () => {
	it("keeps passes and refusals apart", () => {
		const refusal = {
			...LINE,
			name: "bucket: refuse",
			environment: { timeSource: "now passed in", passShare: 0 },
		};
		const { records, tables, failures } = damResult(
			parseDamLines([LINE, refusal].map((line) => JSON.stringify(line)).join("\n")),
		);
		expect(records.map(({ environment }) => environment["passShare"])).toEqual(["1", "0"]);
		expect(tables.map(({ rows }) => rows.map(([name]) => name))).toEqual([
			["bucket: pass"],
			["bucket: refuse"],
		]);
		expect(failures).toEqual([]);
	});

	it("fails a row that mixes them", () => {
		const mixed = { ...LINE, environment: { timeSource: "now passed in", passShare: 0.16 } };
		expect(damResult(parseDamLines(JSON.stringify(mixed))).failures).toEqual([
			"dam, bucket: pass: mixes passes and refusals",
		]);
	});

	it("is an error when the benchmark printed nothing, or nonsense", () => {
		expect(() => parseDamLines("warming up\n")).toThrow("no record");
		expect(() => parseDamLines('{"name":"x"}')).toThrow();
	});
});

describe("sampling", () => {
	it("takes turns, forwards and backwards", async () => {
		const order: string[] = [];
		const contender = (name: string) => ({
			name,
			sample: async () => {
				order.push(name);
				return order.length;
			},
		});
		const samples = await interleave([contender("a"), contender("b")], 3, () => undefined);
		expect(order.join("")).toBe("abbaab");
		expect(samples).toEqual([
			[1, 4, 5],
			[2, 3, 6],
		]);
	});

	it("knows which end is the better one", () => {
		const record = { name: "", unit: "", samples: [1, 9, 2], environment: {} };
		expect(best({ ...record, better: "lower" })).toBe(1);
		expect(best({ ...record, better: "higher" })).toBe(9);
		expect(middle({ ...record, better: "higher" })).toBe(2);
	});

	it("draws the same delays everywhere", () => {
		const delays = holdDelays();
		expect([...delays.subarray(0, 5)]).toEqual([...holdDelays().subarray(0, 5)]);
		expect(Math.min(...delays)).toBe(1);
		expect(Math.max(...delays)).toBe(1_000);
	});
});
