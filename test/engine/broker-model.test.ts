import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
	type Batch,
	BrokerModel,
	type BrokerSetup,
	OUTCOME_COMMITTED,
	OUTCOME_FAILED,
	OUTCOME_FENCED,
} from "../../src/engine/broker-model.js";
import { GatewayPaths } from "../../src/engine/gateway-paths.js";
import { gatewayTransitions, type Interval } from "../../src/engine/gateway-plan.js";
import { Ownership } from "../../src/engine/ownership.js";
import { KIND_ENTRY, type RecordBuffer } from "../../src/engine/record-layout.js";
import { Streams } from "../../src/engine/streams.js";
import type { Broker, GatewayOutage } from "../../src/scenarios/scenario.js";
import { bufferOf, cutOff, fieldsOf, freezes, SECOND, scenarioOf } from "./support.js";

const GATEWAYS = 4;
const NEVER = Number.POSITIVE_INFINITY;

interface Request {
	readonly gateway: number;
	readonly time: number;
	/** Readings per device. */
	readonly runs: readonly (readonly [device: number, readings: number])[];
}

/** What became of a request. */
interface Fate {
	readonly batch: Batch;
	readonly storedAt: number;
	readonly outcome: number | null;
	readonly fields: ReturnType<typeof fieldsOf>;
}

function brokerOf(overrides: Partial<Record<keyof Broker, number>> = {}): Broker {
	return { ...scenarioOf({ devices: 1, durationSeconds: 1 }).broker, ...overrides } as Broker;
}

interface Options {
	readonly outages?: readonly Interval[];
	readonly losses?: readonly (readonly Interval[])[];
	readonly plain?: boolean;
	readonly faults?: readonly GatewayOutage[];
	readonly devices?: number;
}

/** A broker and the ears of all gateways. */
class Play {
	readonly model: BrokerModel;
	readonly fates = new Map<number, Fate>();
	readonly opened: { gateway: number; shard: number; time: number; isOpen: boolean }[] = [];

	constructor(broker: Broker, options: Options = {}) {
		const { outages = [], losses = [], plain = false, faults = [], devices = 64 } = options;
		// Slices of a second: the faults of these tests begin and end on whole seconds.
		const transitions = gatewayTransitions(faults, GATEWAYS, (time) => Math.ceil(time / SECOND));
		const setup: BrokerSetup = {
			broker,
			ownership: new Ownership(devices, broker.partitions, GATEWAYS),
			outages,
			losses,
			paths: new GatewayPaths(transitions, GATEWAYS, SECOND),
			transactional: !plain,
			streams: new Streams("broker"),
		};
		this.model = new BrokerModel(setup);
	}

	/** Lets happen what happens before `horizon`. */
	until(horizon: number): void {
		const change = (batch: Batch, fate: Partial<Fate>) => {
			const before = this.fates.get(batch.id) ?? { batch, storedAt: NEVER, outcome: null, fields: [] };
			this.fates.set(batch.id, { ...before, ...fate });
		};
		this.model.settle(horizon, {
			logged: (batch, isStored) =>
				change(batch, {
					storedAt: isStored ? batch.loggedAt : NEVER,
					fields: fieldsOf(batch.entries, 0, batch.count),
				}),
			heard: (batch, outcome) => change(batch, { outcome }),
			opened: (gateway, shard, time, isOpen) => this.opened.push({ gateway, shard, time, isOpen }),
		});
	}

	/** Sends readings through the producer of a shard. */
	send(id: number, gateway: number, shard: number, time: number, readings = 1): void {
		this.model.submit(gateway, id, shard, time, entries([[shard, readings]]), 0, 1);
	}

	/** What became of a request, in the end. */
	fate(id: number): Fate {
		this.until(NEVER);
		return this.fates.get(id) as Fate;
	}
}

function entries(runs: Request["runs"]): RecordBuffer {
	return bufferOf(
		runs.map(([device, readings], n) => ({
			time: 0,
			device,
			meta: KIND_ENTRY,
			a: n,
			c: readings | (3 << 16),
		})),
	);
}

/** Plain requests, in time order; all outcomes: [request, fate]. */
function play(broker: Broker, options: Options, requests: readonly Request[]): [Request, Fate][] {
	const run = new Play(broker, { ...options, plain: true });
	for (const [id, { gateway, time, runs }] of requests.entries()) {
		run.model.submit(gateway, id, 0, time, entries(runs), 0, runs.length);
	}
	run.until(NEVER);
	return [...run.fates].sort(([x], [y]) => x - y).map(([id, fate]) => [requests[id] as Request, fate]);
}

/** Readings of the runs that go to one node. */
function readingsAt(node: number, broker: Broker, runs: Request["runs"]): number {
	const own = runs.filter(([device]) => (device % broker.partitions) % broker.nodes === node);
	return own.reduce((sum, [, readings]) => sum + readings, 0);
}

/** As `expect`, which is too slow for a million comparisons. */
function expectAtMost(value: number, limit: number): void {
	if (value > limit + 1e-6) {
		expect(value).toBeLessThanOrEqual(limit);
	}
}

function readingsOf({ runs }: Request): number {
	return runs.reduce((sum, [, readings]) => sum + readings, 0);
}

const run = fc.tuple(fc.integer({ min: 0, max: 63 }), fc.integer({ min: 1, max: 255 }));
const request = fc.record({
	gap: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 2 * SECOND })),
	gateway: fc.integer({ min: 0, max: 3 }),
	runs: fc.array(run, { minLength: 1, maxLength: 8 }),
});
const requests = fc.array(request, { minLength: 1, maxLength: 60 }).map((list) => {
	let time = 0;
	return list.map(({ gap, gateway, runs }): Request => {
		time += gap;
		return { gateway, time, runs };
	});
});
const outages = fc
	.array(fc.tuple(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 1, max: 15 })), { maxLength: 4 })
	.map((list) => list.map(([at, length]) => ({ from: at * SECOND, to: (at + length) * SECOND })));
const brokers = fc.record({
	nodes: fc.integer({ min: 1, max: 5 }),
	capacityPerSecond: fc.integer({ min: 20, max: 5_000 }),
	partitions: fc.integer({ min: 1, max: 32 }),
	requestTimeoutMicros: fc.constantFrom(3_600 * SECOND, 30 * SECOND, 4 * SECOND),
});

describe("the broker, asked by plain requests", () => {
	it("never stores more than its nodes can, over any window, and not before the commit latency", () => {
		fc.assert(
			fc.property(brokers, requests, ({ requestTimeoutMicros: _, ...figures }, list) => {
				const broker = brokerOf({ ...figures, requestTimeoutMicros: 3_600 * SECOND });
				const decided = play(broker, {}, list);
				expect(decided.length).toBe(list.length);
				for (const [{ time }, { outcome, storedAt, batch }] of decided) {
					expect(outcome).toBe(OUTCOME_COMMITTED);
					expect(storedAt).toBe(batch.heardAt);
					expect(storedAt - time).toBeGreaterThanOrEqual(broker.commitMinMicros);
				}
				// Of what came at or after one moment, no node has stored more by another than it could work off between.
				const perReading = (broker.nodes * SECOND) / broker.capacityPerSecond;
				for (let node = 0; node < broker.nodes; node++) {
					for (const from of new Set(list.map(({ time }) => time))) {
						let work = 0;
						const after = decided.filter(([{ time }]) => time >= from);
						after.sort(([, x], [, y]) => x.storedAt - y.storedAt);
						for (const [{ runs }, { storedAt }] of after) {
							work += readingsAt(node, broker, runs) * perReading;
							expectAtMost(work, storedAt - from);
						}
					}
				}
			}),
			{ numRuns: 60, seed: 5 },
		);
	});

	it("keeps the order of each gateway's requests, whatever fails", () => {
		fc.assert(
			fc.property(brokers, requests, outages, (figures, list, down) => {
				const decided = play(brokerOf(figures), { outages: down }, list);
				for (let gateway = 0; gateway < GATEWAYS; gateway++) {
					const own = decided.filter(([r]) => r.gateway === gateway).map(([, fate]) => fate);
					for (const times of [own.map((f) => f.storedAt), own.map((f) => f.batch.heardAt)]) {
						expect(times).toEqual([...times].sort((x, y) => x - y));
					}
				}
			}),
			{ numRuns: 100, seed: 6 },
		);
	});

	it("times out at the time-out, and stores late all the same", () => {
		fc.assert(
			fc.property(brokers, requests, outages, (figures, list, down) => {
				const broker = brokerOf(figures);
				for (const [{ time }, { batch, storedAt, outcome }] of play(broker, { outages: down }, list)) {
					const limit = time + broker.requestTimeoutMicros;
					expect(batch.heardAt).toBeLessThanOrEqual(limit);
					if (outcome === OUTCOME_COMMITTED) {
						expect(storedAt).toBe(batch.heardAt);
					} else {
						expect([outcome, batch.heardAt]).toEqual([OUTCOME_FAILED, limit]);
						expect(storedAt).toBeGreaterThan(limit);
						expect(Number.isFinite(storedAt)).toBe(true);
					}
				}
			}),
			{ numRuns: 100, seed: 7 },
		);
	});

	it("stores nothing and works on nothing while it is down", () => {
		fc.assert(
			fc.property(brokers, requests, outages, (figures, list, down) => {
				const broker = brokerOf({ ...figures, requestTimeoutMicros: 3_600 * SECOND });
				const isDown = (at: number) => down.some(({ from, to }) => from <= at && at < to);
				const decided = play(broker, { outages: down }, list);
				expect(decided.filter(([, { storedAt }]) => isDown(storedAt))).toEqual([]);
				// All work of one node takes its time, none of it within an outage.
				const perReading = (broker.nodes * SECOND) / broker.capacityPerSecond;
				for (let node = 0; node < broker.nodes; node++) {
					const runs = decided.flatMap(([r]) => r.runs);
					const work = readingsAt(node, broker, runs) * perReading;
					const last = Math.max(0, ...decided.map(([, { storedAt }]) => storedAt));
					expect(upTime(down, last)).toBeGreaterThanOrEqual(work);
				}
			}),
			{ numRuns: 100, seed: 8 },
		);
	});

	it("delays what an outage covers to its end, also when one outage follows on another", () => {
		const broker = brokerOf({ requestTimeoutMicros: 3_600 * SECOND });
		const down = [
			{ from: 15 * SECOND, to: 30 * SECOND },
			{ from: 10 * SECOND, to: 20 * SECOND },
			{ from: 30 * SECOND, to: 35 * SECOND },
		];
		const decided = play(broker, { outages: down }, [
			{ gateway: 0, time: 9 * SECOND, runs: [[0, 1]] },
			{ gateway: 0, time: 12 * SECOND, runs: [[0, 1]] },
		]);
		expect(decided[0]?.[1].storedAt).toBeLessThan(10 * SECOND);
		expect(decided[1]?.[1].storedAt).toBeGreaterThanOrEqual(35 * SECOND);
	});

	it("reaches its ceiling when it is offered more, spread evenly over its partitions", () => {
		const broker = brokerOf({ capacityPerSecond: 3_000, requestTimeoutMicros: 3_600 * SECOND });
		const evenly = Array.from({ length: 60 }, (_, device) => [device, 50] as const);
		const list = Array.from({ length: 40 }, (_, n) => ({ gateway: n % 4, time: n * 1_000, runs: evenly }));
		const last = Math.max(...play(broker, {}, list).map(([, { storedAt }]) => storedAt));
		const readings = list.reduce((sum, r) => sum + readingsOf(r), 0);
		expect(readings / (last / SECOND)).toBeGreaterThan(3_000 * 0.99);
		expect(readings / (last / SECOND)).toBeLessThanOrEqual(3_000);
	});

	it("keeps the entries as they were submitted, though the source is used again", () => {
		const run = new Play(brokerOf());
		const source = bufferOf([
			{ time: 0, device: 5, meta: 1 },
			{ time: 3, device: 6, meta: KIND_ENTRY, a: 1, b: 2, c: 4, d: 5 },
		]);
		run.model.submit(2, 9, 6, 1_000, source, 1, 1);
		source.floats.fill(0);
		const { batch, fields } = run.fate(9);
		expect([batch.gateway, batch.id, batch.shard, batch.count]).toEqual([2, 9, 6, 1]);
		expect(fields).toEqual([{ time: 3, device: 6, meta: KIND_ENTRY, a: 1, b: 2, c: 4, d: 5 }]);
	});

	it("stores what a dead gateway had sent, and tells nobody", () => {
		const run = new Play(brokerOf(), { plain: true });
		for (const [id, gateway] of [0, 1, 0, 2].entries()) {
			run.send(id, gateway, gateway, id);
		}
		run.model.die(0, 10);
		run.until(NEVER);
		expect([0, 1, 2, 3].map((id) => run.fates.get(id)?.outcome)).toEqual([null, 1, null, 1]);
		expect([0, 2].every((id) => Number.isFinite(run.fate(id).storedAt))).toBe(true);
	});
});

/** Commits take 100 ms to the microsecond, but for the tail. */
const STEADY = {
	commitMinMicros: 99_999,
	commitMedianMicros: 100_000,
	commitP99Micros: 100_001,
	nodes: 1,
	partitions: 8,
	capacityPerSecond: 1_000_000,
} as const;

describe("the broker's transactions", () => {
	it("commit through the producer that was initialised last", () => {
		const run = new Play(brokerOf(STEADY));
		run.send(1, 0, 0, 0);
		expect(run.fate(1)).toMatchObject({ outcome: OUTCOME_COMMITTED });
		expect(run.model.ownerOf(0)).toBe(0);
		run.model.open(1, 0, SECOND);
		run.until(2 * SECOND);
		const [{ gateway, shard, time, isOpen }] = run.opened as [(typeof run.opened)[number]];
		expect([gateway, shard, isOpen, run.model.ownerOf(0)]).toEqual([1, 0, true, 1]);
		// A round trip to fence, then the checkpoints of eight devices.
		expect(time).toBeGreaterThanOrEqual(SECOND + 99_999 + 3_000);
		expect(time).toBeLessThan(SECOND + 250_000);
		run.send(2, 0, 0, 2 * SECOND);
		run.send(3, 1, 0, 2 * SECOND);
		expect(run.fate(2)).toMatchObject({ outcome: OUTCOME_FENCED, storedAt: NEVER });
		expect(run.fate(3)).toMatchObject({ outcome: OUTCOME_COMMITTED });
		// Other shards are as they were.
		run.send(4, 0, 4, 3 * SECOND);
		expect(run.fate(4)).toMatchObject({ outcome: OUTCOME_COMMITTED });
	});

	it("are aborted by a fence that comes before they are logged, and not by one that comes after", () => {
		for (const [gap, outcome] of [
			[60_000, OUTCOME_FENCED],
			[-101_000, OUTCOME_COMMITTED],
		] as const) {
			const run = new Play(brokerOf(STEADY));
			run.model.open(1, 0, SECOND);
			run.send(7, 0, 0, SECOND + gap);
			expect(run.fate(7).outcome).toBe(outcome);
			expect(run.fate(7).storedAt === NEVER).toBe(outcome === OUTCOME_FENCED);
		}
	});

	it("of a gateway that has opened nothing are fenced; so are those of a shard that it has given up", () => {
		const run = new Play(brokerOf(STEADY));
		run.send(1, 3, 0, 0);
		run.model.close(0, 0);
		run.send(2, 0, 0, SECOND);
		expect([run.fate(1).outcome, run.fate(2).outcome]).toEqual([OUTCOME_FENCED, OUTCOME_FENCED]);
	});

	it("are logged after a gateway's death if it had asked for the commit", () => {
		const run = new Play(brokerOf(STEADY));
		run.send(1, 0, 0, 0);
		run.send(2, 0, 4, 60_000);
		run.model.die(0, 70_000);
		expect(run.fate(1)).toMatchObject({ outcome: null });
		expect(run.fate(1).storedAt).toBeLessThan(200_000);
		expect(run.fate(2)).toMatchObject({ outcome: null, storedAt: NEVER });
		// What it had opened it must open again.
		run.send(3, 0, 0, SECOND);
		expect(run.fate(3).outcome).toBe(OUTCOME_FENCED);
	});

	it("that time out are aborted, or logged late unless somebody has fenced them", () => {
		const down = [{ from: SECOND, to: 40 * SECOND }];
		const broker = brokerOf({ ...STEADY, partitions: 400 });
		const timesOut = (fenceAt: number | null) => {
			const run = new Play(broker, { outages: down });
			for (let id = 0; id < 400; id++) {
				run.send(id, id % GATEWAYS, id, 2 * SECOND);
				if (fenceAt !== null) {
					run.model.open((id + 1) % GATEWAYS, id, fenceAt);
				}
			}
			run.until(NEVER);
			const fates = [...run.fates.values()];
			expect(fates.every((fate) => fate.outcome === OUTCOME_FAILED)).toBe(true);
			expect(fates.every((fate) => fate.batch.heardAt === 32 * SECOND)).toBe(true);
			const stored = fates.filter(({ storedAt }) => storedAt !== NEVER);
			expect(stored.every(({ storedAt }) => storedAt >= 40 * SECOND)).toBe(true);
			return stored.length;
		};
		const late = timesOut(null);
		expect(late).toBeGreaterThan(150);
		expect(late).toBeLessThan(250);
		// Who opens the shard meanwhile races with them.
		const racing = timesOut(33 * SECOND);
		expect(racing).toBeGreaterThan(0);
		expect(racing).toBeLessThan(late);
	});

	it("are lost, logged late or logged without a word when their partition loses its leader", () => {
		const losses = [[{ from: 10 * SECOND, to: 15 * SECOND }]];
		const run = new Play(brokerOf({ ...STEADY, partitions: 400 }), { losses });
		for (let id = 0; id < 400; id++) {
			run.send(id, id % GATEWAYS, id, 10 * SECOND - 150_000 + id * 1_000);
		}
		run.until(NEVER);
		const fates = [...run.fates.values()];
		const torn = fates.filter(({ outcome }) => outcome === OUTCOME_FAILED);
		// Those on their way at the moment of the loss; who comes after it waits for the new leader.
		expect(torn.length).toBeGreaterThan(90);
		expect(torn.length).toBeLessThan(110);
		const times = torn.map(({ storedAt }) => storedAt);
		expect(times.filter((at) => at === NEVER).length).toBeGreaterThan(10);
		expect(times.filter((at) => at !== NEVER && at >= 15 * SECOND).length).toBeGreaterThan(10);
		expect(times.every((at) => at === NEVER || at >= 15 * SECOND || at === 10 * SECOND)).toBe(true);
		const waited = fates.filter(({ batch, outcome }) => outcome === 1 && batch.loggedAt > 10 * SECOND);
		expect(waited.length).toBeGreaterThan(200);
		expect(waited.every(({ storedAt }) => storedAt >= 15 * SECOND)).toBe(true);
	});
});

describe("the broker, when a gateway is frozen or cut off from it", () => {
	it("commits what a frozen gateway had asked for, and aborts the rest if it is fenced before it wakes", () => {
		const run = new Play(brokerOf(STEADY), { faults: [freezes(1, 10, 20)] });
		run.send(1, 0, 0, 10 * SECOND - 60_000);
		run.send(2, 0, 4, 10 * SECOND - 20_000);
		run.send(3, 0, 7, 10 * SECOND - 20_000);
		run.model.open(1, 4, 12 * SECOND);
		expect(run.fate(1)).toMatchObject({ outcome: OUTCOME_COMMITTED });
		expect(run.fate(1).storedAt).toBeLessThan(10 * SECOND + 50_000);
		expect(run.fate(1).batch.heardAt).toBe(20 * SECOND);
		expect(run.fate(2)).toMatchObject({ outcome: OUTCOME_FENCED, storedAt: NEVER });
		expect(run.opened).toMatchObject([{ gateway: 1, shard: 4, isOpen: true }]);
	});

	it("gets nothing while nothing gets out, and answers in vain while nothing gets in", () => {
		const limit = { ...STEADY, requestTimeoutMicros: 5 * SECOND };
		for (const [direction, from, storedBy] of [
			["in", ["broker"], 10 * SECOND + 300_000],
			["out", ["broker"], NEVER],
			["in", ["peers", "devices"], 10 * SECOND + 300_000],
		] as const) {
			const run = new Play(brokerOf(limit), { faults: [cutOff(1, 10, 30, from, direction)] });
			run.send(1, 0, 0, 10 * SECOND + 100_000);
			const { outcome, storedAt, batch } = run.fate(1);
			const isCut = (from as readonly string[]).includes("broker");
			expect(outcome).toBe(isCut ? OUTCOME_FAILED : OUTCOME_COMMITTED);
			expect(batch.heardAt === 15 * SECOND + 100_000).toBe(isCut);
			// What waits in the network may still be logged long after the gateway has given up.
			expect(direction === "out" ? storedAt >= 30 * SECOND : storedAt <= storedBy).toBe(true);
		}
	});

	it("says so when a shard cannot be opened, though the fence may come all the same", () => {
		const broker = brokerOf({ ...STEADY, requestTimeoutMicros: 5 * SECOND });
		const run = new Play(broker, { faults: [cutOff(1, 10, 30, ["broker"], "in")] });
		run.model.open(0, 1, 11 * SECOND);
		run.until(NEVER);
		expect(run.opened).toEqual([{ gateway: 0, shard: 1, time: 16 * SECOND, isOpen: false }]);
		expect(run.model.ownerOf(1)).toBe(0);
		run.send(1, 1, 1, 40 * SECOND);
		run.send(2, 0, 1, 40 * SECOND);
		expect([run.fate(1).outcome, run.fate(2).outcome]).toEqual([OUTCOME_FENCED, OUTCOME_FENCED]);
	});

	it("takes longer to restore a shard of many devices, and one shard after the other", () => {
		const openAll = (devices: number) => {
			const run = new Play(brokerOf(STEADY), { devices });
			for (const shard of [1, 2, 3]) {
				run.model.open(0, shard, 0);
			}
			run.until(NEVER);
			return run.opened.map(({ time }) => time);
		};
		const [few, many] = [openAll(8), openAll(8_000_000)];
		expect(Math.max(...few)).toBeLessThan(300_000);
		// A million devices a shard, two marks each, at 1.8 us.
		const steps = many.map((time, n) => time - (many[n - 1] ?? 100_000));
		expect(steps.every((step) => step > 3_500_000 && step < 3_800_000)).toBe(true);
	});
});

/** How long the broker was up by `time`. */
function upTime(down: readonly Interval[], time: number): number {
	const edges = [0, time, ...down.flatMap(({ from, to }) => [from, to])].filter((at) => at <= time);
	edges.sort((x, y) => x - y);
	let up = 0;
	for (const [n, to] of edges.entries()) {
		const from = edges[n - 1] ?? 0;
		up += down.some((o) => o.from <= from && from < o.to) ? 0 : to - from;
	}
	return up;
}
