import { KIND_TIMER, type RecordBuffer } from "./record-layout.js";

/** Devices per shard: their timers and native state stay in a core's cache while the shard runs its slice. */
export const SHARD_DEVICES = 8192;
const SHARD_SHIFT = 13;
const LEVELS = 4;
const SLOTS = 256;
const WORDS = SLOTS / 32;
const NONE = 0xffff;
/** Places of the neighbours among a cell's four 16-bit halves; the first two are the slice. */
const NEXT = 2;
const PREVIOUS = 3;
/** No timer. */
const NEVER = 0xffff_ffff;
/** No run reaches it: where timers beyond the end of all time are put, rather than wrap round to an early slice. */
export const LAST_SLICE = NEVER - 1;

/**
 * One timer per device, in a hierarchical wheel per shard (Varghese and Lauck, 1987): four levels of 256 slots, level 0
 * a slice wide. 8 bytes a device. Timers are really removed when they change, so no stale one ever fires.
 */
export class ShardWheels {
	readonly shards: number;
	/** Per shard: the next slice in which it must be visited. */
	readonly attention: Float64Array;
	/** Per device 8 bytes side by side: the slice it is due in, then the neighbours in its slot's list. */
	private readonly due: Uint32Array;
	private readonly neighbours: Uint16Array;
	private readonly heads: Uint16Array;
	private readonly bits: Int32Array;
	private readonly cursor: Uint32Array;

	constructor(private readonly devices: number) {
		this.shards = Math.ceil(devices / SHARD_DEVICES);
		this.attention = new Float64Array(this.shards).fill(Number.POSITIVE_INFINITY);
		this.due = new Uint32Array(devices * 2);
		this.neighbours = new Uint16Array(this.due.buffer);
		for (let device = 0; device < devices; device++) {
			this.due[device * 2] = NEVER;
		}
		this.heads = new Uint16Array(this.shards * LEVELS * SLOTS).fill(NONE);
		this.bits = new Int32Array(this.shards * LEVELS * WORDS);
		this.cursor = new Uint32Array(this.shards);
	}

	/** Bytes per device. */
	static readonly bytesPerDevice = 4 + 2 + 2;

	/** Sets a device's timer to `slice` (at or after the shard's cursor), replacing the one it has. */
	arm(device: number, slice: number): void {
		const at = Math.min(slice, LAST_SLICE);
		if (this.due[device * 2] === at) {
			return;
		}
		this.disarm(device);
		this.link(device, at);
	}

	/** Removes a device's timer, if any. */
	disarm(device: number): void {
		const due = this.due[device * 2] as number;
		if (due === NEVER) {
			return;
		}
		const shard = device >>> SHARD_SHIFT;
		const base = shard << SHARD_SHIFT;
		const before = this.neighbours[device * 4 + PREVIOUS] as number;
		const after = this.neighbours[device * 4 + NEXT] as number;
		if (before === NONE) {
			this.heads[this.cell(shard, due)] = after;
		} else {
			this.neighbours[(base + before) * 4 + NEXT] = after;
		}
		if (after !== NONE) {
			this.neighbours[(base + after) * 4 + PREVIOUS] = before;
		}
		this.due[device * 2] = NEVER;
	}

	/** Moves a shard to `slice` and writes a TIMER record for each device due in it: how many. */
	collect(shard: number, slice: number, time: number, target: RecordBuffer, at: number): number {
		this.advance(shard, slice);
		const base = shard << SHARD_SHIFT;
		const cell = this.cellOf(shard, 0, slice & (SLOTS - 1));
		let local = this.heads[cell] as number;
		this.heads[cell] = NONE;
		let to = at;
		while (local !== NONE) {
			const device = base + local;
			local = this.neighbours[device * 4 + NEXT] as number;
			this.due[device * 2] = NEVER;
			target.put(to++, time, device, KIND_TIMER);
		}
		return to - at;
	}

	/** Most devices that `collect` may write for one shard. */
	devicesOf(shard: number): number {
		return Math.min(SHARD_DEVICES, this.devices - (shard << SHARD_SHIFT));
	}

	/** The next slice after the cursor in which a shard's wheel needs a visit; Infinity for none. */
	nextSlice(shard: number): number {
		const cursor = this.cursor[shard] as number;
		for (let level = 0; level < LEVELS; level++) {
			const shift = level * 8;
			const from = ((cursor >>> shift) & (SLOTS - 1)) + 1;
			const slot = this.firstSlot(shard, level, from);
			if (slot < SLOTS) {
				const block = level === LEVELS - 1 ? 0 : (cursor >>> (shift + 8)) << (shift + 8);
				return (block | (slot << shift)) >>> 0;
			}
		}
		return Number.POSITIVE_INFINITY;
	}

	private link(device: number, slice: number): void {
		const shard = device >>> SHARD_SHIFT;
		const base = shard << SHARD_SHIFT;
		const level = levelOf(this.cursor[shard] as number, slice);
		const slot = (slice >>> (level * 8)) & (SLOTS - 1);
		const cell = this.cellOf(shard, level, slot);
		const head = this.heads[cell] as number;
		const local = device - base;
		this.neighbours[device * 4 + NEXT] = head;
		this.neighbours[device * 4 + PREVIOUS] = NONE;
		if (head !== NONE) {
			this.neighbours[(base + head) * 4 + PREVIOUS] = local;
		}
		this.heads[cell] = local;
		this.due[device * 2] = slice;
		const word = (shard * LEVELS + level) * WORDS + (slot >>> 5);
		this.bits[word] = (this.bits[word] as number) | (1 << (slot & 31));
		const shift = level * 8;
		const visit = ((slice >>> shift) << shift) >>> 0;
		if (visit < (this.attention[shard] as number)) {
			this.attention[shard] = visit;
		}
	}

	private advance(shard: number, slice: number): void {
		const cursor = this.cursor[shard] as number;
		this.cursor[shard] = slice;
		for (let level = LEVELS - 1; level > 0; level--) {
			const shift = level * 8;
			if (cursor >>> shift === slice >>> shift) {
				continue;
			}
			this.cascade(shard, level, (slice >>> shift) & (SLOTS - 1));
		}
	}

	private cascade(shard: number, level: number, slot: number): void {
		const base = shard << SHARD_SHIFT;
		const cell = this.cellOf(shard, level, slot);
		let local = this.heads[cell] as number;
		this.heads[cell] = NONE;
		while (local !== NONE) {
			const device = base + local;
			local = this.neighbours[device * 4 + NEXT] as number;
			this.link(device, this.due[device * 2] as number);
		}
	}

	private firstSlot(shard: number, level: number, from: number): number {
		const base = (shard * LEVELS + level) * WORDS;
		let slot = from;
		while (slot < SLOTS) {
			const word = (this.bits[base + (slot >>> 5)] as number) & (-1 << (slot & 31));
			if (word === 0) {
				slot = (slot | 31) + 1;
				continue;
			}
			slot = (slot & ~31) + (31 - Math.clz32(word & -word));
			if (this.heads[this.cellOf(shard, level, slot)] !== NONE) {
				return slot;
			}
			this.bits[base + (slot >>> 5)] = (this.bits[base + (slot >>> 5)] as number) & ~(1 << (slot & 31));
			slot++;
		}
		return SLOTS;
	}

	private cell(shard: number, due: number): number {
		const level = levelOf(this.cursor[shard] as number, due);
		return this.cellOf(shard, level, (due >>> (level * 8)) & (SLOTS - 1));
	}

	private cellOf(shard: number, level: number, slot: number): number {
		return (shard * LEVELS + level) * SLOTS + slot;
	}
}

/** The lowest level whose block holds both slices. */
function levelOf(cursor: number, slice: number): number {
	if (cursor >>> 8 === slice >>> 8) {
		return 0;
	}
	if (cursor >>> 16 === slice >>> 16) {
		return 1;
	}
	return cursor >>> 24 === slice >>> 24 ? 2 : 3;
}
