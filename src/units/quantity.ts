import { err, ok, type Result } from "./result.js";

/** Reads a whole number: `250`, `10_000` or `1e6`. The error says what was expected. */
export function parseWhole(value: string | number): Result<number, string> {
	const number = typeof value === "number" ? value : groupedNumber(value);
	if (number === undefined || !Number.isSafeInteger(number)) {
		return err(`expected a whole number, found ${shown(value)}`);
	}
	return ok(number);
}

/** Reads a rate per second: `2500/s`, or the bare number. */
export function parseRate(value: string | number): Result<number, string> {
	const number = typeof value === "number" ? value : groupedNumber(value.replace(/\s*\/\s*s(ec)?$/, ""));
	if (number === undefined || !Number.isSafeInteger(number)) {
		return err(`expected a whole rate per second such as 2500/s, found ${shown(value)}`);
	}
	return ok(number);
}

const BIT_RATE = /^([\d_]+(?:\.\d+)?)\s*([kMG]?)bit\/s$/;
const BITS_OF_PREFIX: Readonly<Record<string, number>> = { "": 1, k: 1e3, M: 1e6, G: 1e9 };

/** Reads a bit rate: `375kbit/s`, `1Mbit/s`, or the bare number of bits per second; 0 for no limit. */
export function parseBitRate(value: string | number): Result<number, string> {
	let bits: number | undefined;
	if (typeof value === "number") {
		bits = value;
	} else {
		const [, digits, prefix] = BIT_RATE.exec(value.trim()) ?? [];
		const number = groupedNumber(digits ?? value);
		bits = number === undefined ? undefined : number * (BITS_OF_PREFIX[prefix ?? ""] ?? Number.NaN);
	}
	if (bits === undefined || !Number.isSafeInteger(bits) || bits < 0) {
		return err(`expected a bit rate such as 375kbit/s, found ${shown(value)}`);
	}
	return ok(bits);
}

const CHANCE = /^(\d{1,7}(?:\.\d{1,6})?)\s*(%|ppm)$/;

/** Reads a chance as whole parts per million, 0 to 1,000,000: `1%`, `500ppm`, or 0. */
export function parsePpm(value: string | number): Result<number, string> {
	if (value === 0 || value === "0") {
		return ok(0);
	}
	const [, digits, unit] = CHANCE.exec(String(value).trim()) ?? [];
	if (digits === undefined) {
		return err(`expected a chance such as 1% or 500ppm, found ${shown(value)}`);
	}
	// 2.3 * 10,000 is not whole in binary: rounding to a thousandth of a ppm tells rounding noise from real fractions.
	const ppm = Math.round(Number(digits) * (unit === "%" ? 10_000 : 1) * 1_000) / 1_000;
	if (!Number.isInteger(ppm)) {
		return err(`the chance ${shown(value)} is finer than one part per million`);
	}
	return ppm <= 1_000_000 ? ok(ppm) : err(`expected a chance from 0 to 100%, found ${shown(value)}`);
}

/** Reads a share of the whole, above 0 and at most 1: `0.6` or `60%`. */
export function parseShare(value: string | number): Result<number, string> {
	const [, percent] = /^(\d{1,3}(?:\.\d{1,6})?)\s*%$/.exec(String(value).trim()) ?? [];
	const share = percent === undefined ? Number(value) : Number(percent) / 100;
	if (typeof value === "string" && value.trim() === "") {
		return err("expected a share of the fleet above 0 and at most 1, such as 0.6 or 60%, found nothing");
	}
	return share > 0 && share <= 1
		? ok(share)
		: err(`expected a share of the fleet above 0 and at most 1, such as 0.6 or 60%, found ${shown(value)}`);
}

function groupedNumber(text: string): number | undefined {
	return /^-?\d{1,3}(_\d{3})+$|^-?\d+(\.\d+)?(e\d{1,2})?$/.test(text.trim())
		? Number(text.replaceAll("_", ""))
		: undefined;
}

function shown(value: string | number): string {
	const text = String(value);
	const short = text.length > 60 ? `${text.slice(0, 60)}…` : text;
	return typeof value === "number" ? short : JSON.stringify(short);
}
