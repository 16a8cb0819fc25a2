import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { OUTCOME_COMMITTED, OUTCOME_FAILED } from "../../src/engine/broker-model.js";
import type { Interval } from "../../src/engine/gateway-plan.js";
import { KIND_ENTRY } from "../../src/engine/record-layout.js";
import type { Broker } from "../../src/scenarios/scenario.js";
import {
	brokerOf,
	entries,
	type Fate,
	GATEWAYS,
	NEVER,
	type Options,
	Play,
	type Request,
} from "./broker-support.js";
import { bufferOf, SECOND } from "./support.js";

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
