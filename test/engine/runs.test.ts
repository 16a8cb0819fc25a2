import { beforeAll, describe, expect, it } from "vitest";
import { prepareHistograms } from "../../src/engine/collector.js";
import type { Outage } from "../../src/scenarios/scenario.js";
import { POLICY_NAMES } from "../../src/scenarios/schema.js";
import { micros } from "../../src/units/micros.js";
import { expectDrained, expectHonest, virtualPart } from "./honesty.js";
import {
	cohort,
	costsOf,
	cutOff,
	dies,
	freezes,
	SECOND,
	type Sketch,
	scenarioOf,
	simulate,
} from "./support.js";

beforeAll(prepareHistograms);

const DEVICES = 200;
const OUT = 200;
const BACK = 700;

function hit(
	kind: "power" | "refused" | "black-holed" | "half-open",
	back: number | null = BACK,
	spread = 0,
): Outage {
	return { kind, cohorts: [cohort(120, OUT, back, spread)] };
}

const GATEWAYS = dies(2, OUT, 500);
const BROKER: Outage = {
	kind: "broker",
	outAtMicros: micros(OUT * SECOND),
	backAtMicros: micros(320 * SECOND),
};
const BROWN_OUT: Outage = {
	kind: "brown-out",
	cohorts: [cohort(120, OUT, BACK)],
	lossPpm: 300_000,
	duplicatePpm: 100_000,
	reorderPpm: 100_000,
	latencyFactor: 5,
};

const SHAPES: Readonly<Record<string, Partial<Sketch>>> = {
	"power, sensors on battery": { outages: [hit("power")] },
	"power, sensors on the mains": { outages: [hit("power")], firmware: { backup: "none" } },
	"power, volatile buffers": {
		outages: [hit("power")],
		firmware: { bufferKind: "volatile", backup: "none" },
	},
	"power, volatile buffers, sensors on battery": {
		outages: [hit("power", BACK, 60)],
		firmware: { bufferKind: "volatile" },
	},
	"tiny buffers that drop the oldest": {
		outages: [hit("power")],
		firmware: { bufferReadings: 7, overflow: "drop-oldest" },
	},
	"tiny buffers that drop the newest": {
		outages: [hit("power")],
		firmware: { bufferReadings: 7, overflow: "drop-newest" },
	},
	"tiny buffers that thin out": {
		outages: [hit("black-holed")],
		firmware: { bufferReadings: 7, overflow: "decimate" },
	},
	refused: { outages: [hit("refused", BACK, 100)] },
	"black-holed": { outages: [hit("black-holed")] },
	"half-open": { outages: [hit("half-open")] },
	"brown-out": { outages: [BROWN_OUT] },
	"two of three gateways": { outages: [GATEWAYS] },
	broker: { outages: [BROKER] },
	"all at once": {
		outages: [hit("power", 600), hit("half-open", 500, 80), GATEWAYS, BROKER],
		firmware: { keepAliveMicros: micros(25 * SECOND) },
	},
	"never back": { outages: [hit("power", null), hit("refused", 650)] },
	"nb-iot": { outages: [hit("power")], link: "nb-iot" },
	"wifi, with keep-alives": {
		outages: [hit("black-holed")],
		link: "wifi",
		firmware: { keepAliveMicros: micros(20 * SECOND) },
	},
	ethernet: { outages: [hit("refused")], link: "ethernet" },
	"a wire that loses a tenth": {
		outages: [hit("power")],
		link: { lossPpm: 100_000, duplicatePpm: 50_000, reorderPpm: 100_000 },
	},
	"a boot of two hours": {
		durationSeconds: 9_000,
		outages: [hit("power", 300)],
		firmware: { bootMinMicros: micros(7_200 * SECOND), bootMaxMicros: micros(7_300 * SECOND) },
	},
};

function sketch(shape: Partial<Sketch>) {
	return scenarioOf({ devices: DEVICES, durationSeconds: 2_000, ...shape });
}

describe.each(Object.entries(SHAPES))("a run with %s", (name, shape) => {
	it.each(POLICY_NAMES)("accounts for every reading under %s", (policy) => {
		const finished = simulate(sketch(shape), policy);
		expectHonest(finished);
		expect(finished.record.complete).toBe(true);
		if (policy === "klais" && name !== "never back") {
			expectDrained(finished, 400);
		}
	});
});

describe("what devices lose, and when", () => {
	it("is nothing where the buffer is large and keeps its content", () => {
		const { ledger } = simulate(sketch({ outages: [hit("power")] }), "klais").record;
		expect([ledger.lostOverflow, ledger.lostVolatile]).toEqual([0, 0]);
	});

	it("is what a volatile buffer held when the power went", () => {
		// 120 devices with one or two readings since their last report, at two a minute.
		const shape = { outages: [hit("power")], firmware: { bufferKind: "volatile", backup: "none" } } as const;
		const { ledger } = simulate(sketch(shape), "klais").record;
		expect(ledger.lostVolatile).toBeGreaterThan(60);
		expect(ledger.lostVolatile).toBeLessThan(360);
		expect(ledger.lostOverflow).toBe(0);
	});

	it.each(["drop-oldest", "drop-newest", "decimate"] as const)(
		"is all that a tiny buffer cannot hold (%s)",
		(overflow) => {
			const shape = { outages: [hit("power")], firmware: { bufferReadings: 7, overflow } };
			const { ledger } = simulate(sketch(shape), "klais").record;
			// 500 s at a reading in 30 s: 16 or 17 each, of which 7 fit; thinning keeps fewer, never more.
			expect(ledger.lostOverflow).toBeGreaterThanOrEqual(120 * (16 - 7));
			expect(ledger.lostOverflow).toBeLessThanOrEqual(120 * (18 - (overflow === "decimate" ? 3 : 7) + 2));
		},
	);
});

describe("who connects, and who waits", () => {
	it.each(POLICY_NAMES)("counts each returning device once under %s", (policy) => {
		for (const kind of ["power", "refused"] as const) {
			const { devicesConnected } = simulate(sketch({ outages: [hit(kind)] }), policy).record.virtual;
			expect(devicesConnected.count + devicesConnected.neverConnected).toBe(120);
			if (policy === "klais") {
				expect(devicesConnected.neverConnected).toBe(0);
			}
		}
	});

	it("does not wait for devices whose sessions outlive the outage", () => {
		for (const outage of [
			BROWN_OUT,
			{ kind: "black-holed", cohorts: [cohort(120, 200, 203)] },
			{ kind: "half-open", cohorts: [cohort(120, 200, 203)] },
		] as Outage[]) {
			const { record } = simulate(sketch({ outages: [outage] }), "klais");
			expect(record.virtual.devicesConnected.neverConnected).toBe(0);
			expect(record.virtual.undrainedReadings).toBe(0);
			expect(record.series.online.at(-1)).toBe(DEVICES);
		}
	});

	it("knows who is reachable when outages of several kinds overlap", () => {
		const outages: Outage[] = [
			{ kind: "power", cohorts: [cohort(DEVICES, 100, 400)] },
			{ kind: "black-holed", cohorts: [cohort(DEVICES, 200, 500)] },
			dies(3, 300, 600),
		];
		const { record } = simulate(sketch({ outages }), "klais");
		const { reachable, timeSeconds, bucketSeconds } = record.series;
		const at = (second: number) => reachable[timeSeconds.findIndex((t) => t + bucketSeconds > second)];
		expect([50, 150, 350, 450, 550, 650].map(at)).toEqual([DEVICES, 0, 0, 0, 0, DEVICES]);
		const { devicesConnected } = record.virtual;
		expect([devicesConnected.count, devicesConnected.neverConnected]).toEqual([DEVICES, 0]);
	});

	it("finds devices reachable while a gateway lives that can have them", () => {
		const at = (outages: Outage[], second: number) => {
			const { reachable, timeSeconds } = simulate(sketch({ outages }), "klais").record.series;
			return reachable[timeSeconds.findIndex((t) => t >= second)];
		};
		expect(at([dies(2, 200, 600)], 300)).toBe(DEVICES);
		const overlap = [dies(1, 200, 600), freezes(1, 300, 400), cutOff(1, 350, 450, ["devices"], "out")];
		expect([250, 320, 380, 420, 500].map((second) => at(overlap, second))).toEqual([200, 200, 0, 200, 200]);
		// 64 shards: gateway 0 has 22 of them. Of 200 devices shards 0 to 7 have four, the others three.
		const alone = 3 * 4 + 19 * 3;
		expect(at([{ ...dies(1, 200, 600), takeover: false }], 300)).toBe(DEVICES - alone);
	});
});

describe("a gateway that is lost in a flush", () => {
	const flush = (fault: Outage) => sketch({ outages: [hit("refused", 400), fault], gateways: { count: 4 } });

	it.each(["static", "klais"] as const)("is replaced within two seconds under %s", (policy) => {
		for (const fault of [
			dies(1, 405, 900),
			freezes(1, 405, 900),
			cutOff(1, 405, 900, ["peers", "devices"]),
		]) {
			const { takeovers = [], undrainedReadings } = simulate(flush(fault), policy).record.virtual;
			expect(takeovers).toMatchObject([{ kind: fault.kind, gateway: 0, shards: 16, shardsTaken: 16 }]);
			const [{ firstCommitSeconds, lastCommitSeconds }] = takeovers as [(typeof takeovers)[number]];
			// Noticed after 0.7 s; then a fence, a few marks, and the claim.
			expect(firstCommitSeconds).toBeGreaterThan(0.7);
			expect(lastCommitSeconds).toBeLessThan(2);
			expect(undrainedReadings).toBe(0);
		}
	});

	it("is not replaced where nobody notices, and owns its shards again when it is back", () => {
		const fault: Outage = { ...dies(1, 405, 420), takeover: false };
		const { takeovers = [] } = simulate(flush(fault), "klais").record.virtual;
		expect(takeovers).toMatchObject([{ shards: 16, shardsTaken: 16 }]);
		expect(takeovers[0]?.firstCommitSeconds).toBeGreaterThan(15.7);
		expect(takeovers[0]?.readingsDelayed).toBeGreaterThan(0);
		expect(takeovers[0]?.delayP99Seconds).toBeGreaterThan(0);
	});

	it("has no owner to be replaced under none: its clients go elsewhere", () => {
		const { record } = simulate(flush(dies(2, 405, 1_900)), "none");
		expect(record.virtual.takeovers).toBe(undefined);
		expect(record.series.online.at(-1)).toBe(DEVICES);
		expect(record.virtual.undrainedReadings).toBe(0);
	});
});

describe("the drain", () => {
	it.each(POLICY_NAMES)("ends under %s when the backlog is stored, lane and duplicates apart", (policy) => {
		// Light enough for a plain proxy too.
		const shape = { outages: [hit("refused")], broker: { capacityPerSecond: 400 } };
		const { record } = simulate(sketch({ ...shape, link: { lossPpm: 0 } }), policy);
		expect(record.virtual.undrainedReadings).toBe(0);
		expect(record.virtual.drainSeconds).not.toBe(null);
		expect(record.virtual.drainRatio).toBeGreaterThanOrEqual(0.999);
	});

	it("is not over before the devices have come, whether or not their sensors run on battery", () => {
		// Ten sessions a second: 12 s at least until the last of 120 is back, plus backlog.
		const gateways = { sessionsPerSecond: 1, count: 3 };
		for (const backup of ["none", "sensing"] as const) {
			const shape = { outages: [hit("refused")], gateways, firmware: { backup } };
			const { drainSeconds } = simulate(sketch(shape), "klais").record.virtual;
			expect(drainSeconds).toBeGreaterThan(38);
		}
	});

	it("has a bound that knows how little a small buffer holds", () => {
		const shape = { outages: [hit("power")], firmware: { bufferReadings: 7 } };
		const { run } = simulate(sketch(shape), "klais");
		expect(run.facts.bound.totalReadings).toBe(120 * 7);
	});
});

describe("a fleet larger than the engine's buffers", () => {
	const devices = 80_000;
	const shape: Sketch = {
		devices,
		durationSeconds: 60,
		firmware: { readingIntervalMicros: micros(20 * SECOND), reportIntervalMicros: micros(20 * SECOND) },
		gateways: {
			count: 1,
			costs: costsOf({ helloNanos: 10_000, dataNanos: 1_000, readingNanos: 0 }),
			receiveQueueFrames: 100_000,
		},
		broker: { capacityPerSecond: 200_000, requestTimeoutMicros: micros(3_600 * SECOND) },
	};
	const large = { ...shape.gateways, sinkQueueReadings: 1_000_000, sinkBatchReadings: 1_000_000 };

	it("is accounted for when all transactions of a minute commit in one slice", () => {
		// Two or three readings a device wait for the broker, and all their ACKs leave at once.
		const outage: Outage = {
			kind: "broker",
			outAtMicros: micros(2 * SECOND),
			backAtMicros: micros(45 * SECOND),
		};
		const finished = simulate(scenarioOf({ ...shape, gateways: large, outages: [outage] }), "static");
		expectHonest(finished);
		expect(finished.record.ledger.durable).toBeGreaterThan(devices);
	});

	it("is cut off at once when its only gateway dies", () => {
		const finished = simulate(scenarioOf({ ...shape, gateways: large, outages: [dies(1, 10, 12)] }), "none");
		expectHonest(finished);
		expect(finished.record.series.reachable.slice(9, 13)).toEqual([devices, 0, 0, devices]);
	});
});

describe("a scenario that the engine cannot run", () => {
	it("is refused where its time has more slices than a word", () => {
		const shape = { durationSeconds: 7 * 86_400, link: "ethernet" as const };
		const broker = { commitMinMicros: micros(100) };
		expect(() => simulate(sketch({ ...shape, broker }), "klais")).toThrow(
			/too long for its shortest latency/,
		);
	});

	it("is refused where a frame is on its way for more slices than there are", () => {
		const link = { uplinkBitsPerSecond: 10 };
		expect(() => simulate(sketch({ link }), "klais")).toThrow(/longest latency is too long/);
	});
});

describe("policy none", () => {
	it("stores nothing twice because of a lossy link alone: its clients speak TCP", () => {
		const link = { lossPpm: 20_000, duplicatePpm: 10_000, reorderPpm: 20_000 };
		const shape = { durationSeconds: 1_000, link, firmware: { frameReadings: 1 } };
		const { ledger, virtual } = simulate(sketch(shape), "none").record;
		expect([ledger.duplicates, ledger.imbalance]).toEqual([0, null]);
		expect(virtual.drops).toEqual({});
	});
});

describe("the seed", () => {
	it.each(POLICY_NAMES)("decides everything under %s", (policy) => {
		const scenario = sketch(SHAPES["all at once"] as Partial<Sketch>);
		const first = simulate(scenario, policy).record;
		expect(virtualPart(simulate(scenario, policy).record)).toEqual(virtualPart(first));
		const other = simulate({ ...scenario, seed: "another" }, policy).record;
		expect(other.digest).not.toBe(first.digest);
		expect(first.digest).toMatch(/^[0-9a-f]{64}$/);
	});
});
