import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CHANGE_POWER, OutagePlan, type Transition } from "../../src/engine/outage-plan.js";
import { Streams } from "../../src/engine/streams.js";
import { cohortsOf, OUTAGE_TAKES, outagePeak } from "../../src/scenarios/outage-peak.js";
import type { Cohort, Outage } from "../../src/scenarios/scenario.js";
import { cohort, cutOff, dies, freezes, loses, SECOND, scenarioOf } from "./support.js";

const SLICE = 60_000;

function planOf(devices: number, outages: readonly Outage[], gateways = 4): OutagePlan {
	const scenario = scenarioOf({ devices, durationSeconds: 3_600, outages, gateways: { count: gateways } });
	return new OutagePlan(scenario, SLICE, new Streams("plan"));
}

/** Plays the transitions on sets of devices; throws where one is taken twice or returns without having gone. */
function play(plan: OutagePlan): { away: Map<number, number>[]; largest: number } {
	const away = [new Map<number, number>(), new Map<number, number>()];
	let slice = 0;
	let largest = 0;
	for (const t of plan.transitions) {
		expect(t.slice).toBeGreaterThanOrEqual(slice);
		slice = t.slice;
		const pool = away[t.change === CHANGE_POWER ? 0 : 1] as Map<number, number>;
		for (let n = 0; n < t.count; n++) {
			const device = plan.deviceAt(t.first + n);
			if (t.back ? pool.get(device) !== t.change : pool.has(device)) {
				throw new Error(`device ${device} ${t.back ? "returns" : "is taken"} wrongly in slice ${t.slice}`);
			}
			if (t.back) {
				pool.delete(device);
			} else {
				pool.set(device, t.change);
			}
		}
		largest = Math.max(largest, ...away.map((p) => p.size));
	}
	return { away, largest };
}

function sum(transitions: readonly Transition[], back: boolean): number {
	return transitions.filter((t) => t.back === back).reduce((n, t) => n + t.count, 0);
}

/** In steps of 10 ms, so that some outages are shorter than a slice. */
const anyCohort = fc
	.record({
		devices: fc.integer({ min: 1, max: 200 }),
		out: fc.oneof(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 0, max: 2_000 })),
		length: fc.oneof(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 1_500 })),
		spread: fc.constantFrom(0, 0, 1, 20, 300),
		returns: fc.boolean(),
	})
	.map(({ devices, out, length, spread, returns }) =>
		cohort(devices, out / 100, returns ? (out + length) / 100 : null, returns ? spread / 100 : 0),
	);
const anyOutage = fc
	.tuple(
		fc.constantFrom("power", "refused", "black-holed", "half-open", "brown-out"),
		fc.array(anyCohort, { minLength: 1, maxLength: 6 }),
	)
	.map(([kind, cohorts]): Outage => {
		const sorted = [...cohorts].sort((a, b) => a.outAtMicros - b.outAtMicros);
		return kind === "brown-out"
			? { kind, cohorts: sorted, lossPpm: 1, duplicatePpm: 0, reorderPpm: 0, latencyFactor: 2 }
			: { kind: kind as "power", cohorts: sorted };
	});

describe("the outage plan", () => {
	it("takes the cohorts' numbers of distinct devices, none twice while away, and brings back the same", () => {
		fc.assert(
			fc.property(fc.array(anyOutage, { maxLength: 5 }), fc.integer({ min: 0, max: 60 }), (outages, room) => {
				const peaks = OUTAGE_TAKES.map((taken) => outagePeak(cohortsOf(outages, taken)).devices);
				// The loader refuses more than the fleet. On the slice grid a return may come one slice later than in time.
				const most = outages.flatMap((o) => ("cohorts" in o ? o.cohorts : []));
				const slack = most.reduce((n, c) => n + c.devices, 0);
				const plan = planOf(Math.max(1, ...peaks) + (room === 0 ? 0 : slack), outages);
				const { away } = play(plan);
				if (room === 0) {
					return;
				}
				const stays = (c: Cohort) => c.backAtMicros === null;
				expect(sum(plan.transitions, false)).toBe(slack);
				expect(sum(plan.transitions, true)).toBe(
					most.filter((c) => !stays(c)).reduce((n, c) => n + c.devices, 0),
				);
				const gone = most.filter(stays).reduce((n, c) => n + c.devices, 0);
				expect(away.reduce((n, p) => n + p.size, 0)).toBe(gone);
			}),
			{ numRuns: 400, seed: 11 },
		);
	});

	it("numbers every device once, whatever their number", () => {
		for (const devices of [1, 2, 3, 4, 97, 100, 1_000, 8_192, 10_007]) {
			const plan = planOf(devices, []);
			const seen = new Set(Array.from({ length: devices }, (_, place) => plan.deviceAt(place)));
			expect(seen.size).toBe(devices);
			expect(Math.min(...seen)).toBe(0);
			expect(Math.max(...seen)).toBe(devices - 1);
		}
	});

	it("stays exact for ten million devices", () => {
		const devices = 9_999_991;
		const plan = planOf(devices, []);
		const some = Array.from({ length: 20_000 }, (_, n) => plan.deviceAt(n * 499));
		expect(some.every((d) => Number.isSafeInteger(d) && d >= 0 && d < devices)).toBe(true);
		expect(new Set(some).size).toBe(some.length);
	});

	it("picks a sample of the whole fleet, not a corner of it", () => {
		const plan = planOf(10_000, [{ kind: "power", cohorts: [cohort(500, 10, 20)] }]);
		const [first] = plan.transitions;
		const tenths = new Array<number>(10).fill(0);
		for (let n = 0; n < 500; n++) {
			const tenth = Math.floor(plan.deviceAt((first as Transition).first + n) / 1_000);
			tenths[tenth] = (tenths[tenth] ?? 0) + 1;
		}
		expect(Math.min(...tenths)).toBeGreaterThan(35);
		expect(Math.max(...tenths)).toBeLessThan(65);
	});

	it("rounds up to slices, never before the time that the scenario says", () => {
		const plan = planOf(10, [{ kind: "refused", cohorts: [cohort(4, 1, 2.0001)] }]);
		expect(plan.transitions.map((t) => [t.slice, t.back, t.count])).toEqual([
			[17, false, 4],
			[34, true, 4],
		]);
		expect(plan.transitions.every((t) => t.outSlice === 17)).toBe(true);
	});

	it("lets an outage shorter than a slice happen", () => {
		const plan = planOf(10, [{ kind: "power", cohorts: [cohort(4, 1.001, 1.002)] }]);
		expect(plan.transitions.map((t) => [t.slice, t.back])).toEqual([
			[17, false],
			[18, true],
		]);
	});

	it.each([1, 2, 59, 60, 61, 100, 119, 121, 1_000, 7_777])("spreads %i devices evenly", (devices) => {
		const spread = 600;
		const plan = planOf(devices, [{ kind: "power", cohorts: [cohort(devices, 10, 100, spread)] }]);
		const returns = plan.transitions.filter((t) => t.back);
		expect(returns.length).toBeLessThanOrEqual(60);
		let back = 0;
		for (const [n, t] of returns.entries()) {
			const share = (t.slice * SLICE - 100 * SECOND) / (spread * SECOND);
			// One step of at most 60, one device, one slice.
			const slack = 1 / Math.min(60, devices) + 1 / devices + 0.001;
			expect(Math.abs(back / devices - share)).toBeLessThanOrEqual(slack);
			expect(share).toBeGreaterThanOrEqual(0);
			expect(share).toBeLessThanOrEqual(1);
			back += t.count;
			expect(n === 0 || t.slice >= (returns[n - 1] as Transition).slice).toBe(true);
		}
		expect(back).toBe(devices);
		// The last ones come at the end, not in the middle.
		const last = ((returns.at(-1) as Transition).slice * SLICE - 100 * SECOND) / (spread * SECOND);
		expect(last).toBeGreaterThanOrEqual(1 - 2 / Math.min(60, devices) - 0.001);
	});

	it("kills different gateways in outages that overlap, and brings back those that it killed", () => {
		const plan = planOf(10, [dies(1, 10, 40), freezes(2, 20, 30), cutOff(1, 30, 50, ["peers"])]);
		const down = new Set<number>();
		const counts = plan.gatewayTransitions.map((t) => {
			for (const gateway of t.gateways) {
				expect(down.has(gateway)).toBe(t.back);
				if (t.back) {
					down.delete(gateway);
				} else {
					down.add(gateway);
				}
			}
			return [Math.round((t.slice * SLICE) / SECOND), down.size];
		});
		expect(counts).toEqual([
			[10, 1],
			[20, 3],
			[30, 1],
			[30, 2],
			[40, 1],
			[50, 0],
		]);
	});

	it("takes the leaders of different nodes in losses that overlap", () => {
		const plan = planOf(10, [loses(1, 10, 40), loses(1, 20, 30), loses(1, 40, 50)]);
		const seconds = plan.leaderLosses.map((node) => node.map(({ from, to }) => [from / SECOND, to / SECOND]));
		expect(seconds).toEqual([
			[
				[10, 40],
				[40, 50],
			],
			[[20, 30]],
			[],
		]);
	});

	it("tells brown-outs with different figures apart, and only those", () => {
		const brownOut = (lossPpm: number, latencyFactor: number): Outage => ({
			kind: "brown-out",
			cohorts: [cohort(1, 1, 2)],
			lossPpm,
			duplicatePpm: 0,
			reorderPpm: 0,
			latencyFactor,
		});
		const plan = planOf(9, [brownOut(5, 2), brownOut(5, 3), brownOut(5, 2)]);
		expect(plan.brownOuts.map(({ lossPpm, latencyFactor }) => [lossPpm, latencyFactor])).toEqual([
			[5, 2],
			[5, 3],
		]);
		const outs = plan.transitions.filter((t) => !t.back).map((t) => t.change);
		expect(new Set(outs).size).toBe(2);
	});
});
