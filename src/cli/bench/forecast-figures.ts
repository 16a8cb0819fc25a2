import { z } from "zod";
import type { BenchRecord } from "../../record/run-record.js";
import { machine } from "./environment.js";
import type { GroupResult, TableSpec } from "./group.js";

/** The trace that every forecaster was fitted on: its figures are not judged. */
export const TUNED_ON = "storm-2021-01-26";

const OURS = "ours";
/** Of the best simple forecaster's peak error. */
const WANTED_SHARE = 0.5;
const WANTED_COVERAGE = { low: 0.85, high: 0.95 } as const;

const schema = z.strictObject({
	trace: z.string().min(1),
	forecaster: z.string().min(1),
	/** Fitted on this trace. */
	tuned: z.boolean(),
	/** Those who fell silent on one day alone. */
	part: z.boolean(),
	peaks: z.number(),
	/** Median of the load ten minutes before a peak, over the peak. */
	seenBefore: z.number().nullable(),
	peakError: z.number().nullable(),
	busyError: z.number().nullable(),
	leadMinutes: z.number().nullable(),
	coverage90: z.number().nullable(),
	busyCoverage90: z.number().nullable(),
	falseAlarmsPerDay: z.number().nullable(),
});

/** What one forecaster did on one trace; `docs/forecast.md` defines the figures. */
export type ForecastLine = z.infer<typeof schema>;

/** What the Rust benchmark printed, one JSON object a line. Throws when there is none, or a bad one. */
export function parseForecastLines(stdout: string): ForecastLine[] {
	const lines = stdout.split("\n").filter((text) => text.startsWith("{"));
	if (lines.length === 0) {
		throw new Error("the Rust benchmark printed no figure");
	}
	return lines.map((text) => schema.parse(JSON.parse(text)));
}

/** Tables, records, and what became of the wanted numbers: on traces that nothing was fitted on. */
export function forecastResult(lines: readonly ForecastLine[]): GroupResult {
	const whole = lines.filter(({ part }) => !part);
	return {
		records: whole.flatMap(recordsOf),
		tables: [
			table("Forecasters, ten minutes ahead", whole),
			table(
				"The same by cohort: those who fell silent on one day, alone",
				lines.filter(({ part }) => part),
			),
		].filter(({ rows }) => rows.length > 0),
		notes: [
			`Fitted on ${TUNED_ON}: its rows are marked *, and not judged. The list of the same outage is no independent one.`,
			"Peak and busy errors are shares of the load; docs/forecast.md defines the figures.",
			...verdicts(whole),
		],
		failures: [],
	};
}

const FIGURES = [
	["peakError", "peak error", "share", "lower"],
	["busyError", "busy error", "share", "lower"],
	["leadMinutes", "lead time", "min", "higher"],
	["coverage90", "coverage of the 90 % band", "share", "higher"],
	["busyCoverage90", "coverage when busy", "share", "higher"],
	["falseAlarmsPerDay", "false alarms", "per day", "lower"],
] as const;

function recordsOf(line: ForecastLine): BenchRecord[] {
	return FIGURES.flatMap(([key, what, unit, better]) => {
		const value = line[key];
		const name = `forecast, ${line.trace}, ${line.forecaster}: ${what}`;
		const environment = {
			...machine(),
			fittedOn: TUNED_ON,
			peaks: String(line.peaks),
			seenBefore: seenBefore(line),
		};
		return value === null ? [] : [{ name, unit, better, samples: [value], environment }];
	});
}

function table(title: string, lines: readonly ForecastLine[]): TableSpec {
	return {
		title,
		head: ["", "forecaster", "peaks", "seen before", ...FIGURES.map(([, what]) => what)],
		rows: lines.map((line) => [
			`${line.trace}${line.tuned ? " *" : ""}`,
			line.forecaster,
			String(line.peaks),
			seenBefore(line),
			...FIGURES.map(([key]) => line[key]?.toFixed(key === "leadMinutes" ? 1 : 2) ?? ""),
		]),
	};
}

/** How much of a peak was there to see ten minutes before. */
function seenBefore(line: ForecastLine): string {
	return line.seenBefore?.toFixed(2) ?? "";
}

function verdicts(lines: readonly ForecastLine[]): string[] {
	const judged = lines.filter(({ tuned }) => !tuned);
	return judged
		.filter(({ forecaster }) => forecaster === OURS)
		.map((ours) => {
			const simple = judged.filter(({ trace, forecaster }) => trace === ours.trace && forecaster !== OURS);
			const best = Math.min(...simple.map(({ peakError }) => peakError ?? Number.POSITIVE_INFINITY));
			const share = (ours.peakError ?? Number.POSITIVE_INFINITY) / best;
			const { low, high } = WANTED_COVERAGE;
			const covered = ours.coverage90 ?? 0;
			return (
				`${ours.trace}: peak error ${share.toFixed(2)} of the best simple forecaster's, at most ${WANTED_SHARE} wanted: ${verdict(share <= WANTED_SHARE)}; ` +
				`the 90 % band covers ${(covered * 100).toFixed(1)} %, 85 to 95 wanted: ${verdict(low <= covered && covered <= high)}.`
			);
		});
}

function verdict(isMet: boolean): string {
	return isMet ? "met" : "MISSED";
}
