import { sipHash128 } from "./sip-hash.js";
import type { FrameSpecification, Row, Specification } from "./specification.js";

/** Numbers; 64-bit numbers as decimal text, bytes as hexadecimal. */
export type Fields = Record<string, number | string>;

/** The one master key that a gateway knows. */
export interface Keys {
	readonly masterKey: Buffer;
	readonly keyEpoch: number;
}

export type Opened = { readonly fields: Fields } | { readonly error: string };

const MAC_BYTES = 16;

/** The device's key, as the page derives it. */
export function deviceKey(masterKey: Buffer, device: number): Buffer {
	const message = Buffer.alloc(8);
	message.writeUInt32BE(device, 0);
	message.write("kdev", 4, "ascii");
	return sipHash128(masterKey, message);
}

function value(row: Row, bytes: Buffer): number | string {
	switch (row.type) {
		case "u8":
		case "u16":
		case "u32":
			return bytes.readUIntBE(0, bytes.length);
		case "u64":
			return bytes.readBigUInt64BE(0).toString();
		case "bytes":
		case "zero":
			return bytes.toString("hex");
		default:
			throw new Error(`the page has a type ${row.type}`);
	}
}

/** Decodes rows from `at` on, up to the MAC. Values are not looked at. */
function decode(
	rows: readonly Row[],
	bytes: Buffer,
	start: number,
	before: Fields,
): [Row, number | string][] {
	const fields = { ...before };
	let at = start;
	return rows
		.filter(({ type }) => type !== "mac")
		.map((row) => {
			const size =
				typeof row.bytes === "number"
					? row.bytes
					: Number(fields[row.bytes[0]]) * Number(fields[row.bytes[1]]);
			const decoded = value(row, bytes.subarray(at, at + size));
			at += size;
			fields[row.field] = decoded;
			return [row, decoded];
		});
}

function isAllowed(
	{ type, range }: Row,
	held: number | string,
	fields: Fields,
	flag: string | undefined,
): boolean {
	if (type === "zero") {
		return /^0*$/.test(String(held));
	}
	const [, most] = /^0 to (\d+)$/.exec(range) ?? [];
	const [, needed] = /^0 without `(\w+)`$/.exec(range) ?? [];
	const [, twin] = /^0 exactly if `(\w+)` is$/.exec(range) ?? [];
	if (most !== undefined) {
		return Number(held) <= Number(most);
	}
	if (needed !== undefined) {
		const announced = needed === flag && (Number(fields["flags"]) & 1) === 1;
		return announced || String(held) === "0";
	}
	if (twin !== undefined) {
		return (held === 0) === (fields[twin] === 0);
	}
	if (range !== "") {
		throw new Error(`the page has a range "${range}"`);
	}
	return true;
}

/** Whether the frame's size is one that its type can have, and that its own fields speak of. */
function fits(frame: FrameSpecification, page: Specification, bytes: Buffer): boolean {
	const open = frame.rows.find((row) => typeof row.bytes !== "number");
	if (open === undefined || typeof open.bytes === "number") {
		return bytes.length === frame.bytes;
	}
	if (bytes.length < frame.bytes || bytes.length > page.frameBytesMax) {
		return false;
	}
	const [count, each] = open.bytes.map((field) => {
		const { offset, bytes: size } = frame.rows.find((row) => row.field === field) as Row;
		return bytes.readUIntBE(offset as number, size as number);
	});
	return (count as number) * (each as number) === bytes.length - frame.bytes;
}

/** Reads a frame with the page's tables and in the order of its checks. */
export function openBySpecification(page: Specification, bytes: Buffer, keys: Keys): Opened {
	const headerBytes = page.header.reduce((sum, row) => sum + (row.bytes as number), 0);
	if (bytes.length < headerBytes + MAC_BYTES) {
		return { error: "truncated" };
	}
	const header: Fields = {};
	for (const [row, held] of decode(page.header, bytes, 0, {})) {
		header[row.field] = held;
	}
	if (header["version"] !== 1) {
		return { error: "version" };
	}
	const frame = page.frames.find(({ type }) => type === header["type"]);
	if (frame === undefined) {
		return { error: "type" };
	}
	if (header["length"] !== bytes.length || !fits(frame, page, bytes)) {
		return { error: "length" };
	}
	const held = decode(frame.rows, bytes, headerBytes, header);
	const named = held.filter(([{ type }]) => type !== "zero").map(([row, one]) => [row.field, one]);
	const fields: Fields = { ...header, ...Object.fromEntries(named) };
	const flagsKnown = frame.flag === undefined ? 0 : 1;
	const isFine = held.every(([row, one]) => isAllowed(row, one, fields, frame.flag));
	if ((Number(fields["flags"]) & ~flagsKnown) !== 0 || !isFine) {
		return { error: "field" };
	}
	if (fields["key_epoch"] !== keys.keyEpoch) {
		return { error: "key-epoch" };
	}
	const signed = bytes.subarray(0, bytes.length - MAC_BYTES);
	const mac = sipHash128(deviceKey(keys.masterKey, Number(fields["device"])), signed);
	return mac.equals(bytes.subarray(-MAC_BYTES)) ? { fields } : { error: "mac" };
}
