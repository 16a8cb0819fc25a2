import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Kafka, Message, Transaction } from "kafkajs";
import { createTopics, kafkaClient, type Topics } from "../../../src/live/broker/topics.js";
import type { WitnessOrder } from "../../../src/live/witness/order.js";
import { ReadingBytes } from "../../../src/live/witness/reading-bytes.js";
import { newFolder } from "../../cli/support.js";

export const DEVICES = 10;
const SHARDS = 3;
/** Every device takes so many: the first half live, the rest as backfill. */
export const READINGS = 20;
const READING_BYTES = 21;

const bytes = new ReadingBytes(READING_BYTES);

/** A record to be: every field as a gateway would write it, or not. */
export interface Planted {
	readonly device: number;
	readonly index: number;
	readonly epoch?: number;
	readonly lane?: number;
	readonly value?: Buffer | null;
	readonly key?: Buffer;
	readonly headers?: Readonly<Record<string, Buffer>>;
	readonly partition?: number;
}

/** A record of the data topic. */
export function record({
	device,
	index,
	epoch = 0,
	lane = index < READINGS / 2 ? 0 : 1,
	value = bytes.of(device, index),
	key = Buffer.from([...u32(device), lane]),
	headers = {},
	partition = device % SHARDS,
}: Planted): Message {
	const own = { d: u32(device), e: Buffer.from([epoch >> 8, epoch & 255]), l: Buffer.from([lane]) };
	return {
		key,
		value,
		partition,
		headers: { ...own, s: u32(index), t: Buffer.alloc(8), ...headers },
	};
}

function u32(value: number): Buffer {
	const field = Buffer.alloc(4);
	field.writeUInt32BE(value);
	return field;
}

/** All that the devices took, in the order in which it was stored. */
export function everything(): Planted[] {
	return Array.from({ length: READINGS }, (_, index) => index).flatMap((index) =>
		Array.from({ length: DEVICES }, (__, device) => ({ device, index })),
	);
}

/** Where a planted reading is among `everything()`. */
export function placeOf(device: number, index: number): number {
	return index * DEVICES + device;
}

/** Data topics on one broker, each with what a test puts there. */
export class Log {
	readonly client: Kafka;
	private producers = 0;

	private constructor(
		private readonly bootstrap: string,
		readonly topics: Topics,
	) {
		this.client = kafkaClient(bootstrap);
	}

	static async make(bootstrap: string, name: string): Promise<Log> {
		const topics = { readings: name, checkpoints: `${name}-marks` };
		const made = await createTopics(bootstrap, SHARDS, topics);
		if (!made.ok) {
			throw new Error(made.error.message);
		}
		return new Log(bootstrap, topics);
	}

	/** One transaction with the records; `end` decides it. */
	async write(
		planted: readonly Planted[],
		end: (transaction: Transaction) => Promise<void> = (transaction) => transaction.commit(),
	): Promise<void> {
		this.producers += 1;
		const producer = this.client.producer({
			transactionalId: `${this.topics.readings}-${this.producers}`,
			maxInFlightRequests: 1,
			idempotent: true,
		});
		await producer.connect();
		const transaction = await producer.transaction();
		await transaction.send({ topic: this.topics.readings, messages: planted.map(record) });
		await end(transaction);
		await producer.disconnect();
	}

	/** The order to a witness of this topic, in one part. */
	order(more: Partial<WitnessOrder> = {}): WitnessOrder {
		return {
			bootstrap: this.bootstrap,
			topic: this.topics.readings,
			shards: SHARDS,
			devices: DEVICES,
			readingBytes: READING_BYTES,
			readings: READINGS,
			ledger: ledgerFile(),
			part: 0,
			parts: 1,
			...more,
		};
	}
}

/** What a device says of itself at the end. */
export interface DeviceWords {
	readonly produced?: number;
	readonly held?: number;
	readonly lostOverflow?: number;
	readonly acknowledged?: readonly number[];
}

/** A ledger in which every device has everything acknowledged, but for what is said otherwise. */
export function ledgerFile(others: Readonly<Record<number, DeviceWords>> = {}): string {
	const all = Array.from({ length: READINGS }, (_, index) => index);
	const rows = Array.from({ length: DEVICES }, (_, device) => {
		const { acknowledged = all, produced = READINGS, held = 0, lostOverflow = 0 } = others[device] ?? {};
		const numbers = [READINGS / 2, READINGS, produced, held, lostOverflow, 0].map(u32);
		const bits = Buffer.alloc(Math.ceil(READINGS / 8));
		for (const index of acknowledged) {
			bits[index >> 3] = (bits[index >> 3] ?? 0) | (1 << (index & 7));
		}
		return Buffer.concat([...numbers, bits]);
	});
	const header = JSON.stringify({ schema: "klais.ledger/1", devices: DEVICES, readings: READINGS });
	const file = join(newFolder(), "ledger.bin");
	writeFileSync(file, Buffer.concat([Buffer.from(`${header}\n`), ...rows]));
	return file;
}
