import type { Scenario } from "../scenarios/scenario.js";
import { type DrainBound, drainBound, type Return, sessionQueueWaits } from "./drain-bound.js";
import { CHANGE_POWER, type OutagePlan } from "./outage-plan.js";
import { QuantileTable } from "./quantile-table.js";
import { PURPOSE_BOOT, PURPOSE_SPREAD, type Streams } from "./streams.js";

/** What follows from the outage plan alone, whatever the policy. Never shown to the system under test. */
export interface PlanFacts {
	readonly bound: DrainBound;
	/** Waits of the ideal session queue in seconds, rising. */
	readonly sessionWaits: Float64Array;
	/** When more than a tenth of the largest outage is away for the first time; null: never. */
	readonly onsetMicros: number | null;
	/** The first return after the onset. */
	readonly recoveryMicros: number | null;
}

const ONSET_SHARE = 0.1;
const BOUND_STEPS_MAX = 100_000;
const SECOND = 1_000_000;

/** How long the modem of `device` takes to attach when the power returns at `time`. */
export function bootMicros(scenario: Scenario, streams: Streams, device: number, time: number): number {
	const { bootMinMicros, bootMaxMicros } = scenario.devices.firmware;
	const span = bootMaxMicros - bootMinMicros + 1;
	return bootMinMicros + streams.below(span, PURPOSE_BOOT, device, time, 0);
}

/** Derives the facts. Memory: 8 bytes per return of a device. */
export function planFacts(
	scenario: Scenario,
	plan: OutagePlan,
	sliceMicros: number,
	streams: Streams,
): PlanFacts {
	const duration = scenario.durationMicros;
	const stepMicros = Math.max(SECOND, Math.ceil(duration / BOUND_STEPS_MAX / SECOND) * SECOND);
	const steps = Math.ceil(duration / stepMicros);
	const change = new Float64Array(steps + 1);
	const interval = scenario.devices.firmware.readingIntervalMicros;
	const sensing = scenario.devices.firmware.backup === "sensing";
	const returns: Return[] = [];
	const ready: number[] = [];
	const move = (time: number, devices: number) => {
		const step = Math.min(steps, Math.floor(time / stepMicros));
		change[step] = (change[step] as number) + devices;
	};
	for (const t of plan.transitions) {
		const at = t.slice * sliceMicros;
		move(at, t.back ? -t.count : t.count);
		if (!t.back || at >= duration) {
			continue;
		}
		const powered = t.change !== CHANGE_POWER;
		const readingsEach = powered || sensing ? (at - t.outSlice * sliceMicros) / interval : 0;
		returns.push({ atMicros: at, devices: t.count, readingsEach });
		for (let n = 0; n < t.count; n++) {
			const boot = powered ? 0 : bootMicros(scenario, streams, plan.deviceAt(t.first + n), at);
			ready.push(at + boot);
		}
	}
	const { count: gateways } = scenario.gateways;
	for (const t of plan.gatewayTransitions) {
		const devices = t.gateways.reduce((sum, g) => sum + devicesOf(g, scenario.devices.count, gateways), 0);
		const at = t.slice * sliceMicros;
		move(at, t.back ? -devices : devices);
		if (!t.back) {
			continue;
		}
		returns.push({ atMicros: at, devices, readingsEach: (at - t.outSlice * sliceMicros) / interval });
		for (let n = 0; n < devices; n++) {
			ready.push(at);
		}
	}
	const away = accumulate(change, steps);
	const onset = onsetStep(away);
	const bound = drainBound({
		durationMicros: duration,
		stepMicros,
		capacityPerSecond: scenario.broker.capacityPerSecond,
		perDevicePerSecond: SECOND / interval,
		returns,
		away,
		devices: scenario.devices.count,
	});
	const latency = new QuantileTable(scenario.devices.link);
	const oneWay = (n: number, way: number) => latency.at(streams.draw(PURPOSE_SPREAD, n, way, 0));
	const exchange = (n: number) => oneWay(n, 0) + oneWay(n, 1) + scenario.gateways.helloMicros;
	const rate = scenario.gateways.sessionsPerSecond * gateways;
	const waits = sessionQueueWaits(Float64Array.from(ready).sort(), rate, exchange);
	const onsetMicros = onset === null ? null : onset * stepMicros;
	const returned = returns.map((r) => r.atMicros).filter((at) => onsetMicros !== null && at > onsetMicros);
	return {
		bound,
		sessionWaits: waits.sort(),
		onsetMicros,
		recoveryMicros: returned.length === 0 ? null : returned.reduce((x, y) => Math.min(x, y)),
	};
}

/** Devices that belong to a gateway: they are dealt out in turn. */
function devicesOf(gateway: number, devices: number, gateways: number): number {
	return Math.ceil((devices - gateway) / gateways);
}

function accumulate(change: Float64Array, steps: number): Float64Array {
	const away = new Float64Array(steps);
	let sum = 0;
	for (let n = 0; n < steps; n++) {
		sum += change[n] as number;
		away[n] = sum;
	}
	return away;
}

function onsetStep(away: Float64Array): number | null {
	const worst = away.reduce((x, y) => Math.max(x, y), 0);
	const step = away.findIndex((devices) => devices > worst * ONSET_SHARE);
	return step === -1 ? null : step;
}

/** The value below which the given share of `sorted` lies; 0 for none. */
export function quantile(sorted: Float64Array, share: number): number {
	if (sorted.length === 0) {
		return 0;
	}
	return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] as number;
}
