import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { settlingOf } from "../../src/engine/settling.js";
import type { Series } from "../../src/record/run-record.js";

/** A series of ten-second buckets; only what settling looks at. */
function series(admitted: readonly number[], durable: readonly number[]): Series {
	const zeros = durable.map(() => 0);
	return {
		bucketSeconds: 10,
		timeSeconds: durable.map((_, n) => n * 10),
		offeredPerSecond: zeros,
		admittedPerSecond: admitted,
		durablePerSecond: durable,
		duplicatesPerSecond: zeros,
		helloPerSecond: zeros,
		deferredPerSecond: zeros,
		droppedPerSecond: zeros,
		reachable: zeros,
		online: zeros,
		backlogReadings: zeros,
		backlogBoundReadings: zeros,
		liveP99Micros: zeros,
	};
}

describe("how a law settles", () => {
	it("is told by the first bucket from which on the sink is busy", () => {
		const durable = [10, 10, 50, 95, 130, 91, 100, 109, 20, 20];
		// Busy from 20 s to 80 s: 130 is out of the band, 91 within it.
		expect(settlingOf(series(durable, durable), 100, 20, 80)).toEqual({
			overshoot: expect.closeTo(0.3, 9),
			settlingSeconds: 30,
		});
	});

	it("never does when the last whole bucket is outside the band", () => {
		const durable = [100, 100, 100, 89];
		expect(settlingOf(series(durable, durable), 100, 0, 40).settlingSeconds).toBeNull();
		expect(settlingOf(series(durable, durable), 100, 0, 39).settlingSeconds).toBe(0);
	});

	it("knows no overshoot below the capacity, and nothing without a busy period", () => {
		const rates = [10, 20];
		expect(settlingOf(series(rates, rates), 100, 0, 20).overshoot).toBe(0);
		expect(settlingOf(series(rates, rates), 100, 5, 9)).toEqual({ overshoot: null, settlingSeconds: null });
		expect(settlingOf(series([], []), 100, 0, 20)).toEqual({ overshoot: null, settlingSeconds: null });
	});

	it("lies within the busy period, whatever the rates", () => {
		const rates = fc.array(fc.nat(300), { minLength: 1, maxLength: 60 });
		const check = (durable: number[], from: number, length: number) => {
			const { overshoot, settlingSeconds } = settlingOf(series(durable, durable), 100, from, from + length);
			expect(overshoot === null || (overshoot >= 0 && overshoot <= 2)).toBe(true);
			expect(settlingSeconds === null || (settlingSeconds >= 0 && settlingSeconds < length)).toBe(true);
		};
		fc.assert(fc.property(rates, fc.nat(600), fc.integer({ min: 1, max: 600 }), check));
	});
});
