import { beforeAll, describe, expect, it } from "vitest";
import { prepareHistograms } from "../../src/engine/collector.js";
import { SHARD_DEVICES } from "../../src/engine/shard-wheels.js";
import type { RunRecord } from "../../src/record/run-record.js";
import { POLICY_NAMES } from "../../src/scenarios/schema.js";
import { micros } from "../../src/units/micros.js";
import {
	cohort,
	cutOff,
	dies,
	freezes,
	loses,
	SECOND,
	type Sketch,
	scenarioOf,
	simulate,
} from "./support.js";

beforeAll(prepareHistograms);

/** A record without its wall time and without the count of slices that were looked at. */
function comparable(record: RunRecord): unknown {
	const { wall: _, virtual, ...rest } = record;
	const { work, ...figures } = virtual;
	const { slices: __, ...counts } = work;
	return { ...rest, virtual: { ...figures, work: counts } };
}

const SKETCHES: Readonly<Record<string, Sketch>> = {
	// So few devices that most slices are idle.
	"a few devices": {
		devices: 12,
		durationSeconds: 1_500,
		firmware: { readingIntervalMicros: micros(60 * SECOND), reportIntervalMicros: micros(300 * SECOND) },
		outages: [
			{ kind: "power", cohorts: [cohort(7, 100, 400, 30)] },
			{ kind: "black-holed", cohorts: [cohort(5, 300, 700)] },
			dies(2, 800, 900),
			freezes(1, 1_000, 1_060),
			cutOff(1, 1_100, 1_160, ["peers", "broker"], "in"),
			loses(1, 1_200, 1_210),
		],
	},
	// Thinned out, the backlog is through before the ideal sink, which stores all that the buffers could hold.
	"a drain that is over early": {
		devices: 12,
		durationSeconds: 4_000,
		firmware: {
			readingIntervalMicros: micros(60 * SECOND),
			reportIntervalMicros: micros(300 * SECOND),
			bufferReadings: 33,
			overflow: "decimate",
		},
		outages: [{ kind: "power", cohorts: [cohort(9, 100, 3_500)] }],
		broker: { capacityPerSecond: 3, nodes: 1 },
		gateways: { count: 1 },
	},
	"two shards and a herd": {
		devices: SHARD_DEVICES + 500,
		durationSeconds: 240,
		firmware: { readingIntervalMicros: micros(60 * SECOND), reportIntervalMicros: micros(120 * SECOND) },
		outages: [{ kind: "refused", cohorts: [cohort(600, 60, 120)] }],
		broker: { capacityPerSecond: 400 },
	},
};

describe.each(Object.entries(SKETCHES))("skipping idle time, with %s", (name, sketch) => {
	it.each(POLICY_NAMES)("changes no figure under %s", (policy) => {
		const scenario = scenarioOf(sketch);
		const skipping = simulate(scenario, policy).record;
		const stepping = simulate(scenario, policy, { everySlice: true }).record;
		expect(comparable(stepping)).toEqual(comparable(skipping));
		const { slices } = stepping.virtual.work;
		expect(slices).toBe(Math.ceil(scenario.durationMicros / 60_000));
		// Or the comparison shows nothing.
		if (name === "a few devices") {
			expect(skipping.virtual.work.slices).toBeLessThan(slices / 2);
		}
	});
});
