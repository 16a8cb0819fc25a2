import seedrandom from "seedrandom";

/** What a draw is for; streams of different purposes never meet. */
export const PURPOSE_UPLINK = 1;
export const PURPOSE_DOWNLINK = 2;
export const PURPOSE_BOOT = 3;
export const PURPOSE_COMMIT = 4;
export const PURPOSE_SPREAD = 5;
export const PURPOSE_FENCE = 6;
export const PURPOSE_FATE = 7;
export const PURPOSE_CLOCK = 8;
export const PURPOSE_ATTACK = 9;
const PURPOSES = 16;

/**
 * Counter-based random numbers: every draw is a pure function of (seed, purpose, entity, time, n), so that no draw
 * depends on the order in which others were made. Mixing is MurmurHash3's 32-bit finaliser (Appleby, public domain).
 */
export class Streams {
	readonly keyLow: number;
	readonly keyHigh: number;
	private readonly keys: Int32Array;

	constructor(seed: string) {
		const root = seedrandom(seed);
		this.keyLow = root.int32() >>> 0;
		this.keyHigh = root.int32() >>> 0;
		this.keys = Int32Array.from({ length: PURPOSES }, () => root.int32());
	}

	/** 32 uniform bits, as an unsigned integer. `time` may be any whole number below 2^53. */
	draw(purpose: number, entity: number, time: number, n: number): number {
		let h = (this.keys[purpose] ?? 0) ^ Math.imul(entity, 0x9e3779b1);
		h = mix(h ^ (time | 0));
		h = mix(h ^ Math.imul((time / 0x1_0000_0000) | 0, 0x85ebca77) ^ Math.imul(n, 0xc2b2ae3d));
		return h >>> 0;
	}

	/** A whole number from 0 to `bound` - 1; bound at most 2^31. */
	below(bound: number, purpose: number, entity: number, time: number, n: number): number {
		return Math.floor((this.draw(purpose, entity, time, n) / 0x1_0000_0000) * bound);
	}
}

function mix(value: number): number {
	let h = value;
	h ^= h >>> 16;
	h = Math.imul(h, 0x85ebca6b);
	h ^= h >>> 13;
	h = Math.imul(h, 0xc2b2ae35);
	return h ^ (h >>> 16);
}
