import { describe, expect, it } from "vitest";
import { drainBound, type FluidInput, type Return, sessionQueueWaits } from "../../src/engine/drain-bound.js";
import { SECOND } from "./support.js";

const DEVICES = 100;

/** A fleet of 100 that reads once in 10 s (10 readings a second) at a sink of 30 a second, in steps of a second. */
function inputOf(steps: number, returns: readonly Return[], away: (step: number) => number): FluidInput {
	return {
		durationMicros: steps * SECOND,
		stepMicros: SECOND,
		capacityPerSecond: 30,
		perDevicePerSecond: 0.1,
		returns,
		away: Float64Array.from({ length: steps }, (_, step) => away(step)),
		devices: DEVICES,
	};
}

function back(second: number, devices: number, readingsEach: number): Return {
	return { atMicros: second * SECOND, devices, readingsEach };
}

describe("the bound of the drain", () => {
	it("is backlog over spare capacity for one lump", () => {
		// 50 devices away for 100 s come back with 10 readings each: 500 readings at 30 - 10 = 20 a second: 25 s.
		const away = (step: number) => (step >= 50 && step < 150 ? 50 : 0);
		const bound = drainBound(inputOf(400, [back(150, 50, 10)], away));
		expect(bound.totalReadings).toBe(500);
		expect(bound.epsilonReadings).toBeCloseTo(0.5, 9);
		expect(bound.startMicros).toBe(150 * SECOND);
		expect(bound.backlog[150]).toBe(480);
		expect(bound.backlog[173]).toBe(20);
		// The step in which the last 20 are stored is the first that ends without any.
		expect(bound.endMicros).toBe(174 * SECOND);
		expect(bound.backlog[174]).toBe(0);
	});

	it("lets what is still away lighten the load", () => {
		// While 50 more stay away the sink has 25 to spare.
		const away = (step: number) => (step < 10 ? 0 : step < 100 ? 100 : step < 120 ? 50 : 0);
		const bound = drainBound(inputOf(400, [back(100, 50, 9), back(120, 50, 11)], away));
		expect(bound.backlog[100]).toBe(450 - 25);
		// 450 - 20 * 25 < 0: through before the second lump.
		expect(bound.backlog[118]).toBe(0);
		expect(bound.backlog[120]).toBe(550 - 20);
		expect(bound.startMicros).toBe(120 * SECOND);
		expect(bound.endMicros).toBe(147 * SECOND);
	});

	it("is one busy period where a lump lands on a backlog", () => {
		const away = (step: number) => (step < 10 ? 0 : step < 100 ? 100 : step < 110 ? 50 : 0);
		const bound = drainBound(inputOf(400, [back(100, 50, 9), back(110, 50, 10)], away));
		expect(bound.backlog[109]).toBe(450 - 250);
		expect(bound.startMicros).toBe(100 * SECOND);
		// 200 + 500 at 20 a second from second 110 on.
		expect(bound.endMicros).toBe((110 + 34) * SECOND);
	});

	it("says so where the sink does not get through, or never has to", () => {
		const away = (step: number) => (step >= 50 && step < 150 ? 50 : 0);
		expect(drainBound(inputOf(160, [back(150, 50, 10)], away)).endMicros).toBe(null);
		const nothing = drainBound(inputOf(100, [], () => 0));
		expect([nothing.startMicros, nothing.endMicros, nothing.totalReadings]).toEqual([0, 0, 0]);
		expect(nothing.backlog.every((readings) => readings === 0)).toBe(true);
	});

	it("never drains where live readings alone fill the sink", () => {
		const away = (step: number) => (step >= 50 && step < 60 ? 50 : 0);
		const input = { ...inputOf(200, [back(60, 50, 1)], away), capacityPerSecond: 9 };
		const bound = drainBound(input);
		expect(bound.backlog.at(-1)).toBe(50);
		expect(bound.endMicros).toBe(null);
	});

	it("does not count what returns after the end", () => {
		const bound = drainBound(
			inputOf(100, [back(100, 50, 10), back(250, 1, 1)], (step) => (step < 50 ? 0 : 50)),
		);
		expect(bound.totalReadings).toBe(0);
	});

	it("waits for 95 of a hundred before it calls the recovery over", () => {
		// 10 devices stay away; the first lump alone is no recovery.
		const away = (step: number) => (step < 10 ? 0 : step < 100 ? 100 : step < 200 ? 20 : 4);
		const bound = drainBound(inputOf(400, [back(100, 80, 1), back(200, 16, 40)], away));
		expect(bound.startMicros).toBe(200 * SECOND);
		// 640 readings at 30 - 9.6 a second.
		expect(bound.endMicros).toBe((200 + Math.ceil(640 / 20.4) - 1) * SECOND);
	});
});

describe("the ideal session queue", () => {
	const waits = (ready: number[], rate: number, exchange: (n: number) => number) => [
		...sessionQueueWaits(
			Float64Array.from(ready, (s) => s * SECOND),
			rate,
			exchange,
		),
	];

	it("serves a herd one by one at its rate", () => {
		expect(waits([10, 10, 10, 10], 4, () => 0)).toEqual([0, 0.25, 0.5, 0.75]);
	});

	it("lets nobody wait who comes alone, and is never ahead of its work", () => {
		expect(waits([0, 5, 5.1, 9], 2, () => 0)).toEqual([0, 0, 0.4, 0].map((w) => expect.closeTo(w, 9)));
	});

	it("adds each device's own exchange", () => {
		expect(waits([0, 0], 1, (n) => (n + 1) * 200_000)).toEqual([0.2, 1.4]);
	});

	it("has nobody to serve", () => {
		expect(waits([], 1, () => 1)).toEqual([]);
	});
});
