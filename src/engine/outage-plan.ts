import type { Cohort, Outage, Scenario } from "../scenarios/scenario.js";
import { type BrownOut, LINK_BLACK_HOLED, LINK_BROWN_OUT, LINK_HALF_OPEN, LINK_REFUSED } from "./link.js";
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

/** Gateways that die, or come back. */
export interface GatewayTransition {
	readonly slice: number;
	readonly back: boolean;
	readonly gateways: number;
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
	readonly brokerOutages: readonly { readonly from: number; readonly to: number }[];
	readonly devices: number;
	/** The n-th is link state LINK_BROWN_OUT + n. */
	readonly brownOuts: readonly BrownOut[];
	private readonly multiplier: number;
	private readonly offset: number;

	constructor(
		scenario: Scenario,
		private readonly sliceMicros: number,
		streams: Streams,
	) {
		const devices = scenario.devices.count;
		this.devices = devices;
		this.multiplier = coprimeNear(Math.floor(devices * 0.6180339887), devices);
		this.offset = streams.keyLow % devices;
		this.brownOuts = scenario.outages.filter((outage) => outage.kind === "brown-out");
		const cohorts = scenario.outages.flatMap((outage, place) => this.cohortOutage(outage, place));
		const power = cohorts.filter(({ change }) => change === CHANGE_POWER);
		const network = cohorts.filter(({ change }) => change !== CHANGE_POWER);
		this.transitions = [...this.ofCohorts(power), ...this.ofCohorts(network)].sort(
			(x, y) => x.slice - y.slice || Number(y.back) - Number(x.back) || x.first - y.first,
		);
		this.gatewayTransitions = scenario.outages
			.flatMap((outage) => this.ofGateways(outage))
			.sort((x, y) => x.slice - y.slice);
		this.brokerOutages = scenario.outages.flatMap((o) =>
			o.kind === "broker" ? [{ from: o.outAtMicros, to: o.backAtMicros }] : [],
		);
	}

	/** The device at a place of the permuted order. */
	deviceAt(place: number): number {
		return (this.multiplier * place + this.offset) % this.devices;
	}

	private slice(time: number): number {
		return Math.ceil(time / this.sliceMicros);
	}

	private cohortOutage(outage: Outage, place: number): CohortOutage[] {
		if (outage.kind === "gateway" || outage.kind === "broker") {
			return [];
		}
		const { cohorts } = outage;
		if (outage.kind !== "brown-out") {
			return [{ change: CHANGES[outage.kind], cohorts, place }];
		}
		return [{ change: LINK_BROWN_OUT + this.brownOuts.indexOf(outage), cohorts, place }];
	}

	private ofGateways(outage: Outage): GatewayTransition[] {
		if (outage.kind !== "gateway") {
			return [];
		}
		const outSlice = this.slice(outage.outAtMicros);
		const { gateways } = outage;
		const backSlice = this.slice(outage.backAtMicros);
		return [
			{ slice: outSlice, back: false, gateways, outSlice },
			{ slice: backSlice, back: true, gateways, outSlice },
		];
	}

	/** Outages that take the same thing share a pool, so that a device that is away is not taken again. */
	private ofCohorts(outages: readonly CohortOutage[]): Transition[] {
		const pool = new RangePool(this.devices);
		const held = new Map<Cohort, Range[]>();
		const transitions: Transition[] = [];
		for (const { time, what, cohort, change } of outages.flatMap(cohortSteps).sort(inOrder)) {
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
			for (const { time: at, first, count } of spread(ranges, time, back ? cohort : null)) {
				transitions.push({ slice: this.slice(at), back, change, first, count, outSlice });
			}
		}
		return transitions;
	}
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
			// The loader has checked that a cohort is never larger than what is left; it may be by what a spread overlaps.
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

function cohortSteps({ change, cohorts, place }: CohortOutage) {
	return cohorts.flatMap((cohort, row) => {
		const step = (time: number, what: number) => ({ time, what, cohort, change, place, row });
		const out = step(cohort.outAtMicros, OUT);
		if (cohort.backAtMicros === null) {
			return [out];
		}
		return [out, step(cohort.backAtMicros, BACK), step(cohort.backAtMicros + cohort.spreadMicros, FREE)];
	});
}

type Step = ReturnType<typeof cohortSteps>[number];

function inOrder(x: Step, y: Step): number {
	return x.time - y.time || x.what - y.what || x.place - y.place || x.row - y.row;
}

/** Ranges that change at `time`, or spread over the time that the cohort takes to return. */
function spread(ranges: readonly Range[], time: number, cohort: Cohort | null) {
	if (cohort === null || cohort.spreadMicros === 0) {
		return ranges.map((range) => ({ time, ...range }));
	}
	const steps = Math.min(SPREAD_STEPS_MAX, cohort.devices);
	const perStep = Math.ceil(cohort.devices / steps);
	const pieces: { time: number; first: number; count: number }[] = [];
	let done = 0;
	for (const range of ranges) {
		for (let used = 0; used < range.count; ) {
			const step = Math.floor(done / perStep);
			const count = Math.min(perStep - (done % perStep), range.count - used);
			const at = time + Math.floor((cohort.spreadMicros * step) / steps);
			pieces.push({ time: at, first: range.first + used, count });
			used += count;
			done += count;
		}
	}
	return pieces;
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
