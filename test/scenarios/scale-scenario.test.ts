import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { loadScenario } from "../../src/scenarios/load-scenario.js";
import { cohortsOf, outagePeak } from "../../src/scenarios/outage-peak.js";
import { scaleScenario, scalingFloors } from "../../src/scenarios/scale-scenario.js";
import type { Cohort, Scenario } from "../../src/scenarios/scenario.js";
import { micros } from "../../src/units/micros.js";
import { devicesOut } from "./curve.js";
import { SHORTEST, scenarioOf } from "./scenario-text.js";

function catalogue(name: string, devices?: number): Scenario {
	const result = loadScenario(name, devices === undefined ? {} : { devices });
	if (!result.ok) {
		throw new Error(JSON.stringify(result.error));
	}
	return result.value;
}

describe("scaling", () => {
	test("what scales, and what does not", () => {
		const full = catalogue("psps-2019-10-25");
		const half = scaleScenario({ ...full, devices: { ...full.devices, count: 1_000_000 } }, 500_000);
		expect(half.devices).toEqual({ ...full.devices, count: 500_000 });
		expect(half.gateways).toEqual({
			...full.gateways,
			costs: { ...full.gateways.costs, helloNanos: 8_000_000, dataNanos: 40_000, readingNanos: 2_000 },
			receiveQueueFrames: 2_048,
			sinkQueueReadings: 167_772,
			sinkBatchReadings: 5_243,
			sessionsPerSecond: 10,
		});
		expect(half.broker).toEqual({ ...full.broker, capacityPerSecond: 2_500, queuedRequests: 250 });
		expect(half.durationMicros).toBe(full.durationMicros);
	});

	test.each([100, 10_000, 137_000, 1_074_065, 10_000_000])(
		"the shape of the shutoff with %i devices",
		(devices) => {
			const full = catalogue("psps-2019-10-25");
			const scaled = catalogue("psps-2019-10-25", devices);
			const [whole, part] = [cohortsOf(full.outages, "power"), cohortsOf(scaled.outages, "power")];
			const factor = devices / full.devices.count;
			for (let hour = 0; hour < 191; hour += 1) {
				const at = hour * 3_600e6;
				expect(Math.abs(devicesOut(part, at) - factor * devicesOut(whole, at))).toBeLessThanOrEqual(
					3 + 0.001 * devices,
				);
			}
			expect(outagePeak(part).devices).toBe(devices);
		},
	);

	test("never more devices out than there are, whatever the cohorts", () => {
		const cohort = fc.record({
			devices: fc.integer({ min: 1, max: 400 }),
			outAtMicros: fc.nat(3_000).map((s) => micros(s * 1e6)),
			length: fc.option(fc.integer({ min: 1, max: 1_000 })),
			spreadMicros: fc.nat(100).map((s) => micros(s * 1e6)),
		});
		fc.assert(
			fc.property(
				fc.array(cohort, { minLength: 1, maxLength: 30 }),
				fc.integer({ min: 1, max: 3_000 }),
				(raw, devices) => {
					const cohorts = raw.map(({ length, ...rest }): Cohort => {
						const backAtMicros = length === null ? null : micros(rest.outAtMicros + length * 1e6);
						return {
							...rest,
							backAtMicros,
							spreadMicros: backAtMicros === null ? micros(0) : rest.spreadMicros,
						};
					});
					const base = scenarioOf(SHORTEST);
					const count = outagePeak(cohorts).devices;
					const scenario: Scenario = {
						...base,
						devices: { ...base.devices, count },
						outages: [{ kind: "power", cohorts }],
					};
					const scaled = cohortsOf(scaleScenario(scenario, devices).outages, "power");
					expect(outagePeak(scaled).devices).toBeLessThanOrEqual(devices);
					expect(scaled.length).toBeGreaterThan(0);
					expect(scaled.every((each) => Number.isSafeInteger(each.devices) && each.devices > 0)).toBe(true);
				},
			),
		);
	});

	test("what met its floor is told", () => {
		const full = catalogue("psps-2019-10-25");
		expect(scalingFloors(full, full.devices.count)).toEqual([]);
		expect(scalingFloors(full, 1_000)).toEqual([
			"gateways.sessions",
			"gateways.sinkBatchReadings",
			"broker.queuedRequests",
		]);
	});

	test("the same number changes nothing", () => {
		const smoke = catalogue("smoke");
		expect(scaleScenario(smoke, 2_000)).toBe(smoke);
	});
});
