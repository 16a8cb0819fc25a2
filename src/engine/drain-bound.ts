import { meanSpeed, type Slowdown } from "./broker-slowdowns.js";

/** Devices that become ready to talk after an outage, as the plan says, policies apart. */
export interface Return {
	readonly atMicros: number;
	readonly devices: number;
	/** Readings that each of them has taken meanwhile. */
	readonly readingsEach: number;
}

/** The ideal sink: how its backlog goes, and when its longest busy period begins and ends. */
export interface DrainBound {
	readonly stepMicros: number;
	/** Backlog at the end of each step, readings. */
	readonly backlog: Float64Array;
	readonly startMicros: number;
	/** null: the ideal sink does not get through before the scenario ends. */
	readonly endMicros: number | null;
	/** Backlog below which the sink counts as through: a thousandth of all that came back. */
	readonly epsilonReadings: number;
	readonly totalReadings: number;
}

const EPSILON_SHARE = 0.001;

/** What the fluid model of the ideal sink runs on. */
export interface FluidInput {
	readonly durationMicros: number;
	readonly stepMicros: number;
	readonly capacityPerSecond: number;
	/** When only a part of the capacity is there. */
	readonly slowdowns?: readonly Slowdown[];
	/** Readings per second of one reachable device. */
	readonly perDevicePerSecond: number;
	readonly returns: readonly Return[];
	/** Devices without power or network at the start of each step. */
	readonly away: Float64Array;
	readonly devices: number;
}

/**
 * The physical bound: a sink that stores backlog at (capacity - live rate) from the moment at which it is reachable,
 * with no protocol in between. Its drain is its longest busy period.
 */
export function drainBound(input: FluidInput): DrainBound {
	const steps = Math.ceil(input.durationMicros / input.stepMicros);
	const seconds = input.stepMicros / 1_000_000;
	const arriving = new Float64Array(steps);
	let total = 0;
	for (const { atMicros, devices, readingsEach } of input.returns) {
		const step = Math.floor(atMicros / input.stepMicros);
		if (step >= steps) {
			continue;
		}
		arriving[step] = (arriving[step] as number) + devices * readingsEach;
		total += devices * readingsEach;
	}
	const { slowdowns = [] } = input;
	const backlog = new Float64Array(steps);
	let queue = 0;
	for (let n = 0; n < steps; n++) {
		// Outages of different kinds may count a device twice.
		const live = Math.max(0, input.devices - (input.away[n] as number)) * input.perDevicePerSecond;
		const start = n * input.stepMicros;
		const speed = slowdowns.length === 0 ? 1 : meanSpeed(slowdowns, start, start + input.stepMicros);
		const spare = Math.max(0, input.capacityPerSecond * speed - live);
		queue = Math.max(0, queue + (arriving[n] as number) - spare * seconds);
		backlog[n] = queue;
	}
	const epsilon = total * EPSILON_SHARE;
	const { start, end } = busyPeriod(backlog, epsilon);
	return {
		stepMicros: input.stepMicros,
		backlog,
		startMicros: start * input.stepMicros,
		endMicros: end === null ? null : end * input.stepMicros,
		epsilonReadings: epsilon,
		totalReadings: total,
	};
}

/** The longest run of busy steps; the earlier one of equals. */
function busyPeriod(backlog: Float64Array, epsilon: number): { start: number; end: number | null } {
	let longest = { start: 0, end: 0 };
	let start = 0;
	for (let n = 0; n <= backlog.length; n++) {
		if (n < backlog.length && (backlog[n] as number) > epsilon) {
			continue;
		}
		if (n - start > longest.end - longest.start) {
			longest = { start, end: n };
		}
		start = n + 1;
	}
	return longest.end === backlog.length && longest.start < longest.end ? { ...longest, end: null } : longest;
}

/**
 * Waits of an ideal first-come first-served session queue, in seconds, for `readyMicros` in rising order: the turn in the
 * queue, then one exchange over the access link, `exchangeMicros` of the n-th device.
 */
export function sessionQueueWaits(
	readyMicros: Float64Array,
	sessionsPerSecond: number,
	exchangeMicros: (n: number) => number,
): Float64Array {
	const spacing = 1_000_000 / sessionsPerSecond;
	const waits = new Float64Array(readyMicros.length);
	let free = 0;
	for (let n = 0; n < readyMicros.length; n++) {
		const ready = readyMicros[n] as number;
		const start = Math.max(free, ready);
		free = start + spacing;
		waits[n] = (start - ready + exchangeMicros(n)) / 1_000_000;
	}
	return waits;
}
