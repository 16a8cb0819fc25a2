import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { damResult, parseDamLines } from "../../src/cli/bench/dam.js";
import { holdDelays } from "../../src/cli/bench/hold-delays.js";
import { best, interleave, middle } from "../../src/cli/bench/samples.js";
import { runBench } from "../../src/cli/bench-command.js";
import { recordsOf, run } from "./support.js";

describe("klais bench", () => {
	it("measures the engine's queue beside peers, and writes a record that can be read", async () => {
		expect(await runBench({ quick: true, only: ["hold"], out: run.folder })).toBe(0);
		const records = recordsOf(join(run.folder, "bench.json"));
		const ours = records.find(({ name }) => name === "hold, klais wheels, 10 k pending");
		expect(ours).toMatchObject({ unit: "ns/event", better: "lower" });
		for (const { samples, environment } of records) {
			expect(samples.length).toBeGreaterThan(1);
			expect(samples.every((nanos) => nanos > 0 && nanos < 1_000_000)).toBe(true);
			expect(Number(environment["eventsPerSample"])).toBeGreaterThan(1_000);
		}
		expect(run.printed).toContain("klais wheels, 10 k pending");
		expect(run.printed).toMatch(/load average [\d.]+ before/);
	});

	it("drives the simulator through a storm and names memory and speed", async () => {
		const json = join(run.folder, "deep", "mine.json");
		await runBench({ quick: true, only: ["engine-storm"], json });
		const records = recordsOf(json);
		expect(records.map(({ unit }) => unit)).toEqual(expect.arrayContaining(["events/s per core", "bytes"]));
		const storm = records.find(({ name }) => name === "engine-storm, klais, 10 k devices");
		expect(Number(storm?.environment["events"])).toBeGreaterThan(50_000);
		expect(storm?.environment["digest"]).toMatch(/^[0-9a-f]{32,}$/);
		expect(run.said).not.toContain("not deterministic");
		expect(run.said).not.toContain("engine-storm, klais, 10 k devices: the ledger does not balance");
	});

	it("measures each native call at three batch sizes", async () => {
		expect(await runBench({ quick: true, only: ["native-step"], out: run.folder })).toBe(0);
		const records = recordsOf(join(run.folder, "bench.json"));
		expect(records).toHaveLength(12);
		expect(records.every(({ samples }) => samples.every((nanos) => nanos > 0))).toBe(true);
	});

	it("refuses a group that there is not, and says which there are", async () => {
		expect(await runBench({ quick: true, only: ["engine-strom"], out: run.folder })).toBe(2);
		expect(run.said).toContain('Did you mean "engine-storm"?');
		expect(run.said).toContain("native-step");
	});

	it("refuses a place that cannot be written before it measures anything", async () => {
		const file = join(run.folder, "file");
		writeFileSync(file, "");
		expect(await runBench({ quick: true, only: ["hold"], out: join(file, "out") })).toBe(2);
		expect(run.said).toContain("cannot be written");
		expect(run.printed).toBe("");
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
