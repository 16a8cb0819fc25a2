import { setTimeout as sleep } from "node:timers/promises";
import type { Admin, Consumer, KafkaMessage } from "kafkajs";
import { kafkaClient } from "../broker/topics.js";
import type { LogRecord } from "./open-transactions.js";
import { sliceAssigner } from "./slice-assigner.js";

const FETCH_BYTES_MAX = 4 << 20;
const PARTITION_BYTES_MAX = 1 << 20;
const FETCH_WAIT_MILLIS = 100;
const SESSION_MILLIS = 60_000;
const POLL_MILLIS = 100;
/**
 * How long what is not there yet may take: the end of a transaction is written into its partitions after its producer was told,
 * and one whose owner is gone stays open until the broker or the next owner aborts it.
 */
const PATIENCE_MILLIS = 30_000;

/** Some partitions of a topic. */
export interface LogSlice {
	readonly bootstrap: string;
	readonly topic: string;
	readonly partitions: readonly number[];
	/** How long to wait for what is not there yet. */
	readonly patienceMillis?: number;
}

/** What was read, beside the records. */
export interface LogEnd {
	/** Offsets that had been deleted before. */
	readonly deleted: number;
	/** Offsets behind transactions that are still open. */
	readonly undecided: number;
	/** From the first record to the last. */
	readonly seconds: number;
}

/** Who reads along. */
export interface LogReader {
	/** The next records of a partition. */
	take(partition: number, messages: readonly KafkaMessage[]): void;
	/** The same with everything that is no committed record, and perhaps what came before once more. */
	takeRaw?(partition: number, records: readonly LogRecord[]): void;
	/** Asked at the end: whether all is there that has to be. Else more may come, for a while. */
	isComplete(): Promise<boolean>;
}

/** Reads partitions, committed records only, from their beginning to their end. */
export async function readCommittedLog(slice: LogSlice, reader: LogReader): Promise<LogEnd> {
	const kafka = kafkaClient(slice.bootstrap);
	const admin = kafka.admin();
	const { topic, partitions } = slice;
	const consumer = kafka.consumer({
		groupId: `klais-witness-${process.pid}-${process.hrtime.bigint()}`,
		partitionAssigners: [sliceAssigner(topic, partitions)],
		sessionTimeout: SESSION_MILLIS,
		maxBytes: FETCH_BYTES_MAX,
		maxBytesPerPartition: PARTITION_BYTES_MAX,
		maxWaitTimeInMs: FETCH_WAIT_MILLIS,
		readUncommitted: false,
	});
	try {
		await admin.connect();
		const positions = new Positions();
		await positions.look(admin, slice);
		await consumer.connect();
		return await consume(consumer, admin, slice, positions, reader);
	} finally {
		await Promise.all([consumer.disconnect(), admin.disconnect()]);
	}
}

async function consume(
	consumer: Consumer,
	admin: Admin,
	slice: LogSlice,
	positions: Positions,
	reader: LogReader,
): Promise<LogEnd> {
	let crash: Error | undefined;
	let first = 0n;
	let last = 0n;
	consumer.on(consumer.events.CRASH, ({ payload }) => {
		crash = payload.restart ? undefined : payload.error;
	});
	// Also of what holds only control records, or records of aborted transactions.
	consumer.on(consumer.events.END_BATCH_PROCESS, ({ payload }) => {
		last = process.hrtime.bigint();
		positions.reached(payload.partition, Number(payload.lastOffset) + 1, Number(payload.highWatermark));
	});
	await consumer.subscribe({ topic: slice.topic, fromBeginning: true });
	await consumer.run({
		autoCommit: false,
		eachBatch: async ({ batch }) => {
			first ||= process.hrtime.bigint();
			// Not among its types: what was fetched, before kafkajs leaves out what is no committed record.
			const { rawMessages } = batch as typeof batch & { readonly rawMessages: readonly LogRecord[] };
			reader.takeRaw?.(batch.partition, rawMessages);
			reader.take(batch.partition, positions.fresh(batch.partition, batch.messages));
		},
	});
	const patience = slice.patienceMillis ?? PATIENCE_MILLIS;
	let waited = 0;
	let asked = -1;
	while (crash === undefined) {
		if (positions.areAtEnd()) {
			let isOver = waited >= patience;
			if (positions.undecided() === 0 && asked !== positions.read()) {
				asked = positions.read();
				isOver ||= await reader.isComplete();
			}
			if (isOver) {
				return positions.end(Number(last - first) / 1e9);
			}
			waited += POLL_MILLIS;
			await positions.look(admin, slice);
		}
		await sleep(POLL_MILLIS);
	}
	throw crash;
}

interface Position {
	readonly low: number;
	/** Where the next record comes from. */
	next: number;
	/** Up to where transactions are decided. */
	decided: number;
	/** Up to where records are written, as far as known. */
	written: number;
	/** The last record that was handed on. */
	taken: number;
}

/** How far the reading is, per partition. */
class Positions {
	private readonly all = new Map<number, Position>();

	/** Asks how far there is something to read. */
	async look(admin: Admin, { topic, partitions }: LogSlice): Promise<void> {
		// kafkajs asks as one who reads committed records: the end is the last stable offset.
		const offsets = await admin.fetchTopicOffsets(topic);
		for (const { partition, low, high } of offsets) {
			if (partitions.includes(partition)) {
				const known = this.all.get(partition) ?? newPosition(Number(low));
				this.all.set(partition, known);
				known.decided = Math.max(known.decided, Number(high));
				known.written = Math.max(known.written, known.decided);
			}
		}
		if (this.all.size !== partitions.length) {
			throw new Error(`the topic ${topic} has fewer partitions than there are shards`);
		}
	}

	/** What was not handed on before: a client that has to join its group again begins from the start. */
	fresh(partition: number, messages: readonly KafkaMessage[]): readonly KafkaMessage[] {
		const position = this.all.get(partition);
		const last = messages.at(-1);
		if (position === undefined || last === undefined) {
			return [];
		}
		const known = position.taken;
		position.taken = Math.max(known, Number(last.offset));
		const isFresh = Number(messages[0]?.offset) > known;
		return isFresh ? messages : messages.filter(({ offset }) => Number(offset) > known);
	}

	reached(partition: number, next: number, written: number): void {
		const position = this.all.get(partition);
		if (position !== undefined) {
			position.next = Math.max(position.next, next);
			// Nobody is given what is not decided.
			position.decided = Math.max(position.decided, next);
			position.written = Math.max(position.written, written);
		}
	}

	/** Offsets read so far, in all. */
	read(): number {
		return this.list().reduce((sum, { next }) => sum + next, 0);
	}

	areAtEnd(): boolean {
		return this.list().every(({ next, decided }) => next >= decided);
	}

	undecided(): number {
		return this.list().reduce((sum, { written, decided }) => sum + written - decided, 0);
	}

	end(seconds: number): LogEnd {
		return {
			deleted: this.list().reduce((sum, { low }) => sum + low, 0),
			undecided: this.undecided(),
			seconds,
		};
	}

	private list(): Position[] {
		return [...this.all.values()];
	}
}

function newPosition(low: number): Position {
	return { low, next: low, decided: low, written: low, taken: -1 };
}
