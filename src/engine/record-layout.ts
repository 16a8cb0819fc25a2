/**
 * One event in 32 bytes, as `native/node/src/record.rs` packs it: a float64 time, then six 32-bit words. A buffer is
 * seen through a Float64Array (4 words a record) and an Int32Array (8 words a record) at once.
 */
export const FLOATS = 4;
export const INTS = 8;

/** Offsets in the Int32Array view. */
export const DEVICE = 2;
export const META = 3;
export const A = 4;
export const B = 5;
export const C = 6;
export const D = 7;

export const KIND_TIMER = 0;
export const KIND_POWER_ON = 1;
export const KIND_POWER_OFF = 2;
export const KIND_REFUSED = 3;
export const KIND_HELLO = 8;
export const KIND_ADMIT = 9;
export const KIND_DATA = 11;
export const KIND_ACK = 12;
export const KIND_NACK = 13;
export const KIND_CONNECTED = 32;
export const KIND_DISCONNECTED = 33;
export const KIND_LOST = 34;
export const KIND_SUBMISSION = 48;
export const KIND_ENTRY = 49;
export const KIND_OUTCOME = 50;
export const KIND_RESTART = 51;
/** Opens a block: the records after it belong to gateway `device`, until the next one. */
export const KIND_GATEWAY = 52;
export const KIND_OPEN = 53;
export const KIND_OPENED = 54;
export const KIND_STORED = 55;
export const KIND_MEMBER = 56;
export const KIND_FREEZE = 57;
export const KIND_CLOSE = 58;
export const KIND_START = 59;
export const KIND_WIRE = 60;
export const KIND_ACCUSE = 61;

/** In META of DATA and ENTRY: the backfill lane. */
export const FLAG_BACKFILL = 1 << 8;

/** In META of DATA: it is under no key that a device has; A is the number of whoever sent it. */
export const FLAG_FORGED = 1 << 15;

/** In C of DATA: its readings. In C of ENTRY they have 16 bits; the stride is above them in both. */
export const DATA_READINGS = 0xff;

/** A block of records and its two views. */
export class RecordBuffer {
	readonly floats: Float64Array;
	readonly ints: Int32Array;

	/** Room for `capacity` records. */
	constructor(readonly capacity: number) {
		this.floats = new Float64Array(capacity * FLOATS);
		this.ints = new Int32Array(this.floats.buffer);
	}

	/** Writes a record without payload but `a`, `b` and `c` at `index`. */
	put(index: number, time: number, device: number, meta: number, a = 0, b = 0, c = 0): void {
		this.floats[index * FLOATS] = time;
		const at = index * INTS;
		this.ints[at + DEVICE] = device;
		this.ints[at + META] = meta;
		this.ints[at + A] = a;
		this.ints[at + B] = b;
		this.ints[at + C] = c;
		this.ints[at + D] = 0;
	}
}
