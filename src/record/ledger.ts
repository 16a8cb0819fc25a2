/** Columns of a device's row: side by side, so that a stored run touches one cache line. */
const LIVE = 0;
const BACKFILL = 1;
const DURABLE = 2;
const COLUMNS = 3;

/**
 * The independent witness: what the broker stored, reading by reading, against what the world knows was taken and what
 * the devices say they hold or lost. 12 bytes a device.
 */
export class Ledger {
	/** Per device: first index not yet stored on the live and on the backfill lane, and distinct readings stored. */
	private readonly rows: Uint32Array;
	/** Where a row keeps the backfill lane's mark. */
	private readonly backfillColumn: number;
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
		this.rows = new Uint32Array(devices * COLUMNS);
		this.backfillColumn = oneOrder ? LIVE : BACKFILL;
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
		const row = device * COLUMNS;
		const column = row + (isBackfill ? this.backfillColumn : LIVE);
		const mark = this.rows[column] as number;
		const known = first >= mark ? 0 : Math.min(count, Math.ceil((mark - first) / stride));
		this.duplicates += known;
		this.fresh = count - known;
		this.durableTotal += this.fresh;
		this.rows[row + DURABLE] = (this.rows[row + DURABLE] as number) + this.fresh;
		if (end > mark) {
			this.rows[column] = end;
		}
	}

	/** Notes what a device says that it could not keep. */
	lose(device: number, overflow: number, volatile: number): void {
		const before = this.lost.get(device) ?? { overflow: 0, volatile: 0 };
		this.lost.set(device, { overflow: before.overflow + overflow, volatile: before.volatile + volatile });
	}

	/** Everything below is stored on a lane. */
	mark(device: number, isBackfill: boolean): number {
		return this.rows[device * COLUMNS + (isBackfill ? this.backfillColumn : LIVE)] as number;
	}

	/** Distinct readings of a device that are stored. */
	durable(device: number): number {
		return this.rows[device * COLUMNS + DURABLE] as number;
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
	const stored = ledger.durable(device);
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
