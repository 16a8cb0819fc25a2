import type { Cohort, Outage, Scenario } from "../scenarios/scenario.js";
import { LINK_BLACK_HOLED, LINK_BROWN_OUT, LINK_HALF_OPEN, LINK_REFUSED } from "./link.js";
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
	readonly brownOut: { readonly lossPpm: number; readonly latencyFactor: number };
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
		this.transitions = scenario.outages
			.flatMap((outage) => this.ofOutage(outage, devices))
			.sort((x, y) => x.slice - y.slice || Number(y.back) - Number(x.back) || x.first - y.first);
		this.gatewayTransitions = scenario.outages
			.flatMap((outage) => this.ofGateways(outage))
			.sort((x, y) => x.slice - y.slice);
		this.brokerOutages = scenario.outages.flatMap((o) =>
			o.kind === "broker" ? [{ from: o.outAtMicros, to: o.backAtMicros }] : [],
		);
		const brownOut = scenario.outages.find((o) => o.kind === "brown-out");
		this.brownOut =
			brownOut?.kind === "brown-out"
				? { lossPpm: brownOut.lossPpm, latencyFactor: brownOut.latencyFactor }
				: { lossPpm: 0, latencyFactor: 1 };
	}

	readonly devices: number;

	/** The device at a place of the permuted order. */
	deviceAt(place: number): number {
		return (this.multiplier * place + this.offset) % this.devices;
	}

	private slice(time: number): number {
		return Math.ceil(time / this.sliceMicros);
	}

	private ofGateways(outage: Outage): GatewayTransition[] {
		if (outage.kind !== "gateway") return [];
		const outSlice = this.slice(outage.outAtMicros);
		const { gateways } = outage;
		const backSlice = this.slice(outage.backAtMicros);
		return [
			{ slice: outSlice, back: false, gateways, outSlice },
			{ slice: backSlice, back: true, gateways, outSlice },
		];
	}

	private ofOutage(outage: Outage, devices: number): Transition[] {
		if (outage.kind === "gateway" || outage.kind === "broker") return [];
		const change = changeOf(outage.kind);
		const pool = new RangePool(devices);
		const steps = outage.cohorts.flatMap((cohort, index) => cohortSteps(cohort, index));
		steps.sort((x, y) => x.time - y.time || Number(y.back) - Number(x.back) || x.index - y.index);
		const held = new Map<number, Range[]>();
		const transitions: Transition[] = [];
		for (const { time, back, index, cohort } of steps) {
			const outSlice = this.slice(cohort.outAtMicros);
			if (!back) {
				const ranges = pool.take(cohort.devices);
				held.set(index, ranges);
				for (const range of ranges) {
					transitions.push({ slice: this.slice(time), back, change, ...range, outSlice });
				}
				continue;
			}
			const ranges = held.get(index) ?? [];
			held.delete(index);
			for (const { time: at, first, count } of spread(ranges, time, cohort)) {
				transitions.push({ slice: this.slice(at), back, change, first, count, outSlice });
			}
			pool.give(ranges);
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
			if (range === undefined) return taken;
			const count = Math.min(missing, range.count);
			taken.push({ first: range.first, count });
			missing -= count;
			if (count === range.count) this.head++;
			else this.free[this.head] = { first: range.first + count, count: range.count - count };
		}
		return taken;
	}

	give(ranges: readonly Range[]): void {
		this.free.push(...ranges);
	}
}

function cohortSteps(cohort: Cohort, index: number) {
	const out = { time: cohort.outAtMicros as number, back: false, index, cohort };
	return cohort.backAtMicros === null
		? [out]
		: [out, { time: cohort.backAtMicros as number, back: true, index, cohort }];
}

function spread(ranges: readonly Range[], time: number, cohort: Cohort) {
	if (cohort.spreadMicros === 0) return ranges.map((range) => ({ time, ...range }));
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

function changeOf(kind: Exclude<Outage["kind"], "gateway" | "broker">): number {
	switch (kind) {
		case "power":
			return CHANGE_POWER;
		case "refused":
			return LINK_REFUSED;
		case "black-holed":
			return LINK_BLACK_HOLED;
		case "half-open":
			return LINK_HALF_OPEN;
		case "brown-out":
			return LINK_BROWN_OUT;
	}
}

function coprimeNear(start: number, modulus: number): number {
	let candidate = Math.max(1, start);
	while (gcd(candidate, modulus) !== 1) candidate++;
	return candidate;
}

function gcd(a: number, b: number): number {
	return b === 0 ? a : gcd(b, a % b);
}
