import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatDuration, MAX_DURATION_MICROS, parseDuration } from "../../src/units/duration.js";
import { micros } from "../../src/units/micros.js";
import { parseBitRate, parsePpm, parseRate, parseShare, parseWhole } from "../../src/units/quantity.js";
import type { Result } from "../../src/units/result.js";

function outcome<T>(result: Result<T, string>): T | string {
	return result.ok ? result.value : result.error;
}

describe("durations", () => {
	test.each([
		["20us", 20],
		["20µs", 20],
		["80ms", 80_000],
		["15m", 900_000_000],
		["15min", 900_000_000],
		["1.5h", 5_400_000_000],
		["0.1s", 100_000],
		["7d 12h", 648_000_000_000],
		["1h30m", 5_400_000_000],
		[" 49d ", MAX_DURATION_MICROS],
		["0", 0],
		["0s", 0],
	])("%s", (text, expected) => {
		expect(outcome(parseDuration(text))).toBe(expected);
	});

	test.each([
		["15", "the unit is missing"],
		["", "expected a duration"],
		["m", "expected a duration"],
		["15 fortnights", "unknown unit"],
		["15M", "expected a duration"],
		["-5m", "expected a duration"],
		["0.0000001s", "finer than one microsecond"],
		["50d", "longer than the limit of 49 days"],
		["1e3s", "unknown unit"],
		["9".repeat(99), "expected a duration"],
		["1m".repeat(1_000), "expected a duration"],
	])("refuses %j", (text, message) => {
		expect(outcome(parseDuration(text))).toContain(message);
	});

	test("what is written is read back", () => {
		fc.assert(
			fc.property(fc.integer({ min: 0, max: MAX_DURATION_MICROS }), (value) => {
				expect(outcome(parseDuration(formatDuration(micros(value))))).toBe(value);
			}),
		);
	});
});

describe("quantities", () => {
	test.each([
		[parseWhole("10_000"), 10_000],
		[parseWhole(1e6), 1_000_000],
		[parseRate("2500/s"), 2_500],
		[parseRate(" 25_000 / s"), 25_000],
		[parseRate(80), 80],
		[parseBitRate("375kbit/s"), 375_000],
		[parseBitRate("62.5kbit/s"), 62_500],
		[parseBitRate("1Mbit/s"), 1_000_000],
		[parseBitRate(0), 0],
		[parsePpm("2.3%"), 23_000],
		[parsePpm("500ppm"), 500],
		[parsePpm(0), 0],
		[parseShare("60%"), 0.6],
		[parseShare(1), 1],
	])("case %#", (result, expected) => {
		expect(outcome<number>(result)).toBe(expected);
	});

	test.each([
		[parseWhole("1.5"), "whole number"],
		[parseWhole("1_00"), "whole number"],
		[parseWhole(Number.NaN), "whole number"],
		[parseWhole(""), "whole number"],
		[parseRate("2500/h"), "such as 2500/s"],
		[parseRate("0.5/s"), "such as 2500/s"],
		[parseBitRate("375kb"), "such as 375kbit/s"],
		[parseBitRate(-1), "such as 375kbit/s"],
		[parsePpm(0.01), "such as 1%"],
		[parsePpm("101%"), "from 0 to 100%"],
		[parsePpm("0.00001%"), "finer than one part per million"],
		[parseShare(0), "above 0"],
		[parseShare("101%"), "at most 1"],
		[parseShare(""), "found nothing"],
		[parseShare("half"), "share of the fleet"],
	])("refusal %#", (result, message) => {
		expect(outcome<number>(result)).toContain(message);
	});
});
