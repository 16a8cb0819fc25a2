import type { Cohort, Outage, Scenario } from "../scenarios/scenario.js";
import { brokerSlowdowns, type Slowdown } from "./broker-slowdowns.js";
import { type GatewayTransition, gatewayTransitions, type Interval, leaderLosses } from "./gateway-plan.js";
import { type BrownOut, LINK_BLACK_HOLED, LINK_BROWN_OUT, LINK_HALF_OPEN, LINK_REFUSED } from "./link.js";
import { Ownership } from "./ownership.js";
import type { Streams } from "./streams.js";

/** What a transition changes. Power: the device itself; the rest: a LINK_* state of its access link. */
export const CHANGE_POWER = 0;

/** Devices of one cohort that go or come back at the same moment. */
export interface Transition {
	readonly slice: number;
	readonly back: boolean;
	/** CHANGE_POWER or a LINK_* state. */
	readonly change: number;
	/** Places in the permuted order of the fleet. */
	readonly first: number;
	readonly count: number;
	/** When the devices of a returning cohort had gone. */
	readonly outSlice: number;
}

/** A cohort that returns over a time does so in at most this many steps. */
const SPREAD_STEPS_MAX = 60;

/**
 * The scenario's outages as lists of transitions on the slice grid, in time order, and the order in which devices are
 * picked: a seeded affine permutation, so that a cohort is a random sample of the fleet and needs no memory.
 */
export class OutagePlan {
	readonly transitions: readonly Transition[];
	readonly gatewayTransitions: readonly GatewayTransition[];
	/** When the whole broker is down, and by node when the partitions that it leads are away. */
	readonly brokerOutages: readonly Interval[];
	readonly leaderLosses: readonly (readonly Interval[])[];
	/** When it works at a part of its capacity. */
	readonly brokerSlowdowns: readonly Slowdown[];
	readonly devices: number;
	/** The n-th is link state LINK_BROWN_OUT + n. */
	readonly brownOuts: readonly BrownOut[];
	private readonly multiplier: number;
	private readonly offset: number;
	/** The device at each place, where outages take one gateway's after another's. */
	private readonly order: Uint32Array | undefined;

	constructor(
		scenario: Scenario,
		private readonly sliceMicros: number,
		streams: Streams,
	) {
		const devices = scenario.devices.count;
		this.devices = devices;
		this.multiplier = coprimeNear(Math.floor(devices * 0.6180339887), devices);
		this.offset = streams.keyLow % devices;
		this.order = scenario.devices.outageOrder === undefined ? undefined : orderByHome(scenario);
		this.brownOuts = distinctBrownOuts(scenario.outages);
		const cohorts = scenario.outages.flatMap((outage, place) => this.cohortOutage(outage, place));
		const power = cohorts.filter(({ change }) => change === CHANGE_POWER);
		const network = cohorts.filter(({ change }) => change !== CHANGE_POWER);
		this.transitions = [...this.ofCohorts(power), ...this.ofCohorts(network)].sort(
			(x, y) => x.slice - y.slice || Number(y.back) - Number(x.back) || x.first - y.first,
		);
		this.gatewayTransitions = gatewayTransitions(scenario.outages, scenario.gateways.count, (time) =>
			this.slice(time),
		);
		this.leaderLosses = leaderLosses(scenario.outages, scenario.broker.nodes);
		this.brokerSlowdowns = brokerSlowdowns(scenario.outages);
		this.brokerOutages = scenario.outages.flatMap((o) =>
			o.kind === "broker" ? [{ from: o.outAtMicros, to: o.backAtMicros }] : [],
		);
	}

	/** The device at a place of the permuted order. */
	deviceAt(place: number): number {
		const any = (this.multiplier * place + this.offset) % this.devices;
		return this.order === undefined ? any : (this.order[place] as number);
	}

	private slice(time: number): number {
		return Math.ceil(time / this.sliceMicros);
	}

	private cohortOutage(outage: Outage, place: number): CohortOutage[] {
		if (!("cohorts" in outage)) {
			return [];
		}
		const { cohorts } = outage;
		if (outage.kind !== "brown-out") {
			return [{ change: CHANGES[outage.kind], cohorts, place }];
		}
		const figures = this.brownOuts.findIndex((other) => isSameBrownOut(other, outage));
		return [{ change: LINK_BROWN_OUT + figures, cohorts, place }];
	}

	/** Outages that take the same thing share a pool, so that a device that is away is not taken again. */
	private ofCohorts(outages: readonly CohortOutage[]): Transition[] {
		const pool = new RangePool(this.devices);
		const held = new Map<Cohort, Range[]>();
		const transitions: Transition[] = [];
		const steps = outages.flatMap((outage) => this.cohortSteps(outage)).sort(inOrder);
		for (const { slice, what, cohort, change } of steps) {
			const outSlice = this.slice(cohort.outAtMicros);
			const back = what === BACK;
			if (what === OUT) {
				held.set(cohort, pool.take(cohort.devices));
			}
			const ranges = held.get(cohort) ?? [];
			if (what === FREE) {
				pool.give(ranges);
				held.delete(cohort);
				continue;
			}
			for (const { delay, first, count } of spread(ranges, back ? cohort : null)) {
				const at = delay === 0 ? slice : Math.max(slice, this.slice((cohort.backAtMicros ?? 0) + delay));
				transitions.push({ slice: at, back, change, first, count, outSlice });
			}
		}
		return transitions;
	}

	/** On the slice grid, so that what shares a slice happens in order; an outage lasts a slice at least. */
	private cohortSteps({ change, cohorts, place }: CohortOutage) {
		return cohorts.flatMap((cohort, row) => {
			const step = (slice: number, what: number) => ({ slice, what, cohort, change, place, row });
			const out = this.slice(cohort.outAtMicros);
			if (cohort.backAtMicros === null) {
				return [step(out, OUT)];
			}
			const back = Math.max(out + 1, this.slice(cohort.backAtMicros));
			const free = Math.max(back, this.slice(cohort.backAtMicros + cohort.spreadMicros));
			return [step(out, OUT), step(back, BACK), step(free, FREE)];
		});
	}
}

/** All devices, those of gateway 0 first. Within a gateway shard takes turns with shard. */
function orderByHome({ devices: { count }, broker, gateways }: Scenario): Uint32Array {
	const ownership = new Ownership(count, broker.partitions, gateways.count);
	const order = new Uint32Array(count);
	let place = 0;
	for (let home = 0; home < gateways.count; home++) {
		for (let device = 0; device < count; device++) {
			if (ownership.homeOf(device) === home) {
				order[place++] = device;
			}
		}
	}
	return order;
}

interface Range {
	readonly first: number;
	readonly count: number;
}

/** Devices at hand, first in, first out, as ranges of places. */
class RangePool {
	private readonly free: Range[];
	private head = 0;

	constructor(devices: number) {
		this.free = [{ first: 0, count: devices }];
	}

	take(wanted: number): Range[] {
		const taken: Range[] = [];
		let missing = wanted;
		while (missing > 0) {
			const range = this.free[this.head];
			// The loader has checked that a cohort is never larger than what is left; on the slice grid it may be.
			if (range === undefined) {
				return taken;
			}
			const count = Math.min(missing, range.count);
			taken.push({ first: range.first, count });
			missing -= count;
			if (count === range.count) {
				this.head++;
			} else {
				this.free[this.head] = { first: range.first + count, count: range.count - count };
			}
		}
		return taken;
	}

	give(ranges: readonly Range[]): void {
		this.free.push(...ranges);
	}
}

/** What happens to a cohort, in the order in which it happens at one moment. */
const BACK = 0;
const FREE = 1;
const OUT = 2;

interface CohortOutage {
	readonly change: number;
	readonly cohorts: readonly Cohort[];
	readonly place: number;
}

interface Step {
	readonly slice: number;
	readonly what: number;
	readonly place: number;
	readonly row: number;
}

function inOrder(x: Step, y: Step): number {
	return x.slice - y.slice || x.what - y.what || x.place - y.place || x.row - y.row;
}

/** Ranges that change at once, or spread over the time that the cohort takes to return. */
function spread(ranges: readonly Range[], cohort: Cohort | null) {
	if (cohort === null || cohort.spreadMicros === 0) {
		return ranges.map((range) => ({ delay: 0, ...range }));
	}
	const perStep = Math.ceil(cohort.devices / SPREAD_STEPS_MAX);
	const pieces: { delay: number; first: number; count: number }[] = [];
	let done = 0;
	for (const range of ranges) {
		for (let used = 0; used < range.count; ) {
			const before = done - (done % perStep);
			const count = Math.min(perStep - (done % perStep), range.count - used);
			const delay = Math.floor((cohort.spreadMicros * before) / cohort.devices);
			pieces.push({ delay, first: range.first + used, count });
			used += count;
			done += count;
		}
	}
	return pieces;
}

/** The brown-outs' figures, each once. */
function distinctBrownOuts(outages: readonly Outage[]): BrownOut[] {
	const distinct: BrownOut[] = [];
	for (const outage of outages) {
		if (outage.kind === "brown-out" && !distinct.some((other) => isSameBrownOut(other, outage))) {
			const { lossPpm, duplicatePpm, reorderPpm, latencyFactor } = outage;
			distinct.push({ lossPpm, duplicatePpm, reorderPpm, latencyFactor });
		}
	}
	return distinct;
}

function isSameBrownOut(x: BrownOut, y: BrownOut): boolean {
	const keys = ["lossPpm", "duplicatePpm", "reorderPpm", "latencyFactor"] as const;
	return keys.every((key) => x[key] === y[key]);
}

const CHANGES = {
	power: CHANGE_POWER,
	refused: LINK_REFUSED,
	"black-holed": LINK_BLACK_HOLED,
	"half-open": LINK_HALF_OPEN,
} as const;

function coprimeNear(start: number, modulus: number): number {
	let candidate = Math.max(1, start);
	while (gcd(candidate, modulus) !== 1) {
		candidate++;
	}
	return candidate;
}

function gcd(a: number, b: number): number {
	return b === 0 ? a : gcd(b, a % b);
}
