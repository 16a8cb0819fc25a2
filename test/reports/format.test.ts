import { describe, expect, it } from "vitest";
import {
	formatBytes,
	formatCount,
	formatExact,
	formatList,
	formatMicros,
	formatNoun,
	formatPercent,
	formatRate,
	formatRatio,
	formatSeconds,
} from "../../src/reports/format.js";
import { sparkline } from "../../src/reports/sparkline.js";

describe("numbers", () => {
	it.each([
		[0, "0"],
		[7, "7"],
		[1.1234, "1.12"],
		[9_999, "9,999"],
		[10_000, "10 k"],
		[42_749_000, "42.7 M"],
		[1_074_065, "1.07 M"],
		[999_499, "999 k"],
		[999_600, "1 M"],
		[9_996_000, "10 M"],
		[-42_749_000, "-42.7 M"],
		[9e15, "9 P"],
		[Number.NaN, "–"],
	])("count %d", (value, text) => expect(formatCount(value)).toBe(text));

	it.each([
		[0, "0 s"],
		[0.000_000_5, "0.5 µs"],
		[0.000_85, "850 µs"],
		[0.23, "230 ms"],
		[0.999_6, "1 s"],
		[42, "42 s"],
		[90, "90 s"],
		[450, "7.5 min"],
		[7_199, "2 h"],
		[72_360, "20.1 h"],
		[691_200, "192 h"],
		[72_000_000, "20 k h"],
	])("seconds %d", (value, text) => expect(formatSeconds(value)).toBe(text));

	it.each([
		[1.02, "1.02x"],
		[1.0349, "1.03x"],
		[0.5, "0.50x"],
		[123.4, "123x"],
		[12_345.6, "12.3 kx"],
	])("ratio %d", (value, text) => expect(formatRatio(value)).toBe(text));

	it.each([
		[0, "0 %"],
		[0.000_1, "< 0.1 %"],
		[0.964, "96.4 %"],
		[0.9999, "> 99.9 %"],
		[1, "100 %"],
		[1.2, "120 %"],
	])("share %d", (value, text) => expect(formatPercent(value)).toBe(text));

	it("the rest", () => {
		expect(formatExact(1_074_065)).toBe("1,074,065");
		expect(formatExact(-1_234.5)).toBe("-1,234.5");
		expect(formatRate(2_500)).toBe("2,500/s");
		expect(formatBytes(612_368_384)).toBe("584 MiB");
		expect(formatBytes(512)).toBe("512 B");
		expect(formatMicros(230_000)).toBe("230 ms");
		expect(formatNoun(1, "reading")).toBe("1 reading");
		expect(formatNoun(2, "reading")).toBe("2 readings");
		expect(formatList([])).toBe("");
		expect(formatList(["a"])).toBe("a");
		expect(formatList(["a", "b", "c"])).toBe("a, b and c");
	});
});

describe("sparkline", () => {
	it("keeps peaks, marks missing data and survives nothing", () => {
		expect(sparkline([0, 0, 0, 8, 0, 0], 3, 8)).toBe("▁█▁");
		expect(sparkline([null, 1], 8, 1)).toBe("·█");
		expect(sparkline([], 8, 1)).toBe("");
		expect(sparkline([0, 0], 8, 0)).toBe("▁▁");
	});
});
