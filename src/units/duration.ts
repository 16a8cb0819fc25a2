import { MICROS_PER_MILLISECOND, MICROS_PER_SECOND, type Micros, micros } from "./micros.js";
import { err, ok, type Result } from "./result.js";

/** Longest duration that any part of the software takes: 49 days, so that milliseconds fit 32 bits. */
export const MAX_DURATION_MICROS: Micros = micros(49 * 86_400 * MICROS_PER_SECOND);

/** Units from largest to smallest, as they are written. */
const UNITS = [
	["d", 86_400 * MICROS_PER_SECOND],
	["h", 3_600 * MICROS_PER_SECOND],
	["m", 60 * MICROS_PER_SECOND],
	["s", MICROS_PER_SECOND],
	["ms", MICROS_PER_MILLISECOND],
	["us", 1],
] as const;

const MICROS_OF_UNIT = new Map<string, number>([
	...UNITS,
	["min", 60 * MICROS_PER_SECOND],
	["µs", 1],
	["μs", 1],
]);

const WHOLE = /^(?:\d{1,15}(?:\.\d{1,9})?\s*[a-zµμ]+\s*)+$/;
const PART = /(\d{1,15})(?:\.(\d{1,9}))?\s*([a-zµμ]+)/g;

/**
 * Reads a duration such as `15m`, `1.5h`, `7d 12h`, `80ms` or `20us` (`0` alone needs no unit).
 * The error says what was expected; it names no key and no place.
 */
export function parseDuration(text: string): Result<Micros, string> {
	const trimmed = text.trim();
	if (trimmed === "0") {
		return ok(micros(0));
	}
	if (trimmed.length > 100 || !WHOLE.test(trimmed)) {
		const hint = /^\d+(\.\d+)?$/.test(trimmed) ? ": the unit is missing (d, h, m, s, ms or us)" : "";
		return err(`expected a duration such as 15m, 1.5h, 7d or 80ms, found ${quote(trimmed)}${hint}`);
	}
	let total = 0;
	for (const [, whole = "", fraction = "", unit = ""] of trimmed.matchAll(PART)) {
		const size = MICROS_OF_UNIT.get(unit);
		if (size === undefined) {
			return err(`unknown unit ${quote(unit)} in the duration ${quote(trimmed)}: use d, h, m, s, ms or us`);
		}
		// The fraction is scaled as an integer: 0.1 s must be 100,000 us to the last digit.
		const scaledFraction = (Number(fraction || "0") * size) / 10 ** fraction.length;
		if (!Number.isInteger(scaledFraction)) {
			return err(`the duration ${quote(trimmed)} is finer than one microsecond`);
		}
		total += Number(whole) * size + scaledFraction;
		if (total > MAX_DURATION_MICROS) {
			return err(`the duration ${quote(trimmed)} is longer than the limit of 49 days`);
		}
	}
	return ok(micros(total));
}

/** Writes a duration so that `parseDuration` reads the same value: `1h 30m`, `250ms`, `0s`. */
export function formatDuration(value: Micros): string {
	const parts: string[] = [];
	let rest: number = value;
	for (const [unit, size] of UNITS) {
		const count = Math.floor(rest / size);
		rest -= count * size;
		if (count > 0) {
			parts.push(`${count}${unit}`);
		}
	}
	return parts.length === 0 ? "0s" : parts.join(" ");
}

function quote(text: string): string {
	return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
}
