import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { GatewayCpus } from "../../src/engine/gateway-cpus.js";
import { KIND_DATA, KIND_HELLO, RecordBuffer } from "../../src/engine/record-layout.js";
import { bufferOf, fieldsOf } from "./support.js";

const TIMES = { helloMicros: 4_000, dataMicros: 200, readingNanos: 1_500 };

/** Cost by the description alone. */
function cost(readings: number | null): number {
	return readings === null ? 4_000 : 200 + Math.ceil(readings * 1.5);
}

function frame(time: number, device: number, readings: number | null) {
	return { time, device, meta: readings === null ? KIND_HELLO : KIND_DATA, c: (readings ?? 0) | (7 << 16) };
}

const arrival = fc.record({
	gap: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 500 }), fc.integer({ min: 0, max: 30_000 })),
	device: fc.integer({ min: 0, max: 20 }),
	readings: fc.oneof(fc.constant(null), fc.integer({ min: 0, max: 255 })),
});

describe("the CPUs of the gateways", () => {
	it("serve first come, first served, one at a time, from a bounded queue", () => {
		const scenario = fc.tuple(
			fc.integer({ min: 1, max: 4 }),
			fc.integer({ min: 1, max: 6 }),
			fc.array(arrival, { maxLength: 80 }),
			fc.integer({ min: 1, max: 20_000 }),
		);
		fc.assert(
			fc.property(scenario, ([gateways, limit, arrivals, slice]) => {
				const cpus = new GatewayCpus(gateways, TIMES, limit);
				const target = new RecordBuffer(limit);
				const waiting: { at: number; device: number }[][] = Array.from({ length: gateways }, () => []);
				const free = new Array<number>(gateways).fill(0);
				let now = 0;
				const finish = (until: number) => {
					for (let g = 0; g < gateways; g++) {
						const queue = waiting[g] as { at: number; device: number }[];
						expect(cpus.waiting(g)).toBe(queue.length);
						expect(cpus.nextFinish(g)).toBe(queue[0]?.at ?? Number.POSITIVE_INFINITY);
						const done = queue.filter(({ at }) => at < until);
						const taken = fieldsOf(target, 0, cpus.take(g, until, target, 0));
						expect(taken.map(({ time, device }) => ({ at: time, device }))).toEqual(done);
						queue.splice(0, done.length);
					}
				};
				for (const { gap, device, readings } of arrivals) {
					now += gap;
					finish(Math.floor(now / slice) * slice);
					const g = device % gateways;
					const queue = waiting[g] as { at: number; device: number }[];
					const isRoom = queue.length < limit;
					expect(cpus.offer(bufferOf([frame(now, device, readings)]), 0)).toBe(isRoom);
					if (isRoom) {
						free[g] = Math.max(free[g] as number, now) + cost(readings);
						queue.push({ at: free[g] as number, device });
					}
				}
				finish(Number.POSITIVE_INFINITY);
				expect(waiting.flat()).toEqual([]);
			}),
			{ numRuns: 300, seed: 3 },
		);
	});

	it("are busy all the time while frames wait, and never longer than their work", () => {
		const cpus = new GatewayCpus(1, TIMES, 1_000);
		for (let n = 0; n < 500; n++) {
			expect(cpus.offer(bufferOf([frame(10, n, n % 3 === 0 ? null : 64)]), 0)).toBe(true);
		}
		const target = new RecordBuffer(1_000);
		const done = fieldsOf(target, 0, cpus.take(0, Number.POSITIVE_INFINITY, target, 0));
		const work = 167 * cost(null) + 333 * cost(64);
		expect(done.at(-1)?.time).toBe(10 + work);
		expect(done.map(({ device }) => device)).toEqual(Array.from({ length: 500 }, (_, n) => n));
	});

	it("forget their queue and their work when the process dies", () => {
		const cpus = new GatewayCpus(2, TIMES, 8);
		for (let n = 0; n < 16; n++) {
			cpus.offer(bufferOf([frame(0, n, null)]), 0);
		}
		cpus.clear(0);
		expect([cpus.waiting(0), cpus.waiting(1)]).toEqual([0, 8]);
		expect(cpus.nextFinish(0)).toBe(Number.POSITIVE_INFINITY);
		expect(cpus.offer(bufferOf([frame(100, 0, 2)]), 0)).toBe(true);
		expect(cpus.nextFinish(0)).toBe(100 + cost(2));
	});

	it("take a limit that no memory could hold, and the whole record of each frame", () => {
		// What the schema allows: 2^32 - 1 frames of 32 bytes.
		const cpus = new GatewayCpus(4, TIMES, 0xffff_ffff);
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
			expect(cpus.offer(source, n)).toBe(true);
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
