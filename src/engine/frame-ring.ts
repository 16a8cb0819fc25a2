import { FLOATS, INTS, type RecordBuffer } from "./record-layout.js";

const CHUNK_RECORDS = 16;
const SEGMENT_CHUNKS = 4096;
/** Frames on their way at once: 256 million, 8 GiB. A run that needs more is a bug. */
const SEGMENTS_MAX = 4096;
const NONE = -1;

/**
 * Frames in flight: a ring of time slices for each of several lanes (shards of devices; one lane for the gateways).
 * Each cell is a list of append-only chunks: no pointer is followed per frame.
 */
export class FrameRing {
	private readonly heads: Int32Array;
	private readonly bits: Int32Array;
	private readonly wordsPerLane: number;
	private readonly mask: number;
	private readonly segments: { floats: Float64Array; ints: Int32Array }[] = [];
	private next = new Int32Array(0);
	private fill = new Uint8Array(0);
	private free = NONE;

	/** `slots`: slices ahead, a power of two of at least 32. */
	constructor(
		lanes: number,
		private readonly slots: number,
	) {
		this.heads = new Int32Array(lanes * slots).fill(NONE);
		this.wordsPerLane = slots / 32;
		this.bits = new Int32Array(lanes * this.wordsPerLane);
		this.mask = slots - 1;
	}

	/** Copies record `index` of `source`, with another time, into the cell of `slice`. */
	push(lane: number, slice: number, time: number, source: RecordBuffer, index: number): void {
		const slot = slice & this.mask;
		const cell = lane * this.slots + slot;
		let chunk = this.heads[cell] as number;
		if (chunk === NONE || this.fill[chunk] === CHUNK_RECORDS) {
			const fresh = this.allocate();
			this.next[fresh] = chunk;
			this.heads[cell] = fresh;
			const word = lane * this.wordsPerLane + (slot >>> 5);
			this.bits[word] = (this.bits[word] as number) | (1 << (slot & 31));
			chunk = fresh;
		}
		const segment = this.segments[chunk >>> 12] as { floats: Float64Array; ints: Int32Array };
		const place = (chunk & (SEGMENT_CHUNKS - 1)) * CHUNK_RECORDS + (this.fill[chunk] as number);
		this.fill[chunk] = (this.fill[chunk] as number) + 1;
		segment.floats[place * FLOATS] = time;
		const from = index * INTS;
		const to = place * INTS;
		for (let n = 2; n < INTS; n++) {
			segment.ints[to + n] = source.ints[from + n] as number;
		}
	}

	/** Number of records in a cell. */
	count(lane: number, slice: number): number {
		let records = 0;
		let chunk = this.heads[lane * this.slots + (slice & this.mask)] as number;
		for (; chunk !== NONE; chunk = this.next[chunk] as number) {
			records += this.fill[chunk] as number;
		}
		return records;
	}

	/** Moves a cell's records into `target` from `at` on and empties it: how many. The caller has made room. */
	take(lane: number, slice: number, target: RecordBuffer, at: number): number {
		const slot = slice & this.mask;
		const cell = lane * this.slots + slot;
		let chunk = this.heads[cell] as number;
		if (chunk === NONE) {
			return 0;
		}
		this.heads[cell] = NONE;
		const word = lane * this.wordsPerLane + (slot >>> 5);
		this.bits[word] = (this.bits[word] as number) & ~(1 << (slot & 31));
		let to = at;
		while (chunk !== NONE) {
			const records = this.fill[chunk] as number;
			const segment = this.segments[chunk >>> 12] as { floats: Float64Array; ints: Int32Array };
			const from = (chunk & (SEGMENT_CHUNKS - 1)) * CHUNK_RECORDS * FLOATS;
			copy(segment.floats, from, target.floats, to * FLOATS, records * FLOATS);
			to += records;
			const following = this.next[chunk] as number;
			this.fill[chunk] = 0;
			this.next[chunk] = this.free;
			this.free = chunk;
			chunk = following;
		}
		return to - at;
	}

	/** The first slice at or after `slice` that has a frame, within the ring; Infinity for none. */
	nextSlice(lane: number, slice: number): number {
		const base = lane * this.wordsPerLane;
		const start = slice & this.mask;
		for (let step = 0; step <= this.wordsPerLane; step++) {
			const index = ((start >>> 5) + step) & (this.wordsPerLane - 1);
			let word = this.bits[base + index] as number;
			if (step === 0) {
				word &= -1 << (start & 31);
			} else if (step === this.wordsPerLane) {
				word &= ~(-1 << (start & 31));
			}
			if (word === 0) {
				continue;
			}
			const slot = (index << 5) + (31 - Math.clz32(word & -word));
			return slice + ((slot - start) & this.mask);
		}
		return Number.POSITIVE_INFINITY;
	}

	private allocate(): number {
		if (this.free === NONE) {
			this.grow();
		}
		const chunk = this.free;
		this.free = this.next[chunk] as number;
		return chunk;
	}

	private grow(): void {
		if (this.segments.length === SEGMENTS_MAX) {
			throw new Error("more frames in flight than the engine allows");
		}
		const floats = new Float64Array(SEGMENT_CHUNKS * CHUNK_RECORDS * FLOATS);
		const first = this.segments.length * SEGMENT_CHUNKS;
		this.segments.push({ floats, ints: new Int32Array(floats.buffer) });
		if (first + SEGMENT_CHUNKS > this.next.length) {
			const room = Math.max(SEGMENT_CHUNKS, this.next.length * 2);
			const next = new Int32Array(room);
			next.set(this.next);
			this.next = next;
			const fill = new Uint8Array(room);
			fill.set(this.fill);
			this.fill = fill;
		}
		for (let chunk = first + SEGMENT_CHUNKS - 1; chunk >= first; chunk--) {
			this.next[chunk] = this.free;
			this.free = chunk;
		}
	}
}

function copy(from: Float64Array, start: number, to: Float64Array, at: number, words: number): void {
	for (let n = 0; n < words; n++) {
		to[at + n] = from[start + n] as number;
	}
}
