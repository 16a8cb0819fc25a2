import type { Scenario } from "../scenarios/scenario.js";
import { type DrainBound, drainBound, type Return, sessionQueueWaits } from "./drain-bound.js";
import type { GatewayTransition } from "./gateway-plan.js";
import { endsSessions, GatewayStates } from "./gateway-states.js";
import { LINK_BROWN_OUT } from "./link.js";
import { CHANGE_POWER, type OutagePlan, type Transition } from "./outage-plan.js";
import { Ownership } from "./ownership.js";
import { QuantileTable } from "./quantile-table.js";
import { PURPOSE_BOOT, PURPOSE_SPREAD, type Streams } from "./streams.js";

/** What follows from the outage plan alone, whatever the policy. Never shown to the system under test. */
export interface PlanFacts {
	readonly bound: DrainBound;
	/** Waits of the ideal session queue in seconds, rising. */
	readonly sessionWaits: Float64Array;
	/** When more than a tenth of the largest outage is hit for the first time; null: never. */
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
	const course = new Course(scenario, stepMicros);
	for (const t of plan.transitions) {
		course.transition(t, plan, sliceMicros, streams);
	}
	for (const t of plan.gatewayTransitions) {
		course.gateways(t, sliceMicros);
	}
	const onset = onsetStep(accumulate(course.hit));
	const bound = drainBound({
		durationMicros: duration,
		stepMicros,
		capacityPerSecond: scenario.broker.capacityPerSecond,
		slowdowns: plan.brokerSlowdowns,
		perDevicePerSecond: SECOND / scenario.devices.firmware.readingIntervalMicros,
		returns: course.returns,
		away: accumulate(course.away),
		devices: scenario.devices.count,
	});
	const latency = new QuantileTable(scenario.devices.link);
	const oneWay = (n: number, way: number) => latency.at(streams.draw(PURPOSE_SPREAD, n, way, 0));
	const helloMicros = scenario.gateways.costs.helloNanos / 1_000;
	const exchange = (n: number) => oneWay(n, 0) + oneWay(n, 1) + helloMicros;
	const rate = scenario.gateways.sessionsPerSecond * scenario.gateways.count;
	const waits = sessionQueueWaits(Float64Array.from(course.ready).sort(), rate, exchange);
	const onsetMicros = onset === null ? null : onset * stepMicros;
	const returned = course.ends.filter((at) => onsetMicros !== null && at > onsetMicros);
	return {
		bound,
		sessionWaits: waits.sort(),
		onsetMicros,
		recoveryMicros: returned.length === 0 ? null : returned.reduce((x, y) => Math.min(x, y)),
	};
}

/** The outages over time, summed up. */
class Course {
	/** Changes per step: devices out of reach, and devices that any outage touches. */
	readonly away: Float64Array;
	readonly hit: Float64Array;
	readonly returns: Return[] = [];
	/** When each device that was out of reach can talk again. */
	readonly ready: number[] = [];
	/** When outages end. */
	readonly ends: number[] = [];

	private readonly states: GatewayStates;
	private readonly ownership: Ownership;
	/** Per gateway: since when the devices whose home it is are out of reach. */
	private readonly awaySince: Float64Array;

	constructor(
		private readonly scenario: Scenario,
		private readonly stepMicros: number,
	) {
		const { devices, gateways, broker } = scenario;
		this.states = new GatewayStates(gateways.count);
		this.ownership = new Ownership(devices.count, broker.partitions, gateways.count);
		this.awaySince = new Float64Array(gateways.count);
		const steps = Math.ceil(scenario.durationMicros / stepMicros);
		this.away = new Float64Array(steps + 1);
		this.hit = new Float64Array(steps + 1);
	}

	transition(t: Transition, plan: OutagePlan, sliceMicros: number, streams: Streams): void {
		const at = t.slice * sliceMicros;
		this.move(this.hit, at, t.back, t.count);
		// A brown-out hinders the protocol, not the ideal sink: its devices stay reachable.
		const isObstacle = t.change < LINK_BROWN_OUT;
		if (isObstacle) {
			this.move(this.away, at, t.back, t.count);
		}
		if (!t.back || at >= this.scenario.durationMicros) {
			return;
		}
		this.ends.push(at);
		if (!isObstacle) {
			return;
		}
		const powered = t.change !== CHANGE_POWER;
		const sensed = powered || this.scenario.devices.firmware.backup === "sensing";
		const readingsEach = sensed ? this.readingsOver(at - t.outSlice * sliceMicros) : 0;
		this.returns.push({ atMicros: at, devices: t.count, readingsEach });
		for (let n = 0; n < t.count; n++) {
			const boot = powered ? 0 : bootMicros(this.scenario, streams, plan.deviceAt(t.first + n), at);
			this.ready.push(at + boot);
		}
	}

	gateways(t: GatewayTransition, sliceMicros: number): void {
		const { durationMicros, devices } = this.scenario;
		const at = t.slice * sliceMicros;
		const hit = t.gateways.reduce((sum, gateway) => sum + this.ownership.devicesAt(gateway), 0);
		this.move(this.hit, at, t.back, hit);
		const { count } = this.states;
		const isReachable = (home: number) => this.states.isReachable(home, false);
		const before = Array.from({ length: count }, (_, home) => isReachable(home));
		this.states[t.back ? "end" : "begin"](t.outage, t.gateways);
		for (let home = 0; home < count; home++) {
			if (before[home] !== isReachable(home)) {
				this.home(home, at, isReachable(home));
			}
		}
		if (at >= durationMicros) {
			return;
		}
		if (t.back) {
			this.ends.push(at);
		} else if (endsSessions(t.outage) && t.gateways.some(isReachable)) {
			// They notice one by one, as they report.
			for (let n = 0; n < hit; n++) {
				this.ready.push(at + (devices.firmware.reportIntervalMicros * n) / hit);
			}
		}
	}

	/** All devices of a home gateway are out of reach from now on, or back. */
	private home(home: number, at: number, isBack: boolean): void {
		const devices = this.ownership.devicesAt(home);
		this.move(this.away, at, isBack, devices);
		if (!isBack) {
			this.awaySince[home] = at;
		} else if (at < this.scenario.durationMicros) {
			const readingsEach = this.readingsOver(at - (this.awaySince[home] as number));
			this.returns.push({ atMicros: at, devices, readingsEach });
			for (let n = 0; n < devices; n++) {
				this.ready.push(at);
			}
		}
	}

	/** What a device has taken and still holds after so long. */
	private readingsOver(micros: number): number {
		const { readingIntervalMicros, bufferReadings } = this.scenario.devices.firmware;
		return Math.min(micros / readingIntervalMicros, bufferReadings);
	}

	private move(counts: Float64Array, time: number, back: boolean, devices: number): void {
		const step = Math.min(counts.length - 1, Math.floor(time / this.stepMicros));
		counts[step] = (counts[step] as number) + (back ? -devices : devices);
	}
}

/** Running sums; the last change comes after the end. */
function accumulate(change: Float64Array): Float64Array {
	let sum = 0;
	return change.subarray(0, -1).map((devices) => {
		sum += devices;
		return sum;
	});
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
