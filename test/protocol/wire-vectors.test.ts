import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { ROOT } from "../docs/pages.js";
import { deviceKey, type Fields, type Keys, openBySpecification } from "./open-by-specification.js";
import { sipHash128 } from "./sip-hash.js";
import { type FrameSpecification, readSpecification } from "./specification.js";

interface Vector {
	readonly name: string;
	readonly type: string;
	readonly masterKey: string;
	readonly keyEpoch: number;
	readonly device: number;
	readonly hex: string;
}

interface Vectors {
	readonly schema: string;
	readonly sipHash24x128: readonly { readonly key: string; readonly message: string; readonly tag: string }[];
	readonly valid: readonly (Vector & { readonly deviceKey: string; readonly fields: Fields })[];
	readonly invalid: readonly (Vector & { readonly error: string })[];
}

const page = readSpecification();
const vectors: Vectors = JSON.parse(readFileSync(join(ROOT, "native", "vectors", "wire-v1.json"), "utf8"));
const bytesOf = ({ hex }: Vector) => Buffer.from(hex, "hex");
const keysOf = ({ masterKey, keyEpoch }: Vector): Keys => ({
	masterKey: Buffer.from(masterKey, "hex"),
	keyEpoch,
});

describe("SipHash-2-4-128", () => {
	// Of the authors' reference vectors.
	test.each([
		["", "a3817f04ba25a8e66df67214c7550293"],
		["00", "da87c1d86b99af44347659119b22fc45"],
	])("of the reference message '%s'", (message, tag) => {
		const key = Buffer.from("000102030405060708090a0b0c0d0e0f", "hex");
		expect(sipHash128(key, Buffer.from(message, "hex")).toString("hex")).toBe(tag);
	});

	test.each(vectors.sipHash24x128)("of '$message'", ({ key, message, tag }) => {
		const hash = sipHash128(Buffer.from(key, "hex"), Buffer.from(message, "hex"));
		expect(hash.toString("hex")).toBe(tag);
	});
});

describe("the page's tables", () => {
	test("the header is the first 12 bytes", () => {
		expect(page.header.map(({ field }) => field)).toEqual([
			"version",
			"type",
			"length",
			"device",
			"session",
			"key_epoch",
			"flags",
		]);
		expect(end({ name: "", type: 0, bytes: 0, flag: undefined, rows: page.header, hexdumps: [] }, 0)).toBe(
			12,
		);
	});

	test.each(page.frames)("$name leaves no byte out and ends with its MAC", (frame) => {
		expect(end(frame, 12)).toBe(frame.bytes);
		expect(frame.rows.at(-1)).toMatchObject({ type: "mac", bytes: 16 });
		expect(frame.bytes).toBeLessThanOrEqual(page.frameBytesMax);
	});

	test("types are 1 to 8", () => {
		expect(page.frames.map(({ type }) => type)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
	});

	test.each(page.frames)("the hexdump of $name is a vector", ({ name, hexdumps }) => {
		expect(hexdumps.length).toBe(1);
		const [dump] = hexdumps as [Buffer];
		expect(vectors.valid.find(({ hex }) => hex === dump.toString("hex"))?.type).toBe(name);
	});

	test("errors are those of the vectors", () => {
		const told = new Set(vectors.invalid.map(({ error }) => error));
		expect([...told].sort()).toEqual([...page.errors].sort());
	});

	test("no answer is longer than what it answers", () => {
		const sizes = Object.fromEntries(page.frames.map(({ name, bytes }) => [name, bytes]));
		expect(page.answers.map(({ frame }) => frame.name)).toEqual(["HELLO", "DATA"]);
		for (const { frame, answers } of page.answers) {
			expect(frame.bytes).toBe(sizes[frame.name]);
			expect(answers.length).toBeGreaterThan(0);
			for (const { name, bytes } of answers) {
				expect(bytes).toBe(sizes[name]);
				expect(bytes, `${name} answers ${frame.name}`).toBeLessThanOrEqual(frame.bytes);
			}
		}
		const named = page.answers.flatMap(({ frame, answers }) => [frame, ...answers].map(({ name }) => name));
		expect(named.sort()).toEqual(Object.keys(sizes).sort());
	});
});

describe("valid vectors", () => {
	test.each(vectors.valid)("$name", (vector) => {
		const bytes = bytesOf(vector);
		expect(openBySpecification(page, bytes, keysOf(vector))).toEqual({ fields: vector.fields });
		expect(page.frames.find(({ type }) => type === vector.fields["type"])?.name).toBe(vector.type);
		expect(vector.fields["device"]).toBe(vector.device);
		expect(deviceKey(keysOf(vector).masterKey, vector.device).toString("hex")).toBe(vector.deviceKey);
	});

	test.each(vectors.valid)("$name, cut at any byte", (vector) => {
		const bytes = bytesOf(vector);
		for (let left = 0; left < bytes.length; left++) {
			const error = left < 28 ? "truncated" : "length";
			expect(openBySpecification(page, bytes.subarray(0, left), keysOf(vector))).toEqual({ error });
		}
	});

	test.each(page.frames)("$name has some, with its flag and without", ({ name, flag }) => {
		const flags = vectors.valid.filter(({ type }) => type === name).map(({ fields }) => fields["flags"]);
		expect(flags.length).toBeGreaterThanOrEqual(3);
		expect([...new Set(flags)].sort()).toEqual(flag === undefined ? [0] : [0, 1]);
	});
});

describe("invalid vectors", () => {
	test.each(vectors.invalid)("$name: $error", (vector) => {
		const opened = openBySpecification(page, bytesOf(vector), keysOf(vector));
		expect(opened).toEqual({ error: vector.error });
	});
});

/** Where the rows end that start at `start`; each must begin where the one before ended. */
function end({ rows }: FrameSpecification, start: number): number {
	let at = start;
	let isFixed = true;
	for (const { offset, bytes } of rows) {
		expect(offset).toBe(isFixed ? at : undefined);
		isFixed &&= typeof bytes === "number";
		at += typeof bytes === "number" ? bytes : 0;
	}
	return at;
}
