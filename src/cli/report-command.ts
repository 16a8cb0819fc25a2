import { readFile } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { readResults } from "../record/results-schema.js";
import { RESULTS_FILE_NAME } from "../record/write-results.js";
import { ok } from "../units/result.js";
import { EXIT, type ExitCode } from "./exit-codes.js";
import { FlagReader } from "./flags.js";
import { publishHistory } from "./publish-history.js";
import { DEFAULT_REPORTERS, REPORTER_NAMES } from "./reporters.js";
import { print, refuse } from "./talk.js";
import { printSummary, writeReports } from "./write-reports.js";

/** The flags of `klais report`. */
export interface ReportFlags {
	readonly out?: string;
	readonly reporter?: readonly string[];
	readonly history?: string;
	readonly date?: string;
}

/** `klais report`: renders a stored record again. It judges nothing: a record of a failed run renders as well. */
export async function reportCommand(file: string, flags: ReportFlags): Promise<ExitCode> {
	const reader = new FlagReader();
	const chosen = reader.words("--reporter", flags.reporter, REPORTER_NAMES) ?? DEFAULT_REPORTERS;
	const out = reader.text("--out", flags.out ?? folderOf(file), "a folder");
	const historyFile = flags.history === undefined ? null : reader.text("--history", flags.history, "a file");
	const date = dateOf(flags, reader);
	if (reader.errors.length > 0) {
		return refuse(reader.errors);
	}
	const results = await readResults(file);
	if (!results.ok) {
		return refuse([results.error]);
	}
	const reporters = new Set([...chosen, "json" as const]);
	const stored = await readFile(file);
	const history = historyFile === null ? ok([]) : await publishHistory(results.value, historyFile, date);
	if (!history.ok) {
		return refuse([history.error]);
	}
	const report = await writeReports(results.value, { out, reporters, stored, history: history.value });
	if (!report.ok) {
		return refuse([report.error]);
	}
	await printSummary(results.value, reporters);
	print(report.value);
	return EXIT.passed;
}

/** The day that a history notes: the one given, or today by the universal clock. */
function dateOf({ date, history }: ReportFlags, reader: FlagReader): string {
	const today = new Date().toISOString().slice(0, 10);
	if (date === undefined) {
		return today;
	}
	if (history === undefined) {
		reader.reject("--date", "is the day that --history notes: give both");
	} else if (!/^\d{4}-\d{2}-\d{2}$/.test(date) || Number.isNaN(Date.parse(date))) {
		reader.reject("--date", `expected a day such as ${today}, found ${JSON.stringify(date.slice(0, 60))}`);
	}
	return date;
}

/** Beside the record, where that is its own folder; else in one named after it, so that no other report is replaced. */
function folderOf(file: string): string {
	return basename(file) === RESULTS_FILE_NAME ? dirname(file) : file.replace(/(\.json)?$/, "-report");
}
