import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Batch, BrokerModel } from "../../src/engine/broker-model.js";
import { KIND_ENTRY, type RecordBuffer } from "../../src/engine/record-layout.js";
import { Streams } from "../../src/engine/streams.js";
import type { Broker } from "../../src/scenarios/scenario.js";
import { bufferOf, fieldsOf, SECOND, scenarioOf } from "./support.js";

interface Interval {
	readonly from: number;
	readonly to: number;
}

interface Request {
	readonly gateway: number;
	readonly time: number;
	/** Readings per device. */
	readonly runs: readonly (readonly [device: number, readings: number])[];
}

function brokerOf(overrides: Partial<Record<keyof Broker, number>> = {}): Broker {
	return { ...scenarioOf({ devices: 1, durationSeconds: 1 }).broker, ...overrides } as Broker;
}

function modelOf(broker: Broker, options: { outages?: readonly Interval[]; plain?: boolean } = {}) {
	return new BrokerModel(broker, 4, options.outages ?? [], options.plain !== true, new Streams("broker"));
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

/** Submits all requests in time order and lets all outcomes come: [request, batch] in the order of the outcomes. */
function play(model: BrokerModel, requests: readonly Request[]): [Request, Batch][] {
	for (const [id, { gateway, time, runs }] of requests.entries()) {
		model.submit(gateway, id, time, entries(runs), 0, runs.length);
	}
	const decided: [Request, Batch][] = [];
	for (let due = model.nextOutcome(); due !== Number.POSITIVE_INFINITY; due = model.nextOutcome()) {
		expect(model.next(due)).toBe(undefined);
		const batch = model.next(due + 0.5);
		if (batch === undefined) {
			throw new Error("an outcome that was announced does not come");
		}
		expect(batch.outcomeAt).toBe(due);
		decided.push([requests[batch.id] as Request, batch]);
	}
	return decided;
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

describe("the broker", () => {
	it("never stores more than its nodes can, over any window, and not before the commit latency", () => {
		fc.assert(
			fc.property(brokers, requests, ({ requestTimeoutMicros: _, ...figures }, list) => {
				const broker = brokerOf({ ...figures, requestTimeoutMicros: 3_600 * SECOND });
				const decided = play(modelOf(broker), list);
				expect(decided.length).toBe(list.length);
				for (const [{ time }, batch] of decided) {
					expect(batch.committed).toBe(true);
					expect(batch.storedAt).toBe(batch.outcomeAt);
					expect(batch.storedAt - time).toBeGreaterThanOrEqual(broker.commitMinMicros);
				}
				// Of what came at or after one moment, no node has stored more by another than it could work off between.
				const perReading = (broker.nodes * SECOND) / broker.capacityPerSecond;
				for (let node = 0; node < broker.nodes; node++) {
					for (const from of new Set(list.map(({ time }) => time))) {
						let work = 0;
						for (const [{ runs }, { storedAt }] of decided.filter(([{ time }]) => time >= from)) {
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
			fc.property(brokers, requests, outages, fc.boolean(), (figures, list, down, plain) => {
				const decided = play(modelOf(brokerOf(figures), { outages: down, plain }), list);
				for (let gateway = 0; gateway < 4; gateway++) {
					const own = decided.filter(([r]) => r.gateway === gateway).map(([, batch]) => batch);
					const ids = own.map((batch) => batch.id);
					expect(ids).toEqual([...ids].sort((x, y) => x - y));
					const stored = own.map((b) => b.storedAt).filter((at) => at !== Number.POSITIVE_INFINITY);
					expect(stored).toEqual([...stored].sort((x, y) => x - y));
				}
			}),
			{ numRuns: 100, seed: 6 },
		);
	});

	it("times out at the time-out: a transaction is aborted, a plain request is stored late", () => {
		fc.assert(
			fc.property(brokers, requests, outages, fc.boolean(), (figures, list, down, plain) => {
				const broker = brokerOf(figures);
				for (const [{ time }, batch] of play(modelOf(broker, { outages: down, plain }), list)) {
					const limit = time + broker.requestTimeoutMicros;
					expect(batch.outcomeAt).toBeLessThanOrEqual(limit);
					if (batch.committed) {
						expect(batch.storedAt).toBe(batch.outcomeAt);
					} else {
						expect(batch.outcomeAt).toBe(limit);
						expect(batch.storedAt).toBeGreaterThan(limit);
						expect(batch.storedAt === Number.POSITIVE_INFINITY).toBe(!plain);
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
				const decided = play(modelOf(broker, { outages: down }), list);
				expect(decided.filter(([, batch]) => isDown(batch.storedAt))).toEqual([]);
				// All work of one node takes its time, none of it within an outage.
				const perReading = (broker.nodes * SECOND) / broker.capacityPerSecond;
				for (let node = 0; node < broker.nodes; node++) {
					const runs = decided.flatMap(([r]) => r.runs);
					const work = readingsAt(node, broker, runs) * perReading;
					const last = Math.max(0, ...decided.map(([, batch]) => batch.storedAt));
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
		const decided = play(modelOf(broker, { outages: down }), [
			{ gateway: 0, time: 9 * SECOND, runs: [[0, 1]] },
			{ gateway: 0, time: 12 * SECOND, runs: [[0, 1]] },
		]);
		expect((decided[0] as [Request, Batch])[1].storedAt).toBeLessThan(10 * SECOND);
		expect((decided[1] as [Request, Batch])[1].storedAt).toBeGreaterThanOrEqual(35 * SECOND);
	});

	it("reaches its ceiling when it is offered more, spread evenly over its partitions", () => {
		const broker = brokerOf({ capacityPerSecond: 3_000, requestTimeoutMicros: 3_600 * SECOND });
		const evenly = Array.from({ length: 60 }, (_, device) => [device, 50] as const);
		const list = Array.from({ length: 40 }, (_, n) => ({ gateway: n % 4, time: n * 1_000, runs: evenly }));
		const model = modelOf(broker);
		const decided = play(model, list);
		const last = Math.max(...decided.map(([, batch]) => batch.storedAt));
		const readings = list.reduce((sum, r) => sum + readingsOf(r), 0);
		expect(readings / (last / SECOND)).toBeGreaterThan(3_000 * 0.99);
		expect(readings / (last / SECOND)).toBeLessThanOrEqual(3_000);
		expect(model.busyMicros).toBe(readings * 1_000);
	});

	it("keeps the entries as they were submitted, though the source is used again", () => {
		const model = modelOf(brokerOf());
		const source = bufferOf([
			{ time: 0, device: 5, meta: 1 },
			{ time: 3, device: 6, meta: KIND_ENTRY, a: 1, b: 2, c: 4, d: 5 },
		]);
		model.submit(2, 9, 1_000, source, 1, 1);
		source.floats.fill(0);
		const batch = model.next(Number.POSITIVE_INFINITY) as Batch;
		expect([batch.gateway, batch.id, batch.count]).toEqual([2, 9, 1]);
		expect(fieldsOf(batch.entries, 0, 1)).toEqual([
			{ time: 3, device: 6, meta: KIND_ENTRY, a: 1, b: 2, c: 4, d: 5 },
		]);
	});

	it.each([true, false])("lets a dying gateway's requests go (plain: %s)", (plain) => {
		const model = modelOf(brokerOf(), { plain });
		for (const [id, gateway] of [0, 1, 0, 2].entries()) {
			model.submit(gateway, id, id, entries([[gateway, 10]]), 0, 1);
		}
		const orphans = model.abandon(0);
		// Plain requests are stored though nobody hears; an open transaction never is.
		expect(orphans.map((batch) => batch.id)).toEqual(plain ? [0, 2] : []);
		expect(orphans.every((batch) => Number.isFinite(batch.storedAt))).toBe(true);
		const rest: number[] = [];
		for (let b = model.next(1e12); b !== undefined; b = model.next(1e12)) {
			rest.push(b.id);
		}
		expect(rest.sort()).toEqual([1, 3]);
		expect(model.nextOutcome()).toBe(Number.POSITIVE_INFINITY);
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
