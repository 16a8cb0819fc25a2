import { describe, expect, test } from "vitest";
import { loadNative } from "../../src/engine/native.js";
import { metricValue } from "../../src/record/metric-values.js";
import type { AttackMetrics, SwarmMetrics } from "../../src/record/run-record.js";
import { COMPARED_METRICS, EXPECTED_METRICS } from "../../src/scenarios/metric-names.js";
import { pspsRun } from "../fixtures/psps-results.js";
import { errorsOf, SHORTEST, scenarioOf } from "./scenario-text.js";

const expectOf = (text: string) => scenarioOf(`${SHORTEST}expect: ${text}\n`).expect;

describe("expectations", () => {
	test("a text, a list, and maps of policies", () => {
		const ratio = { text: "drainRatio <= 1.1", metric: "virtual.drainRatio", relation: "<=", value: 1.1 };
		const twice = { text: "duplicates == 0", metric: "ledger.duplicates", relation: "==", value: 0 };
		expect(expectOf("drainRatio<=1.1")).toEqual([ratio]);
		expect(expectOf("[drainRatio  <=  1.1, klais: duplicates == 0]")).toEqual([
			ratio,
			{ ...twice, policies: ["klais"] },
		]);
		expect(
			expectOf("\n  - klais: [duplicates == 0, drainRatio <= 1.1]\n    static: drainRatio <= 1.1"),
		).toEqual([
			{ ...ratio, policies: ["static"] },
			{ ...twice, policies: ["klais"] },
			{ ...ratio, policies: ["klais"] },
		]);
	});

	test("values in the metric's unit, with it or without", () => {
		const value = (text: string) => (expectOf(text)?.[0] as { value: number } | undefined)?.value;
		expect(value("drainSeconds <= 300")).toBe(300);
		expect(value("drainSeconds <= 1h 30m")).toBe(5_400);
		expect(value("liveLatencyMicros.p99 <= 250ms")).toBe(250_000);
		expect(value("liveLatencyMicros.p99 <= 12.5")).toBe(12.5);
		expect(value("utilisation >= 95%")).toBe(0.95);
		expect(value("peakAdmittedPerSecond <= 2_500/s")).toBe(2_500);
		expect(value("virtual.work.events < 10_000_000")).toBe(1e7);
		expect(value("drops.sink-queue-full == 0")).toBe(0);
		expect(value("attemptsPerConnect < 2.5")).toBe(2.5);
	});

	test("a multiple of another metric", () => {
		expect(expectOf("durable >= 0.9 * ledger.produced")).toEqual([
			{
				text: "durable >= 0.9 * ledger.produced",
				metric: "ledger.durable",
				relation: ">=",
				times: 0.9,
				of: "ledger.produced",
			},
		]);
		expect(expectOf("durable <= produced")).toMatchObject([{ times: 1, of: "ledger.produced" }]);
	});

	test("a scenario that expects nothing says nothing of it: its hash stays what it was", () => {
		expect(scenarioOf(SHORTEST)).not.toHaveProperty("expect");
		expect(scenarioOf(SHORTEST)).not.toHaveProperty("margins");
		expect(
			scenarioOf(`${SHORTEST}expect: [drainRatio < 1]\n`, { set: [["expect", "[]"]] }),
		).not.toHaveProperty("expect");
	});

	test.each([
		[
			"expect: [drainRato <= 1]",
			"schema expect.0 4:10",
			'unknown metric "drainRato". Did you mean "drainRatio"?',
		],
		["expect: [xyz <= 1]", "schema expect.0 4:10", "figures of virtual and ledger"],
		[
			"expect: drainRatio",
			"schema expect 4:9",
			"a metric, a comparison and a value, such as drainRatio <= 1.1",
		],
		["expect: ''", "schema expect 4:9", "a metric, a comparison and a value"],
		["expect: [drainRatio = 1]", "schema expect.0 4:10", 'expected one of <=, <, >=, >, ==, !=, found "="'],
		["expect: [drainRatio => 1]", "schema expect.0 4:10", 'found "=>"'],
		["expect: [drainRatio <= many]", "schema expect.0 4:10", 'unknown metric "many"'],
		["expect: [drainRatio <= 1.1x]", "schema expect.0 4:10", "a ratio such as 1.1 or 95%"],
		["expect: [drainSeconds <= 5 parsecs]", "schema expect.0 4:10", "seconds or a duration"],
		["expect: [duplicates <= 1%]", "schema expect.0 4:10", "a whole number such as 0"],
		["expect: [duplicates <= -1]", "schema expect.0 4:10", "a whole number such as 0"],
		["expect: [peakOfferedPerSecond <= -5/s]", "schema expect.0 4:10", "a rate such as 2500/s"],
		["expect: [drainRatio <= 2 * drainSeconds]", "schema expect.0 4:10", "drainSeconds is a time in seconds"],
		["expect: [drainRatio <= 2 * drainRto]", "schema expect.0 4:10", 'Did you mean "drainRatio"?'],
		["expect:\n  - klias: drainRatio <= 1", "unknown-key expect.0.klias 5:5", 'Did you mean "klais"?'],
		["expect:\n  - klais: [drainRatio < 1, duplicats == 0]", "schema expect.0.klais.1 5:29", '"duplicates"?'],
		["expect: [5]", "schema expect.0 4:10", "expected an expectation such as drainRatio <= 1.1"],
		["expect: 5", "schema expect 4:9", "expected"],
		[`expect: [${"x".repeat(300)} <= 1]`, "schema expect.0 4:10", "a metric, a comparison and a value"],
		["margins: { drainRto: 2% }", "unknown-key margins.drainRto 4:12", 'Did you mean "drainRatio"?'],
		[
			"margins: { virtual.drips.*: 2% }",
			"unknown-key margins.virtual.drips.* 4:12",
			"no metric that the gate",
		],
		["margins: { drainRatio: 2 percent }", "schema margins.drainRatio 4:24", "such as 2%, 50 or any"],
		["margins: { drainRatio: 101% }", "schema margins.drainRatio 4:24", "such as 2%, 50 or any"],
		["margins: { drainRatio: [] }", "schema margins.drainRatio 4:24", "such as 2%, 50 or any"],
		["margins: [drainRatio]", "schema margins 4:10", "expected"],
	])("%s", (text, where, says) => {
		const [first, ...others] = errorsOf(`${SHORTEST}${text}\n`);
		expect(`${first?.kind} ${first?.key} ${first?.line}:${first?.column}`).toBe(where);
		expect(first?.message).toContain(says);
		expect(others).toEqual([]);
	});
});

describe("margins", () => {
	test("by full path, whatever the file leaves out", () => {
		const text = `${SHORTEST}margins: { drainRatio: 2%, virtual.drops.*: 50, digest: any, virtual.takeovers.3.atSeconds: 1.5, virtual.*.p99: 1% }\n`;
		expect(scenarioOf(text).margins).toEqual({
			"virtual.drainRatio": "2%",
			"virtual.drops.*": "50",
			digest: "any",
			"virtual.takeovers.3.atSeconds": "1.5",
			"virtual.*.p99": "1%",
		});
	});
});

/** What a run with a swarm has beside the others: every figure of it. */
const SWARM: SwarmMetrics = {
	...{ gateways: 4, detected: 1, seconded: 1, devicesBlocked: 1, addressesBlocked: 1, blockedEverywhere: 1 },
	...{ firstBlockSeconds: 1, spreadP50Seconds: 1, spreadP99Seconds: 1, spreadMaxSeconds: 1 },
	...{ spreadMaxRounds: 1, boundRounds: 6, wrongBlocks: 0, wrongBlockedDeviceHours: 0 },
	...{ wrongBlocksPerDeviceHour: 0, blocks: 1, expired: 1, overruled: 1, vetoed: 1, uncorroborated: 1 },
	...{ accusations: 1, ups: 1, downs: 1, expulsions: 1, censusChanges: 1, gossipBytesPerNodeSecond: 1 },
	...{ datagramsPerNodeSecond: 1, datagramsLost: 1, datagramsRefused: 1 },
};
const ATTACK: AttackMetrics = { devices: 1, frames: 1, sessions: 1, readingsStored: 1 };

describe("the names of metrics", () => {
	const run = pspsRun("klais");
	const full = {
		...run,
		virtual: { ...run.virtual, drops: {}, takeovers: [], swarm: SWARM, attack: ATTACK },
	};

	/** Paths of every number in a record; lists apart. */
	function numbers(value: unknown, path: string): string[] {
		if (typeof value === "number") {
			return [path];
		}
		const isMap = typeof value === "object" && value !== null && !Array.isArray(value);
		return isMap ? Object.entries(value).flatMap(([key, each]) => numbers(each, `${path}.${key}`)) : [];
	}

	test("are those of the record, none missing and none too many", () => {
		const recorded = [...numbers(full.virtual, "virtual"), ...numbers(full.ledger, "ledger")];
		const isComputed = (path: string) => /^(virtual\.(drops|takeovers)|ledger\.lost$)/.test(path);
		const named = [...EXPECTED_METRICS.keys()].filter((path) => !isComputed(path));
		expect(named.sort()).toEqual(recorded.sort());
		for (const path of named) {
			expect(metricValue(full, path), path).toMatchObject({ kind: "number" });
		}
	});

	test("include every reason for a drop", () => {
		const reasons = [...EXPECTED_METRICS.keys()].flatMap(
			(path) => /^virtual\.drops\.(.+)$/.exec(path)?.[1] ?? [],
		);
		const known = [...loadNative().dropNames(), "link-loss", "link-down", "receive-queue-full"];
		expect(reasons.sort()).toEqual(known.sort());
		expect(COMPARED_METRICS).toContain("virtual.drops.replayed");
	});
});
