import type { KafkaMessage } from "kafkajs";

/** The device, and its lane. Not the device alone: kafkajs takes a key of four zero bytes for the end of an aborted transaction. */
const KEY_BYTES = 5;
const LANES = ["live", "backfill"] as const;

/** A reading as the data topic has it; `docs/kafka.md` describes the record. */
export interface StoredReading {
	readonly device: number;
	readonly epoch: number;
	readonly lane: number;
	/** Number of the reading among its device's. */
	readonly index: number;
	readonly value: Buffer;
}

/** Why a record is no reading of this fleet in this partition. */
export type Malformation = "key" | "headers" | "no value" | "device" | "lane" | "partition";

/** The fleet and how it is spread. */
export interface Layout {
	/** Numbered from 0. */
	readonly devices: number;
	/** Partitions of the data topic: a device's is its number modulo this. */
	readonly shards: number;
}

/** Reads a record of a partition; in one word, what is wrong with it. */
export function storedReading(
	{ key, value, headers = {} }: KafkaMessage,
	partition: number,
	{ devices, shards }: Layout,
): StoredReading | Malformation {
	const { d, e, l, s, t } = headers;
	const areThere = isOf(d, 4) && isOf(e, 2) && isOf(l, 1) && isOf(s, 4) && isOf(t, 8);
	if (!areThere) {
		return "headers";
	}
	const device = d.readUInt32BE();
	const lane = l.readUInt8();
	if (!isOf(key, KEY_BYTES) || key.readUInt32BE() !== device || key.readUInt8(4) !== lane) {
		return "key";
	}
	if (value === null) {
		return "no value";
	}
	if (device >= devices) {
		return "device";
	}
	if (lane >= LANES.length) {
		return "lane";
	}
	if (device % shards !== partition) {
		return "partition";
	}
	return { device, lane, epoch: e.readUInt16BE(), index: s.readUInt32BE(), value };
}

function isOf(bytes: unknown, length: number): bytes is Buffer {
	return Buffer.isBuffer(bytes) && bytes.length === length;
}
