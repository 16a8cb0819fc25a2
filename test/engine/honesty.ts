import { expect } from "vitest";
import { CHANGE_POWER, OutagePlan } from "../../src/engine/outage-plan.js";
import type { RunRecord } from "../../src/record/run-record.js";
import type { Finished } from "./support.js";

/**
 * Readings taken by the whole fleet up to the end of a run, counted from the outage plan and the sampling grid alone:
 * neither the devices nor the run's own count have a say.
 */
function takenByTruth({ scenario, run, phases }: Finished, endMicros: number): number {
	const { count, firmware } = scenario.devices;
	const interval = firmware.readingIntervalMicros;
	const edges: { at: number; on: boolean }[][] = Array.from({ length: count }, () => []);
	if (firmware.backup === "none") {
		const plan = new OutagePlan(scenario, run.sliceMicros, run.world.streams);
		for (const t of plan.transitions.filter(({ change }) => change === CHANGE_POWER)) {
			for (let n = 0; n < t.count; n++) {
				edges[plan.deviceAt(t.first + n)]?.push({ at: t.slice * run.sliceMicros, on: t.back });
			}
		}
	}
	let readings = 0;
	for (let device = 0; device < count; device++) {
		let at = (phases[device] as number) % interval;
		let isOn = true;
		let next = 0;
		for (; at <= endMicros; at += interval) {
			const own = edges[device] ?? [];
			// A reading due at the very moment of the cut is taken; one due as the power returns belongs to before.
			for (let e = own[next]; e !== undefined && e.at < at; e = own[next]) {
				isOn = e.on;
				next++;
			}
			readings += isOn ? 1 : 0;
		}
	}
	return readings;
}

/** What must hold of every run under every policy, or its figures mean nothing. */
export function expectHonest(finished: Finished): void {
	const { scenario, run, record } = finished;
	const { ledger, virtual, series } = record;
	expect(ledger.imbalance).toBe(null);
	expect([ledger.ackedLost, ledger.reordered]).toEqual([0, 0]);
	const { produced, durable, buffered, lostOverflow, lostVolatile } = ledger;
	expect(durable + buffered + lostOverflow + lostVolatile).toBe(produced);
	expect(Math.min(durable, buffered, lostOverflow, lostVolatile, ledger.duplicates)).toBeGreaterThanOrEqual(
		0,
	);
	const slices = Math.ceil(scenario.durationMicros / run.sliceMicros);
	expect(produced).toBe(takenByTruth(finished, slices * run.sliceMicros));
	if (record.policy !== "none") {
		expect(ledger.duplicates).toBe(0);
	}
	const { count } = scenario.devices;
	for (const gauge of [series.reachable, series.online]) {
		expect(gauge.every((devices) => devices >= 0 && devices <= count)).toBe(true);
	}
	expect(series.backlogReadings.every((readings) => readings >= 0)).toBe(true);
	// Frames wait for a CPU between the two, so only the sums compare.
	let ahead = 0;
	for (const [n, rate] of series.offeredPerSecond.entries()) {
		ahead += rate - (series.admittedPerSecond[n] as number);
		expect(ahead).toBeGreaterThanOrEqual(-1e-6);
	}
	const sum = series.durablePerSecond.reduce((x, rate) => x + rate * series.bucketSeconds, 0);
	expect(sum).toBeLessThanOrEqual(durable + 1e-6);
	// The last bucket may be cut off by the end.
	expect(sum).toBeGreaterThanOrEqual(
		durable - scenario.broker.capacityPerSecond * series.bucketSeconds - 1e-6,
	);
	expect(virtual.devicesConnected.neverConnected).toBeGreaterThanOrEqual(0);
	expectCurves(record);
	expect(Object.values(virtual.drops).every((frames) => frames > 0)).toBe(true);
}

/**
 * What a run under `klais` must look like long after the last outage: at some moment of the `quietSeconds` before its end
 * nobody owed anything, and at the end nobody is far behind. (On a lossy link a session ends now and then by itself.)
 */
export function expectDrained({ scenario, record }: Finished, quietSeconds: number): void {
	const { series, ledger } = record;
	const from = scenario.durationMicros / 1_000_000 - quietSeconds;
	const backlogs = series.backlogReadings.filter((_, n) => (series.timeSeconds[n] as number) >= from);
	// What a device gives up for want of room while it is connected, the world's count may still have as owed.
	if (ledger.lostOverflow === 0) {
		expect(Math.min(...backlogs)).toBe(0);
	}
	// What waits was taken since each device's last report, is on its way, or waits for a new session for a minute or two.
	const { reportIntervalMicros, readingIntervalMicros: interval } = scenario.devices.firmware;
	const each = (reportIntervalMicros + 120_000_000) / interval + 1;
	expect(ledger.buffered).toBeLessThanOrEqual(scenario.devices.count * each);
}

/** A record without what differs from run to run. */
export function virtualPart(record: RunRecord): unknown {
	const { wall: _, ...rest } = record;
	return rest;
}

/** The curves rise, and go through the quantiles that the record has beside them. */
function expectCurves({ virtual, percentiles }: RunRecord): void {
	const percents = percentiles?.percents ?? [];
	for (const column of Object.values(percentiles ?? {})) {
		expect(column).toHaveLength(percents.length);
		expect([...column].sort((a, b) => a - b)).toEqual(column);
	}
	const at = (column: readonly number[] | undefined) =>
		[50, 95, 99, 99.9].map((percent) => column?.[percents.indexOf(percent)]);
	const { p50, p99, p999 } = virtual.liveLatencyRecoveryMicros;
	expect(at(percentiles?.liveRecoveryMicros)).toEqual([p50, expect.any(Number), p99, p999]);
	const { p50Seconds, p95Seconds, p999Seconds } = virtual.devicesConnected;
	expect(at(percentiles?.connectedSeconds)).toEqual([
		p50Seconds,
		p95Seconds,
		expect.any(Number),
		p999Seconds,
	]);
}
