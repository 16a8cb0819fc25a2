/** A record as it comes from the log, control records among them. */
export interface LogRecord {
	readonly offset: string;
	readonly timestamp: string;
	readonly key: Buffer | null;
	readonly headers?: Readonly<Record<string, unknown>>;
	readonly isControlRecord?: boolean;
	readonly batchContext?: {
		readonly producerId: string;
		readonly producerEpoch: number;
		readonly inTransaction: boolean;
	};
}

/** What a producer has committed at once. */
export interface Committed<T> {
	/** The producer and its epoch. */
	readonly owner: string;
	readonly items: readonly T[];
	/** The time at which the broker wrote the end of the transaction, milliseconds since 1970; without one, that of the record. */
	readonly atMillis: number;
}

/** What the transactions of a partition hold that are open, per producer. */
export class OpenTransactions<T> {
	private lastOffset = -1n;
	private readonly open = new Map<string, { readonly owner: string; readonly items: T[] }>();

	/** `itemOf` is what a record stands for, if for anything. */
	constructor(private readonly itemOf: (record: LogRecord) => T | undefined) {}

	/** Takes the next record of the log, or one that was taken before, which is nothing: what is committed by it. */
	take(record: LogRecord): Committed<T> | undefined {
		const { key, timestamp, isControlRecord = false, batchContext } = record;
		const offset = BigInt(record.offset);
		if (offset <= this.lastOffset) {
			return undefined;
		}
		this.lastOffset = offset;
		if (batchContext === undefined) {
			return undefined;
		}
		const { producerId, producerEpoch, inTransaction } = batchContext;
		const atMillis = Number(timestamp);
		if (isControlRecord) {
			const ended = this.open.get(producerId);
			this.open.delete(producerId);
			return ended !== undefined && isCommit(key) ? { ...ended, atMillis } : undefined;
		}
		const item = this.itemOf(record);
		const owner = `${producerId}/${producerEpoch}`;
		if (!inTransaction) {
			return { owner, items: item === undefined ? [] : [item], atMillis };
		}
		const open = this.open.get(producerId);
		const transaction = open?.owner === owner ? open : { owner, items: [] };
		this.open.set(producerId, transaction);
		if (item !== undefined) {
			transaction.items.push(item);
		}
		return undefined;
	}
}

/** Version and kind, 16 bits each: 0 is the end of an aborted transaction, 1 that of a committed one. */
function isCommit(key: Buffer | null): boolean {
	return key !== null && key.length >= 4 && key.readUInt16BE(2) === 1;
}
