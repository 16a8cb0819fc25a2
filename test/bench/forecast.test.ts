import { describe, expect, it } from "vitest";
import {
	type ForecastLine,
	forecastResult,
	parseForecastLines,
	TUNED_ON,
} from "../../src/cli/bench/forecast-figures.js";

const LINE: ForecastLine = {
	trace: "city",
	forecaster: "ours",
	tuned: false,
	part: false,
	peaks: 3,
	seenBefore: 0.1,
	peakError: 0.2,
	busyError: 0.5,
	leadMinutes: 12,
	coverage90: 0.9,
	busyCoverage90: 0.8,
	falseAlarmsPerDay: null,
};

function notesOf(...lines: ForecastLine[]): string {
	return forecastResult(lines).notes.join("\n");
}

describe("the forecasters' figures", () => {
	it("holds ours against the best of the simple ones", () => {
		const simple = [0.5, 0.41].map((peakError) => ({
			...LINE,
			forecaster: `simple ${peakError}`,
			peakError,
		}));
		expect(notesOf(LINE, ...simple)).toContain("city: peak error 0.49 of the best simple forecaster's");
		expect(notesOf(LINE, ...simple)).toMatch(/wanted: met; .* wanted: met\./);
		const worse = { ...LINE, peakError: 0.3, coverage90: 0.84 };
		expect(notesOf(worse, ...simple)).toMatch(
			/peak error 0\.73 .* wanted: MISSED; .*84\.0 %.* wanted: MISSED\./,
		);
	});

	it("does not judge on the trace that it was fitted on, nor on parts", () => {
		const tuned = { ...LINE, trace: TUNED_ON, tuned: true };
		expect(notesOf(tuned, { ...LINE, part: true, trace: "city, day 1" })).not.toContain("wanted");
	});

	it("records what is known and nothing else", () => {
		const { records, tables } = forecastResult([LINE, { ...LINE, part: true, trace: "city, day 1" }]);
		expect(records.map(({ name }) => name)).toEqual([
			"forecast, city, ours: peak error",
			"forecast, city, ours: busy error",
			"forecast, city, ours: lead time",
			"forecast, city, ours: coverage of the 90 % band",
			"forecast, city, ours: coverage when busy",
		]);
		expect(records.map(({ samples }) => samples)).toEqual([[0.2], [0.5], [12], [0.9], [0.8]]);
		expect(tables.map(({ rows }) => rows.length)).toEqual([1, 1]);
	});

	it("refuses lines that are none", () => {
		expect(parseForecastLines(`${JSON.stringify(LINE)}\n`)).toEqual([LINE]);
		expect(() => parseForecastLines("")).toThrow("no figure");
		expect(() => parseForecastLines(JSON.stringify({ ...LINE, peakError: "low" }))).toThrow();
	});
});
