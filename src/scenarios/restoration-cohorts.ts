import { MICROS_PER_SECOND, micros } from "../units/micros.js";
import { largestRemainder } from "./largest-remainder.js";
import type { Snapshot } from "./read-trace.js";
import type { Cohort } from "./scenario.js";

/** One row of the utility's own list: an outage with the snapshots in which it was first and last seen. */
export interface ListedOutage {
	readonly firstSeenSeconds: number;
	readonly lastSeenSeconds: number;
	readonly maxCustomers: number;
	readonly lastCustomers: number;
}

export interface CohortOptions {
	/** Lumps smaller than this are merged into one row per step. */
	readonly minLump: number;
	/** Without a list of outages: spread each step's returns over the step, in place of one lump at its end. */
	readonly spread: boolean;
}

/** Some devices that go, or come back, together. Seconds since 1970. */
interface Piece {
	devices: number;
	readonly atSeconds: number;
	readonly spreadSeconds: number;
}

/** The time between two snapshots, and the change over it. */
interface Step {
	readonly fromSeconds: number;
	readonly toSeconds: number;
	readonly change: number;
}

/**
 * Turns a curve of customers out into cohorts whose sum is the curve, exactly, at every snapshot. A rise takes devices
 * out, a fall brings back those that are out the longest (first out, first back: a utility restores in about that order,
 * and nothing public says who). The net change counts: an outage that begins while another ends, within one step, hides.
 *
 * `listed` gives the sizes of lumps: those first (last) seen in a step, scaled to its change. Lumps come evenly over
 * the step, in the list's order; small ones merge into one row that spreads over the step. Sorted by loss, then return.
 */
export function restorationCohorts(
	snapshots: readonly Snapshot[],
	listed: readonly ListedOutage[] | undefined,
	options: CohortOptions,
): Cohort[] {
	const [first] = snapshots;
	if (first === undefined) {
		return [];
	}
	const steps = stepsOf(snapshots);
	const lumps = new LumpSizes(steps, listed ?? []);
	const losses: Piece[] = [{ devices: first.customersOut, atSeconds: first.epochSeconds, spreadSeconds: 0 }];
	const returns: Piece[] = [];
	for (const [index, step] of steps.entries()) {
		const sizes = lumps.of(index);
		if (step.change > 0) {
			losses.push(...lossPieces(step, sizes, options));
		} else if (step.change < 0) {
			returns.push(...returnPieces(step, sizes, options, listed === undefined));
		}
	}
	return pair(losses, returns, first.epochSeconds);
}

function stepsOf(snapshots: readonly Snapshot[]): Step[] {
	return snapshots.slice(1).map(({ epochSeconds, customersOut }, index) => {
		const previous = snapshots[index];
		return {
			fromSeconds: previous?.epochSeconds ?? 0,
			toSeconds: epochSeconds,
			change: customersOut - (previous?.customersOut ?? 0),
		};
	});
}

/** The listed sizes for each step: of losses where the curve rises, of returns where it falls. */
class LumpSizes {
	readonly #sizes = new Map<number, number[]>();

	constructor(steps: readonly Step[], listed: readonly ListedOutage[]) {
		const ends = steps.map(({ toSeconds }) => toSeconds);
		for (const { firstSeenSeconds, lastSeenSeconds, maxCustomers, lastCustomers } of listed) {
			// First seen in the snapshot that ends a step: lost within it. Last seen in the one that begins it: back within it.
			// What the first snapshot shows already was lost before the first step.
			if (firstSeenSeconds > (steps[0]?.fromSeconds ?? 0)) {
				this.#add(steps, countBelow(ends, firstSeenSeconds), 1, maxCustomers);
			}
			this.#add(steps, countBelow(ends, lastSeenSeconds + 1), -1, lastCustomers);
		}
	}

	of(index: number): readonly number[] {
		return this.#sizes.get(index) ?? [];
	}

	#add(steps: readonly Step[], index: number, direction: 1 | -1, size: number): void {
		if (size > 0 && Math.sign(steps[index]?.change ?? 0) === direction) {
			const sizes = this.#sizes.get(index) ?? [];
			sizes.push(size);
			this.#sizes.set(index, sizes);
		}
	}
}

/** How many of the sorted values are below `limit`. */
function countBelow(sorted: readonly number[], limit: number): number {
	let low = 0;
	let high = sorted.length;
	while (low < high) {
		const middle = (low + high) >>> 1;
		if ((sorted[middle] ?? 0) < limit) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return low;
}

function lossPieces(step: Step, sizes: readonly number[], { minLump }: CohortOptions): Piece[] {
	const { lumps, small } = splitSizes(step.change, sizes, minLump);
	const middle = step.fromSeconds + Math.ceil((step.toSeconds - step.fromSeconds) / 2);
	const trickle = small > 0 ? [{ devices: small, atSeconds: middle, spreadSeconds: 0 }] : [];
	return [...trickle, ...lumpPieces(step, lumps)].sort((a, b) => a.atSeconds - b.atSeconds);
}

function returnPieces(
	step: Step,
	sizes: readonly number[],
	options: CohortOptions,
	unlisted: boolean,
): Piece[] {
	const lost = -step.change;
	const { lumps, small } =
		unlisted && options.spread ? { lumps: [], small: lost } : splitSizes(lost, sizes, options.minLump);
	// From one second on: at the snapshot itself nobody of this step is back yet, and who went at that moment may be.
	const spreadSeconds = step.toSeconds - step.fromSeconds - 1;
	const trickle = small > 0 ? [{ devices: small, atSeconds: step.fromSeconds + 1, spreadSeconds }] : [];
	return [...trickle, ...lumpPieces(step, lumps)];
}

/** Scales listed sizes to the change and parts the lumps from the small ones. Nothing listed: one lump. */
function splitSizes(
	change: number,
	sizes: readonly number[],
	minLump: number,
): { lumps: number[]; small: number } {
	if (sizes.length === 0) {
		return { lumps: [change], small: 0 };
	}
	const scaled = largestRemainder(sizes, change);
	const lumps = scaled.filter((size) => size >= minLump);
	return { lumps, small: change - lumps.reduce((a, b) => a + b, 0) };
}

/** Evenly over the step, the last at its end. */
function lumpPieces({ fromSeconds, toSeconds }: Step, sizes: readonly number[]): Piece[] {
	return sizes.map((devices, index) => ({
		devices,
		atSeconds: fromSeconds + Math.ceil(((toSeconds - fromSeconds) * (index + 1)) / sizes.length),
		spreadSeconds: 0,
	}));
}

/** First out, first back: pieces are split where a loss and a return do not match. */
function pair(losses: Piece[], returns: readonly Piece[], startSeconds: number): Cohort[] {
	const cohorts: Cohort[] = [];
	const add = (loss: Piece, back: Piece | undefined, devices: number): void => {
		cohorts.push({
			devices,
			outAtMicros: micros((loss.atSeconds - startSeconds) * MICROS_PER_SECOND),
			backAtMicros: back === undefined ? null : micros((back.atSeconds - startSeconds) * MICROS_PER_SECOND),
			spreadMicros: micros((back?.spreadSeconds ?? 0) * MICROS_PER_SECOND),
		});
	};
	let oldest = 0;
	for (const back of returns) {
		let wanted = back.devices;
		while (wanted > 0) {
			const loss = losses[oldest];
			if (loss === undefined) {
				throw new Error("more devices return than went: the curve is negative somewhere");
			}
			const devices = Math.min(wanted, loss.devices);
			if (devices > 0) {
				add(loss, back, devices);
			}
			wanted -= devices;
			loss.devices -= devices;
			oldest += loss.devices === 0 ? 1 : 0;
		}
	}
	for (const loss of losses.slice(oldest)) {
		if (loss.devices > 0) {
			add(loss, undefined, loss.devices);
		}
	}
	return cohorts;
}
