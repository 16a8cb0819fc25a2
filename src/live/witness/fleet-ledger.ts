import { createReadStream } from "node:fs";
import { z } from "zod";
import { parsed } from "../parsed.js";
import { rowBytes } from "./shard-account.js";

/** Longest first line of a ledger that anybody writes. */
const HEADER_BYTES_MAX = 4_096;
const NEWLINE = 10;
/** Six numbers of 32 bits come before a device's bitmap. */
const NUMBERS = 6;
const NUMBER_BYTES = 4;
const CHUNK_BYTES = 1 << 20;

const headerSchema = z.looseObject({
	schema: z.literal("klais.ledger/1"),
	devices: z.int().positive(),
	readings: z.int().positive(),
});

/** What one device says of its readings; `docs/fleet.md` describes the file. */
export interface DeviceLedger {
	readonly device: number;
	/** Everything below is acknowledged, per lane. */
	readonly liveMark: number;
	readonly backfillMark: number;
	/** By the world's own count. */
	readonly produced: number;
	readonly held: number;
	readonly lostOverflow: number;
	readonly lostVolatile: number;
	/** A bit for every reading that was acknowledged. Valid until the next device is asked for. */
	readonly acknowledged: Uint8Array;
}

/**
 * Reads a fleet's ledger device by device. Throws, in words, on a file that is none, not whole, or of another fleet:
 * `readings` is the most that a device may take.
 */
export async function* fleetLedger(
	file: string,
	{ devices, readings }: { readonly devices: number; readonly readings: number },
): AsyncIterable<DeviceLedger> {
	let rest: Buffer = Buffer.alloc(0);
	let header: z.output<typeof headerSchema> | undefined;
	let device = 0;
	for await (const chunk of createReadStream(file, { highWaterMark: CHUNK_BYTES })) {
		rest = rest.length === 0 ? (chunk as Buffer) : Buffer.concat([rest, chunk as Buffer]);
		if (header === undefined) {
			const end = rest.indexOf(NEWLINE);
			if (end < 0 && rest.length <= HEADER_BYTES_MAX) {
				continue;
			}
			header = parsed(headerSchema, rest.toString("utf8", 0, Math.max(0, end)), file);
			if (header.devices !== devices || header.readings !== readings) {
				throw new Error(`${file}: of ${header.devices} devices with up to ${header.readings} readings`);
			}
			rest = rest.subarray(end + 1);
		}
		const bytes = NUMBERS * NUMBER_BYTES + rowBytes(readings);
		let place = 0;
		for (; place + bytes <= rest.length; place += bytes, device += 1) {
			yield deviceLedger(device, rest.subarray(place, place + bytes));
		}
		rest = rest.subarray(place);
	}
	if (header === undefined || rest.length > 0 || device !== devices) {
		throw new Error(`${file}: the fleet's ledger ends too early, or too late: after ${device} devices`);
	}
}

function deviceLedger(device: number, row: Buffer): DeviceLedger {
	const number = (n: number) => row.readUInt32BE(n * NUMBER_BYTES);
	return {
		device,
		liveMark: number(0),
		backfillMark: number(1),
		produced: number(2),
		held: number(3),
		lostOverflow: number(4),
		lostVolatile: number(5),
		acknowledged: row.subarray(NUMBERS * NUMBER_BYTES),
	};
}
