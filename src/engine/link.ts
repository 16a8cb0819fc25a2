import type { LinkProfile } from "../scenarios/scenario.js";
import { QuantileTable } from "./quantile-table.js";
import { PURPOSE_DOWNLINK, PURPOSE_UPLINK, type Streams } from "./streams.js";

/** What stands between a device and its gateway. */
export const LINK_UP = 0;
export const LINK_REFUSED = 1;
export const LINK_BLACK_HOLED = 2;
export const LINK_HALF_OPEN = 3;
/** The first brown-out of a scenario; the n-th is LINK_BROWN_OUT + n. */
export const LINK_BROWN_OUT = 4;

const LINK_SHIFT = 4;
const LINK_OTHER_BITS = 15;

/** Frames of one device within this time share their base latency: a queue in the network does not reorder them. */
const COHERENCE_MICROS = 1_000_000;
/** A reordered frame is held back this many times its latency. */
const REORDER_FACTOR = 2;
/** RFC 6298: the first retransmission time-out, and doublings after which the engine gives the segment its last wait. */
const TCP_TIMEOUT_MICROS = 1_000_000;
const TCP_DOUBLINGS_MAX = 4;
const PER_MILLI = 1_000;
const PER_MILLION = 1_000_000;
const PPM_PER_DRAW = PER_MILLION / 0x1_0000_0000;

/** How a brown-out degrades the links that it touches. */
export interface BrownOut {
	/** On top of the link's own. */
	readonly lossPpm: number;
	readonly duplicatePpm: number;
	readonly reorderPpm: number;
	readonly latencyFactor: number;
}

/**
 * The access links: latency, loss, duplication, reordering and serialisation, every draw a function of (seed,
 * device, time). One byte of state a device.
 */
export class Links {
	/** LINK_* per device in the upper half of a byte; the lower half belongs to the world. */
	readonly state: Uint8Array;
	brownOuts: readonly BrownOut[] = [];
	/** Whether the frame of the last `travel` arrives twice. */
	duplicated = false;
	private readonly latency: QuantileTable;
	/** Under TCP, when the last frame of a connection arrives, milliseconds: [up, down] a device. */
	private readonly latest: Uint32Array;

	constructor(
		devices: number,
		private readonly profile: LinkProfile,
		private readonly streams: Streams,
		/** TCP below: what the link loses comes late, once and in order, instead of not at all. */
		private readonly reliable = false,
	) {
		this.state = new Uint8Array(devices);
		this.latency = new QuantileTable(profile);
		this.latest = new Uint32Array(reliable ? 2 * devices : 0);
	}

	/** The shortest and the longest time that a frame can be on its way. */
	bounds(latencyFactorMax: number, frameBytesMax: number, burstFrames: number): { min: number; max: number } {
		const repeated = this.reliable ? TCP_TIMEOUT_MICROS * (2 << TCP_DOUBLINGS_MAX) : 0;
		const slowest = this.profile.maxMicros * latencyFactorMax * (1 + REORDER_FACTOR) + repeated;
		return { min: this.profile.minMicros, max: slowest + this.serialisation(frameBytesMax) * burstFrames };
	}

	/** LINK_* of a device. */
	of(device: number): number {
		return (this.state[device] as number) >>> LINK_SHIFT;
	}

	/** Puts a device's link into a state. */
	set(device: number, state: number): void {
		this.state[device] = ((this.state[device] as number) & LINK_OTHER_BITS) | (state << LINK_SHIFT);
	}

	/** How much later TCP delivers a segment that was lost: its time-out, doubled for each further loss. */
	private repetition(purpose: number, device: number, time: number, lossPpm: number): number {
		let wait = TCP_TIMEOUT_MICROS;
		for (let n = 1; n <= TCP_DOUBLINGS_MAX; n++) {
			if (this.streams.draw(purpose, device, time, -2 - n) * PPM_PER_DRAW >= lossPpm) {
				break;
			}
			wait += TCP_TIMEOUT_MICROS * (1 << n);
		}
		return wait;
	}

	/** Nothing overtakes a segment that is sent again. */
	private inOrder(place: number, time: number, latency: number): number {
		const arrival = Math.max(time + latency, (this.latest[place] as number) * PER_MILLI);
		this.latest[place] = Math.ceil(arrival / PER_MILLI);
		return arrival - time;
	}

	/** A device begins a new connection: what became of the old one holds up nothing. */
	reconnect(device: number): void {
		if (this.reliable) {
			this.latest.fill(0, 2 * device, 2 * device + 2);
		}
	}

	/** Time that `bytes` take on the uplink. */
	serialisation(bytes: number): number {
		const rate = this.profile.uplinkBitsPerSecond;
		return rate === 0 ? 0 : Math.ceil((bytes * 8 * PER_MILLION) / rate);
	}

	/**
	 * Latency of frame `n` that a device sends, or that is sent to it, at `time`; -1: lost. `duplicated` tells whether
	 * it arrives a second time, after the same time again.
	 */
	travel(up: boolean, device: number, time: number, n: number): number {
		const purpose = up ? PURPOSE_UPLINK : PURPOSE_DOWNLINK;
		const state = this.of(device);
		const degraded = state < LINK_BROWN_OUT ? undefined : this.brownOuts[state - LINK_BROWN_OUT];
		const fate = this.streams.draw(purpose, device, time, n) * PPM_PER_DRAW;
		const loss = this.profile.lossPpm + (degraded?.lossPpm ?? 0);
		this.duplicated = false;
		if (fate < loss && !this.reliable) {
			return -1;
		}
		const block = Math.floor(time / COHERENCE_MICROS);
		const base = this.latency.at(this.streams.draw(purpose, device, block, -1));
		const slowed = degraded === undefined ? base : Math.floor(base * degraded.latencyFactor);
		if (this.reliable) {
			const late = fate < loss ? this.repetition(purpose, device, time, loss) : 0;
			return this.inOrder(2 * device + Number(!up), time, slowed + late);
		}
		const reorder = this.profile.reorderPpm + (degraded?.reorderPpm ?? 0);
		if (fate < loss + reorder) {
			return slowed * (1 + REORDER_FACTOR);
		}
		const duplicate = this.profile.duplicatePpm + (degraded?.duplicatePpm ?? 0);
		this.duplicated = fate < loss + reorder + duplicate;
		return slowed;
	}
}
