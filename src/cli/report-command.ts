import { readFile } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { readResults } from "../record/results-schema.js";
import { RESULTS_FILE_NAME } from "../record/write-results.js";
import { EXIT, type ExitCode } from "./exit-codes.js";
import { FlagReader } from "./flags.js";
import { DEFAULT_REPORTERS, REPORTER_NAMES } from "./reporters.js";
import { print, refuse } from "./talk.js";
import { printSummary, writeReports } from "./write-reports.js";

/** The flags of `klais report`. */
export interface ReportFlags {
	readonly out?: string;
	readonly reporter?: readonly string[];
}

/** `klais report`: renders a stored record again. It judges nothing: a record of a failed run renders as well. */
export async function reportCommand(file: string, flags: ReportFlags): Promise<ExitCode> {
	const reader = new FlagReader();
	const chosen = reader.words("--reporter", flags.reporter, REPORTER_NAMES) ?? DEFAULT_REPORTERS;
	const out = reader.text("--out", flags.out ?? folderOf(file), "a folder");
	if (reader.errors.length > 0) {
		return refuse(reader.errors);
	}
	const results = await readResults(file);
	if (!results.ok) {
		return refuse([results.error]);
	}
	const reporters = new Set([...chosen, "json" as const]);
	const stored = await readFile(file);
	const report = await writeReports(results.value, { out, reporters, stored });
	if (!report.ok) {
		return refuse([report.error]);
	}
	await printSummary(results.value, reporters);
	print(report.value);
	return EXIT.passed;
}

/** Beside the record, where that is its own folder; else in one named after it, so that no other report is replaced. */
function folderOf(file: string): string {
	return basename(file) === RESULTS_FILE_NAME ? dirname(file) : file.replace(/(\.json)?$/, "-report");
}
