import { z } from "zod";
import { formatDuration, MAX_DURATION_MICROS, parseDuration } from "../units/duration.js";
import { type Micros, micros } from "../units/micros.js";
import { parseBitRate, parsePpm, parseRate, parseShare, parseWhole } from "../units/quantity.js";
import type { Result } from "../units/result.js";

/** A map in which unknown keys are errors. The message carries the known keys, for the suggestion (see schema-errors). */
export function strictMap<Shape extends z.ZodRawShape>(shape: Shape) {
	const known = Object.keys(shape).join(" ");
	return z.strictObject(shape, {
		error: (issue) => (issue.code === "unrecognized_keys" ? known : undefined),
	});
}

/** A text or a number that `read` turns into a number within a range; `what` names it for messages. */
function quantity(
	what: string,
	read: (value: string | number) => Result<number, string>,
	check: (value: number) => string | undefined,
	example: string | number,
) {
	return z
		.union([z.string(), z.number()], { error: `expected ${what}` })
		.transform((value, context) => {
			const parsed = read(value);
			const problem = parsed.ok ? check(parsed.value) : parsed.error;
			if (problem !== undefined) {
				context.addIssue({ code: "custom", message: problem });
				return z.NEVER;
			}
			return parsed.ok ? parsed.value : z.NEVER;
		})
		.meta({ description: what, examples: [example] });
}

/** A duration of `min` to `max` microseconds, inclusive. */
export function duration({ min = 0, max = MAX_DURATION_MICROS }: { min?: number; max?: number } = {}) {
	const range = `from ${formatDuration(micros(min))} to ${formatDuration(micros(max))}`;
	const read = (value: string | number): Result<number, string> => parseDuration(String(value));
	const check = (value: number): string | undefined =>
		value >= min && value <= max
			? undefined
			: `expected a duration ${range}, found ${formatDuration(micros(value))}`;
	return quantity(`a duration ${range}, such as 15m or 80ms`, read, check, "15m").transform(
		(value): Micros => micros(value),
	);
}

/** A whole number from `min` to `max`, inclusive. */
export function whole(min: number, max: number) {
	const range = `a whole number from ${min.toLocaleString("en-US")} to ${max.toLocaleString("en-US")}`;
	return quantity(range, parseWhole, inRange(range, min, max), Math.max(min, 1));
}

/** Events per second, at least 1. */
export function rate() {
	const range = "a rate from 1/s to 1,000,000,000/s";
	return quantity(range, parseRate, inRange(range, 1, 1_000_000_000), "2500/s");
}

/** Bits per second; 0 for no limit. */
export function bitRate() {
	return quantity("a bit rate such as 375kbit/s", parseBitRate, () => undefined, "375kbit/s");
}

/** A chance in parts per million. */
export function chance() {
	return quantity("a chance such as 1% or 500ppm", parsePpm, () => undefined, "1%");
}

/** A share of the fleet, above 0 and at most 1. */
export function share(of = "the fleet") {
	return quantity(`a share of ${of}, such as 0.6 or 60%`, parseShare, () => undefined, "60%");
}

/** A line of text of 1 to `max` characters. */
export function text(max: number) {
	return z.string().trim().min(1, "expected some text").max(max, `expected at most ${max} characters`);
}

function inRange(range: string, min: number, max: number): (value: number) => string | undefined {
	return (value) =>
		value >= min && value <= max ? undefined : `expected ${range}, found ${value.toLocaleString("en-US")}`;
}
