import type { Firmware, Scenario } from "../scenarios/scenario.js";
import { D, INTS, type RecordBuffer } from "./record-layout.js";
import { PURPOSE_CLOCK, type Streams } from "./streams.js";

const RIGHT = 0;
const RESET = 1;
const AHEAD = 2;
const DRIFTING = 3;
const AHEAD_MILLIS = 30 * 86_400_000;
const PER_MILLI = 1_000;
const PER_MILLION = 1_000_000;
const DRAWS = 0x1_0000_0000;

/**
 * The devices' clocks. Only what a device *says* comes from its clock: frames carry a wrong time then, and whoever needs
 * the right one must know it from elsewhere. Which devices it is follows from the seed; nothing is kept per device but when
 * those that count from power-on were last switched on.
 */
export class Clocks {
	private readonly bounds: readonly number[];
	private readonly poweredOn = new Map<number, number>();

	constructor(
		private readonly clocks: Scenario["devices"]["clocks"],
		private readonly streams: Streams,
	) {
		const { resetShare, aheadShare, driftingShare } = clocks;
		this.bounds = [resetShare, resetShare + aheadShare, resetShare + aheadShare + driftingShare];
	}

	/** Whether every clock is right. */
	get areAllRight(): boolean {
		return this.bounds[2] === 0;
	}

	/** Whether what a device says of the time may be wrong. */
	isWrong(device: number): boolean {
		return this.kindOf(device) !== RIGHT;
	}

	private kindOf(device: number): number {
		const draw = this.streams.draw(PURPOSE_CLOCK, device, 0, 0) / DRAWS;
		const place = this.bounds.findIndex((bound) => draw < bound);
		return place === -1 ? RIGHT : place + 1;
	}

	/** The power of a device is back. */
	powerOn(device: number, time: number): void {
		if (this.kindOf(device) === RESET) {
			this.poweredOn.set(device, time);
		}
	}

	/** Puts the device's own time into a DATA record that has the right one. Milliseconds, 32 bits: what does not fit wraps. */
	misstate(records: RecordBuffer, index: number, device: number): void {
		const at = index * INTS + D;
		records.ints[at] = this.said(device, (records.ints[at] as number) >>> 0) | 0;
	}

	private said(device: number, millis: number): number {
		switch (this.kindOf(device)) {
			case RESET:
				return millis - Math.floor((this.poweredOn.get(device) ?? 0) / PER_MILLI);
			case AHEAD:
				return millis + AHEAD_MILLIS;
			case DRIFTING: {
				const ppm = (this.streams.draw(PURPOSE_CLOCK, device, 0, 1) / DRAWS) * 2 - 1;
				return millis + Math.floor((millis * ppm * this.clocks.driftPpm) / PER_MILLION);
			}
			default:
				return millis;
		}
	}
}

/**
 * When reading `index` of a device of phase `phaseMicros` is due, milliseconds, by its firmware's grid: on the live lane at the
 * report that carries it, on the backfill lane when it is taken. What a right clock says; mirrors `Schedule` in
 * `native/burst-sync`.
 */
export function dueMillis(
	firmware: Firmware,
	phaseMicros: number,
	index: number,
	isBackfill: boolean,
): number {
	const { readingIntervalMicros: reading, reportIntervalMicros: report } = firmware;
	const takenAt = (phaseMicros % reading) + index * reading;
	const reports = Math.max(0, Math.ceil((takenAt - phaseMicros) / report));
	const due = isBackfill ? takenAt : phaseMicros + reports * report;
	return Math.floor(due / PER_MILLI);
}
