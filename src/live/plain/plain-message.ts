import type { Message } from "kafkajs";
import type { PlainReading } from "./plain-bridge.js";

const LIVE_LANE = 0;
/** Plain devices know none. */
const EPOCH = 0;
const KEY_BYTES = 5;

/** A reading as the data topic has it, which `docs/kafka.md` describes: all on one lane, under one epoch. */
export function messageOf({ device, index, takenMillis, value }: PlainReading, partitions: number): Message {
	const key = Buffer.alloc(KEY_BYTES);
	key.writeUInt32BE(device);
	const taken = Buffer.alloc(8);
	taken.writeBigUInt64BE(BigInt(takenMillis));
	return {
		key,
		value,
		partition: device % partitions,
		headers: {
			d: key.subarray(0, 4),
			e: Buffer.from([0, EPOCH]),
			l: Buffer.from([LIVE_LANE]),
			s: u32(index),
			t: taken,
		},
	};
}

function u32(value: number): Buffer {
	const bytes = Buffer.alloc(4);
	bytes.writeUInt32BE(value);
	return bytes;
}
