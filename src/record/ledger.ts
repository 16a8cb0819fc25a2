/**
 * The independent witness: what the broker stored, reading by reading, against what the world knows was taken and what
 * the devices say they hold or lost. 12 bytes a device.
 */
export class Ledger {
	/** First index not yet stored, per lane: [live, backfill]. */
	private readonly live: Uint32Array;
	private readonly backfill: Uint32Array;
	/** Distinct readings stored, per device. */
	readonly durable: Uint32Array;
	readonly lost = new Map<number, { overflow: number; volatile: number }>();
	durableTotal = 0;
	duplicates = 0;
	/** Readings of the last `store` that had not been stored before. */
	fresh = 0;

	/** `oneOrder`: devices send in one order whatever the lane (policy `none`), so one mark serves both lanes. */
	constructor(
		readonly devices: number,
		oneOrder: boolean,
	) {
		this.live = new Uint32Array(devices);
		this.backfill = oneOrder ? this.live : new Uint32Array(devices);
		this.durable = new Uint32Array(devices);
	}

	/** Bytes per device. */
	static readonly bytesPerDevice = 12;

	/** Notes `count` readings `first, first + stride, …` of a lane as stored. */
	store(
		device: number,
		isBackfill: boolean,
		first: number,
		count: number,
		stride: number,
		end: number,
	): void {
		const marks = isBackfill ? this.backfill : this.live;
		const mark = marks[device] as number;
		const known = first >= mark ? 0 : Math.min(count, Math.ceil((mark - first) / stride));
		this.duplicates += known;
		this.fresh = count - known;
		this.durableTotal += this.fresh;
		this.durable[device] = (this.durable[device] as number) + this.fresh;
		if (end > mark) {
			marks[device] = end;
		}
	}

	/** Notes what a device says that it could not keep. */
	lose(device: number, overflow: number, volatile: number): void {
		const before = this.lost.get(device) ?? { overflow: 0, volatile: 0 };
		this.lost.set(device, { overflow: before.overflow + overflow, volatile: before.volatile + volatile });
	}

	/** Everything below is stored on a lane. */
	mark(device: number, isBackfill: boolean): number {
		return (isBackfill ? this.backfill : this.live)[device] as number;
	}
}

/** Totals over the devices settled so far. */
export interface Balance {
	produced: number;
	buffered: number;
	lostOverflow: number;
	lostVolatile: number;
	ackedLost: number;
	/** Readings unaccounted for: what arrives below its lane's mark without ever having been stored ends here. */
	reordered: number;
	/** The first device whose readings do not add up, in words. */
	imbalance: string | null;
}

/** An empty balance. */
export function emptyBalance(): Balance {
	return {
		produced: 0,
		buffered: 0,
		lostOverflow: 0,
		lostVolatile: 0,
		ackedLost: 0,
		reordered: 0,
		imbalance: null,
	};
}

/**
 * Settles one device: `produced` readings taken (the world's count), `held` still in its buffer, everything below the
 * marks acknowledged to it. A reading that is stored but not yet acknowledged is still held: it counts as stored. What is
 * neither stored nor held must be lost, and no more than the device said: a device that lost a reading which had just
 * been stored says so without knowing better.
 */
export function settleDevice(
	balance: Balance,
	ledger: Ledger,
	device: number,
	produced: number,
	held: number,
	acked: { readonly live: number; readonly backfill: number },
): void {
	const stored = ledger.durable[device] as number;
	const stated = ledger.lost.get(device) ?? { overflow: 0, volatile: 0 };
	const ahead = (backfill: boolean, mark: number) => ledger.mark(device, backfill) - mark;
	const unacknowledged = Math.max(0, ahead(false, acked.live)) + Math.max(0, ahead(true, acked.backfill));
	const ackedLost = Math.max(0, -ahead(false, acked.live)) + Math.max(0, -ahead(true, acked.backfill));
	const missing = produced - stored - held;
	const both = Math.min(Math.max(0, -missing), unacknowledged, held);
	const lost = Math.max(0, missing);
	const overflow = Math.min(lost, stated.overflow);
	const volatile = Math.min(lost - overflow, stated.volatile);
	balance.produced += produced;
	balance.buffered += held - both;
	balance.ackedLost += ackedLost;
	balance.lostOverflow += overflow;
	balance.lostVolatile += volatile;
	balance.reordered += lost - overflow - volatile;
	if (balance.imbalance === null && (missing + both < 0 || lost > overflow + volatile || ackedLost > 0)) {
		const from = Math.min(ledger.mark(device, false), ledger.mark(device, true));
		balance.imbalance =
			`device ${device}: took ${produced}, stored ${stored}, holds ${held}, ` +
			`says it lost ${stated.overflow + stated.volatile}` +
			(ackedLost > 0 ? `, ${ackedLost} acknowledged and not stored` : "") +
			`; first open sequence ${from}`;
	}
}
