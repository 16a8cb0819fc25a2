import { describe, expect, test } from "vitest";
import type { FleetReport } from "../../src/live/fleet-report.js";
import { type GatewayStats, parseGatewayStats } from "../../src/live/gateway-stats.js";
import { liveChecks } from "../../src/live/live-checks.js";
import { liveFigures } from "../../src/live/live-figures.js";
import { drainSeconds, liveSeries, sampleMicros } from "../../src/live/live-series.js";
import type { Measurement } from "../../src/live/measurement.js";
import { pspsRun } from "../fixtures/psps-results.js";

const stats: GatewayStats = {
	xdp: "native",
	reason: null,
	kernel: { defer: { packets: 40, readings: 0 }, "data-live": { packets: 7, readings: 70 } },
	gateway: { hellos: 60, deferred: 0, offered: 500, admitted: 450, queued: 0, queuedMax: 9 },
	drops: { sessions: 2, blocked: 0 },
	wireErrors: { mac: 1 },
	sink: { readings: 450, duplicates: 0, reordered: 0, transactions: 5 },
	turnaroundNanos: { count: 5, p50: 1e5, p99: 2e5, p999: 3e5, max: 4e5 },
	cpu: { userSeconds: 3, systemSeconds: 1 },
	frames: { received: 100, sent: 100, socketDrops: 0 },
};

const fleet: FleetReport = {
	complete: true,
	produced: 1_000,
	buffered: 95,
	acked: 900,
	lostOverflow: 3,
	lostVolatile: 2,
	framesSent: 300,
	framesReceived: 290,
	hellos: 200,
	admits: 100,
	defers: 90,
	connects: 100,
	wireErrors: {},
	sendErrors: { EAGAIN: 4 },
	receiveOverflows: null,
	connected: { p50Seconds: 1, p95Seconds: 2, p999Seconds: 3, count: 100, neverConnected: 0 },
	lagMicros: { p50: 10, p99: 500, max: 9_000 },
	series: [],
	cpu: { userSeconds: 1, systemSeconds: 1 },
};

const before = { ...stats, cpu: { userSeconds: 1, systemSeconds: 0.5 } };
const measurement = (
	change: Partial<FleetReport> = {},
	sink: Partial<GatewayStats["sink"]> = {},
): Measurement => ({
	fleet: { ...fleet, ...change },
	gateways: [
		{ name: "0", before, after: stats },
		{ name: "1", before, after: { ...stats, sink: { ...stats.sink, ...sink } } },
	],
	wallSeconds: 10,
});

const NATIVE = { asked: "native", used: "native", reason: null } as const;
const prediction = pspsRun("klais");
const bound = { startMicros: 10e6, endMicros: 40e6, epsilonReadings: 5 };

describe("figures of a live run", () => {
	const figures = liveFigures(measurement(), prediction, bound);
	const named = (name: string) => figures.find((figure) => figure.name === name);

	test("answers to a flood are none to the fleet", () => {
		const flood = {
			sentByKind: { replay: 500 },
			framesSent: 500,
			framesPerSecond: 50,
			bytesSent: 28_000,
			framesAnswered: 30,
			bytesAnswered: 1_440,
		};
		const flooded = liveFigures({ ...measurement(), flood }, prediction, bound);
		const of = (name: string) => flooded.find((figure) => figure.name === name)?.measured;
		expect(of("HELLOs answered in the kernel")).toBe(50 / 200);
		expect(of("kernel: defer")).toBe(80);
		expect(of("Hostile frames that were answered")).toBe(30);
	});

	test("gateways are added up, shares are of what was sent", () => {
		expect(named("HELLOs answered in the kernel")).toMatchObject({ measured: 80 / 200, headline: true });
		expect(named("HELLOs dropped")?.measured).toBeCloseTo(10 / 200);
		expect(named("DATA admitted")?.measured).toBe(0.9);
		expect(named("Durable")).toMatchObject({ measured: 900, predicted: prediction.ledger.durable });
		expect(named("dropped: sessions")?.measured).toBe(4);
		expect(named("wire: mac")?.measured).toBe(2);
		expect(named("kernel: data-live")).toMatchObject({ measured: 14, unit: "packets" });
		expect(named("kernel: data-live, readings")).toMatchObject({ measured: 140, unit: "readings" });
	});

	test("what a gateway spent before the run does not count", () => {
		expect(named("Gateway 1: user CPU")?.measured).toBe(2);
		expect(named("Gateway 1: of a core")?.measured).toBeCloseTo(0.25);
	});

	test("names are unique: a reader may look one up", () => {
		expect(new Set(figures.map(({ name }) => name)).size).toBe(figures.length);
	});

	test.each([
		[1.09, "met"],
		[0.91, "met"],
		[1.11, "missed"],
		[0.89, "missed"],
	])("a drain of %d times the simulator's has %s its target", (factor, verdict) => {
		const seconds = prediction.virtual.drainSeconds ?? 0;
		const timeMicros = bound.startMicros + seconds * factor * 1e6;
		const series = [{ timeMicros, online: 1, backlogReadings: 0 }];
		const long = liveFigures(measurement({ series }), prediction, bound);
		expect(long.find(({ name }) => name === "Time to drain")).toMatchObject({ verdict });
	});

	test("a backlog that never drained misses it, and no drain to predict has no verdict", () => {
		expect(named("Time to drain")).toMatchObject({ measured: null, verdict: "missed" });
		const nothing = { ...prediction, virtual: { ...prediction.virtual, drainSeconds: null } };
		const [figure] = liveFigures(measurement(), nothing, bound).filter(
			({ name }) => name === "Time to drain",
		);
		expect(figure).not.toHaveProperty("verdict");
	});
});

describe("the drain of a live run", () => {
	const at = (seconds: number, backlogReadings: number) => ({
		timeMicros: seconds * 1e6,
		online: 0,
		backlogReadings,
	});

	test("is not read before the bound's end, and ends at the bound's epsilon", () => {
		expect(drainSeconds([at(20, 0), at(39, 0), at(41, 9), at(42, 5)], bound)).toBe(32);
		expect(drainSeconds([at(20, 0), at(41, 6)], bound)).toBeNull();
		expect(drainSeconds([at(50, 0)], { ...bound, endMicros: null })).toBeNull();
		expect(drainSeconds([at(50, 0)], { startMicros: 0, endMicros: 0, epsilonReadings: 0 })).toBeNull();
	});
});

describe("the series of a live run", () => {
	test("has the simulator's rows, and the fleet's sample at the end of each", () => {
		const predicted = prediction.series;
		const end = (predicted.timeSeconds[1] ?? 0) + predicted.bucketSeconds;
		expect((predicted.bucketSeconds * 1e6) % sampleMicros(predicted)).toBe(0);
		const series = liveSeries([{ timeMicros: end * 1e6, online: 5, backlogReadings: 7 }], predicted);
		expect(series.onlineMeasured.slice(0, 3)).toEqual([null, 5, null]);
		expect(series.backlogMeasured[1]).toBe(7);
		expect(series.backlogPredicted).toEqual(predicted.backlogReadings);
		expect(series.onlineMeasured.length).toBe(predicted.timeSeconds.length);
	});
});

describe("what must hold of a live run", () => {
	const failing = (measured: Measurement) =>
		liveChecks(measured, { exactlyOnce: true, xdp: NATIVE, faults: [] })
			.filter(({ holds }) => !holds)
			.map(({ name, message }) => `${name}: ${message.split(" (")[0]}`);

	test("holds where every reading is accounted for", () => {
		expect(failing(measurement())).toEqual([]);
	});

	test("durable readings may be a little ahead of acknowledged ones", () => {
		expect(failing(measurement({ acked: 880, buffered: 115 }))).toEqual([]);
	});

	test.each([
		["a reading gone", { produced: 1_001 }, {}, "ledger: 1 readings are unaccounted for"],
		["a reading too many", { produced: 999 }, {}, "ledger: 1 readings too many"],
		[
			"an acknowledgement that lied",
			{},
			{ readings: 440 },
			"ledger: 10 readings were acknowledged and are not durable",
		],
		["readings out of nowhere", {}, { readings: 551 }, "ledger: 1 durable readings that no device sent"],
		[
			"no reading at all",
			{ produced: 0, acked: 0, buffered: 0, lostOverflow: 0, lostVolatile: 0 },
			{ readings: -450 },
			"ledger: no device took a reading",
		],
		["a duplicate", {}, { readings: 451, duplicates: 1 }, "exactly-once: 1 readings were stored twice"],
		[
			"a generator that does not keep up",
			{ lagMicros: { p50: 0, p99: 20_001, max: 20_001 } },
			{},
			"generator-keeps-up: the generator was saturated, its load is not the scenario's: fewer devices, or a lower --speed",
		],
	])("fails: %s", (_name, change, sink, message) => {
		expect(failing(measurement(change, sink))).toEqual([message]);
	});

	test("fails where the filter ran elsewhere than asked", () => {
		const xdp = { asked: "native", used: "off", reason: "no driver support" } as const;
		expect(liveChecks(measurement(), { exactlyOnce: true, xdp, faults: [] }).at(-1)).toEqual({
			name: "filter-as-asked",
			holds: false,
			message: "XDP ran off, not native: no driver support",
		});
	});

	test("promises nothing about duplicates under a policy that does not", () => {
		const names = liveChecks(measurement({}, { duplicates: 5 }), {
			exactlyOnce: false,
			xdp: NATIVE,
			faults: [],
		}).map(({ name }) => name);
		expect(names).toEqual(["ledger", "generator-keeps-up", "filter-as-asked"]);
	});
});

describe("the statistics of a gateway", () => {
	test("are read before it can tell what a frame costs, and after", () => {
		for (const service of [{ dataNanos: null }, { dataNanos: 6_500 }, null]) {
			expect(parseGatewayStats(JSON.stringify({ ...stats, service })).service).toEqual(service);
		}
		expect(parseGatewayStats(JSON.stringify(stats)).service).toBeUndefined();
	});

	test("are refused by the name of what is wrong", () => {
		const wrong = { ...stats, frames: { ...stats.frames, sent: -1 } };
		expect(() => parseGatewayStats(JSON.stringify(wrong))).toThrow(/the gateway's \/stats: frames\.sent/);
	});
});
