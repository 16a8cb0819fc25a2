import type { Layout, StoredReading } from "./stored-reading.js";

const LANES = 2;
/** No reading yet. */
const NONE = -1;

/** What the account says to a reading. */
export type Finding = "new" | "twice" | "out of order" | "beyond";

/** What one partition holds: of each of its devices a bit per reading, and how far each lane is. */
export class ShardAccount {
	private readonly bits: Uint8Array;
	private readonly last: Int32Array;
	private readonly epochs: Int32Array;

	/** `readings`: no device takes more. */
	constructor(
		private readonly shard: number,
		private readonly layout: Layout,
		private readonly readings: number,
	) {
		const devices = devicesOf(shard, layout);
		this.bits = new Uint8Array(devices * rowBytes(readings));
		this.last = new Int32Array(devices * LANES).fill(NONE);
		this.epochs = new Int32Array(devices).fill(NONE);
	}

	/** Bytes that all accounts of a fleet take. */
	static bytesOf({ devices }: Layout, readings: number): number {
		return devices * (rowBytes(readings) + (LANES + 1) * Int32Array.BYTES_PER_ELEMENT);
	}

	/**
	 * Takes a reading of this shard in. Twice is twice whatever the lane and whatever the epoch: an index is an instant, and no
	 * device takes two readings at one. Order is that of a lane within an epoch; epochs only rise.
	 */
	take({ device, epoch, lane, index }: StoredReading): Finding {
		if (index >= this.readings) {
			return "beyond";
		}
		const place = (device - this.shard) / this.layout.shards;
		const byte = place * rowBytes(this.readings) + (index >>> 3);
		const bit = 1 << (index & 7);
		const isKnown = ((this.bits[byte] ?? 0) & bit) !== 0;
		this.bits[byte] = (this.bits[byte] ?? 0) | bit;
		const isInOrder = this.moves(place, epoch, lane, index);
		if (isKnown) {
			return "twice";
		}
		return isInOrder ? "new" : "out of order";
	}

	/** Moves a lane on: false where it would go back. */
	private moves(place: number, epoch: number, lane: number, index: number): boolean {
		const known = this.epochs[place] ?? NONE;
		if (epoch < known) {
			return false;
		}
		const at = place * LANES + lane;
		if (epoch > known) {
			this.epochs[place] = epoch;
			this.last.fill(NONE, place * LANES, (place + 1) * LANES);
		}
		if (index <= (this.last[at] ?? NONE)) {
			return false;
		}
		this.last[at] = index;
		return true;
	}

	/** Which readings of a device are there: bit `index & 7` of byte `index >> 3`. */
	storedOf(device: number): Uint8Array {
		const from = ((device - this.shard) / this.layout.shards) * rowBytes(this.readings);
		return this.bits.subarray(from, from + rowBytes(this.readings));
	}
}

/** Bytes that hold a bit per reading. */
export function rowBytes(readings: number): number {
	return Math.ceil(readings / 8);
}

function devicesOf(shard: number, { devices, shards }: Layout): number {
	return Math.max(0, Math.ceil((devices - shard) / shards));
}
