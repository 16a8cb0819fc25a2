import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { GatewayCpus, withoutFilter } from "../../src/engine/gateway-cpus.js";
import { KIND_DATA, KIND_HELLO, RecordBuffer } from "../../src/engine/record-layout.js";
import { bufferOf, costsOf, fieldsOf } from "./support.js";

const COSTS = costsOf(
	{ helloNanos: 4_321_987, dataNanos: 2_500, readingNanos: 1_501 },
	{ helloPassNanos: 301, helloDeferNanos: 277, helloDropNanos: 99, dataPassNanos: 131, dataDropNanos: 83 },
);

/** Nanoseconds by the description alone: of user space, and of the filter by what becomes of the frame. */
const costOf = (readings: number | null) =>
	readings === null ? 4_321_987n : 2_500n + BigInt(readings) * 1_501n;
const FILTER_COST = {
	hello: { pass: 301n, defer: 277n, drop: 99n },
	data: { pass: 131n, drop: 83n, defer: 83n },
} as const;

function frame(time: number, device: number, readings: number | null) {
	return { time, device, meta: readings === null ? KIND_HELLO : KIND_DATA, c: (readings ?? 0) | (7 << 16) };
}

const FATES = ["pass", "pass", "pass", "defer", "drop"] as const;

const arrival = fc
	.record({
		gap: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 500 }), fc.integer({ min: 0, max: 30_000 })),
		device: fc.integer({ min: 0, max: 20 }),
		readings: fc.oneof(fc.constant(null), fc.integer({ min: 0, max: 255 })),
		fate: fc.constantFrom(...FATES),
	})
	// Nobody answers DATA with DEFER.
	.map((x) => (x.readings !== null && x.fate === "defer" ? { ...x, fate: "drop" as const } : x));

/** The model: one server per gateway, in nanoseconds that nothing rounds. */
class Model {
	readonly waiting: { at: number; device: number }[] = [];
	private busyNanos = 0n;

	constructor(private readonly limit: number) {}

	/** Whether the frame found room, if the filter passed it. */
	arrive(now: number, device: number, readings: number | null, fate: (typeof FATES)[number]): boolean {
		const filter = FILTER_COST[readings === null ? "hello" : "data"][fate];
		const isTaken = fate === "pass" && this.waiting.length < this.limit;
		const start = BigInt(now) * 1_000n;
		this.busyNanos = (this.busyNanos > start ? this.busyNanos : start) + filter;
		if (isTaken) {
			this.busyNanos += costOf(readings);
			this.waiting.push({ at: Number((this.busyNanos + 999n) / 1_000n), device });
		}
		return isTaken;
	}
}

const DAY = 86_400_000_000;

describe("the CPUs of the gateways", () => {
	it("serve first come, first served, one at a time, from a bounded queue, to the nanosecond", () => {
		const scenario = fc.tuple(
			fc.integer({ min: 1, max: 4 }),
			fc.integer({ min: 1, max: 6 }),
			fc.array(arrival, { maxLength: 80 }),
			fc.integer({ min: 1, max: 20_000 }),
			// The longest scenario takes 49 days; the arithmetic lasts longer.
			fc.constantFrom(0, 49 * DAY, 40_000 * DAY),
		);
		fc.assert(
			fc.property(scenario, ([gateways, limit, arrivals, slice, start]) => {
				const cpus = new GatewayCpus(gateways, COSTS, limit);
				const target = new RecordBuffer(limit);
				const models = Array.from({ length: gateways }, () => new Model(limit));
				let now = start;
				const finish = (until: number) => {
					for (const [g, { waiting }] of models.entries()) {
						expect(cpus.waiting(g)).toBe(waiting.length);
						expect(cpus.nextFinish(g)).toBe(waiting[0]?.at ?? Number.POSITIVE_INFINITY);
						const done = waiting.filter(({ at }) => at < until);
						const taken = fieldsOf(target, 0, cpus.take(g, until, target, 0));
						expect(taken.map(({ time, device }) => ({ at: time, device }))).toEqual(done);
						waiting.splice(0, done.length);
					}
				};
				for (const { gap, device, readings, fate } of arrivals) {
					now += gap;
					finish(Math.floor(now / slice) * slice);
					const isTaken = (models[device % gateways] as Model).arrive(now, device, readings, fate);
					const source = bufferOf([frame(now, device, readings)]);
					if (fate === "pass") {
						expect(cpus.offer(device % gateways, source, 0)).toBe(isTaken);
					} else {
						cpus.refuse(device % gateways, source, 0, fate === "defer");
					}
				}
				finish(Number.POSITIVE_INFINITY);
				expect(models.flatMap(({ waiting }) => waiting)).toEqual([]);
			}),
			{ numRuns: 500, seed: 3 },
		);
	});

	it("add up what takes less than a microsecond", () => {
		const cpus = new GatewayCpus(1, costsOf({ helloNanos: 0, dataNanos: 2_500, readingNanos: 0 }), 2_000);
		for (let n = 0; n < 1_000; n++) {
			cpus.offer(0, bufferOf([frame(100, n, 1)]), 0);
		}
		const target = new RecordBuffer(1_000);
		const done = fieldsOf(target, 0, cpus.take(0, Number.POSITIVE_INFINITY, target, 0));
		expect(done.slice(0, 4).map(({ time }) => time)).toEqual([103, 105, 108, 110]);
		expect(done.at(-1)?.time).toBe(100 + 2_500);
	});

	it("are kept from their work by a flood that the filter refuses, for as long as that takes", () => {
		const costs = costsOf({ helloNanos: 5_000, dataNanos: 2_500, readingNanos: 0 }, { helloDropNanos: 100 });
		const finishAfter = (flood: number, filtered: boolean) => {
			const cpus = new GatewayCpus(1, filtered ? costs : withoutFilter(costs), 8);
			for (let n = 0; n < flood; n++) {
				cpus.refuse(0, bufferOf([frame(0, n, null)]), 0, false);
			}
			cpus.offer(0, bufferOf([frame(0, 1, 0)]), 0);
			return cpus.nextFinish(0);
		};
		expect(finishAfter(0, true)).toBe(3);
		expect(finishAfter(10_000, true)).toBe(1_003);
		expect(finishAfter(10_000, false)).toBe(3);
	});

	it("are busy all the time while frames wait, and never longer than their work", () => {
		const cpus = new GatewayCpus(1, COSTS, 1_000);
		for (let n = 0; n < 500; n++) {
			expect(cpus.offer(0, bufferOf([frame(10, n, n % 3 === 0 ? null : 64)]), 0)).toBe(true);
		}
		const target = new RecordBuffer(1_000);
		const done = fieldsOf(target, 0, cpus.take(0, Number.POSITIVE_INFINITY, target, 0));
		const work = 167n * (costOf(null) + 301n) + 333n * (costOf(64) + 131n);
		expect(done.at(-1)?.time).toBe(10 + Math.ceil(Number(work) / 1_000));
		expect(done.map(({ device }) => device)).toEqual(Array.from({ length: 500 }, (_, n) => n));
	});

	it("forget their queue and their work when the process dies", () => {
		const cpus = new GatewayCpus(2, COSTS, 8);
		for (let n = 0; n < 16; n++) {
			cpus.offer(n % 2, bufferOf([frame(0, n, null)]), 0);
		}
		cpus.clear(0);
		expect([cpus.waiting(0), cpus.waiting(1)]).toEqual([0, 8]);
		expect(cpus.nextFinish(0)).toBe(Number.POSITIVE_INFINITY);
		expect(cpus.offer(0, bufferOf([frame(100, 0, 2)]), 0)).toBe(true);
		expect(cpus.nextFinish(0)).toBe(100 + Math.ceil(Number(costOf(2) + 131n) / 1_000));
	});

	it("do nothing while their process is stopped, then all that has waited, one after the other", () => {
		const cpus = new GatewayCpus(1, costsOf({ helloNanos: 10_000, dataNanos: 0, readingNanos: 0 }), 4);
		const offer = (at: number) => cpus.offer(0, bufferOf([frame(at, 1, null)]), 0);
		expect([offer(0), offer(0), offer(0)]).toEqual([true, true, true]);
		const target = new RecordBuffer(8);
		const timesUntil = (horizon: number) =>
			fieldsOf(target, 0, cpus.take(0, horizon, target, 0)).map(({ time }) => time);
		expect(timesUntil(15)).toEqual([10]);
		cpus.freeze(0, 15, 1_000);
		expect([offer(500), offer(600), offer(700)]).toEqual([true, true, false]);
		expect(timesUntil(1_000)).toEqual([]);
		// The frame in its hands had five microseconds to go.
		expect(timesUntil(2_000)).toEqual([1_005, 1_015, 1_025, 1_035]);
		cpus.freeze(0, 3_000, 4_000);
		expect(offer(3_500)).toBe(true);
		expect(cpus.nextFinish(0)).toBe(4_010);
	});

	it("take a limit that no memory could hold, and the whole record of each frame", () => {
		// What the schema allows: 2^32 - 1 frames of 32 bytes.
		const cpus = new GatewayCpus(4, COSTS, 0xffff_ffff);
		const sent = Array.from({ length: 5_000 }, (_, n) => ({
			...frame(n, n * 4, 1),
			a: n * 7,
			b: -n - 1,
			d: 0x4000_0000 + n,
		}));
		const source = bufferOf(sent);
		const target = new RecordBuffer(sent.length);
		let taken = 0;
		for (let n = 0; n < sent.length; n++) {
			expect(cpus.offer(0, source, n)).toBe(true);
			if (n === 3_000) {
				taken += cpus.take(0, n, target, taken);
			}
		}
		taken += cpus.take(0, Number.POSITIVE_INFINITY, target, taken);
		expect(taken).toBe(sent.length);
		const got = fieldsOf(target, 0, taken).map(({ time: _, ...rest }) => rest);
		expect(got).toEqual(sent.map(({ time: _, ...rest }) => rest));
	});
});
