import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { HistoryEntry } from "../record/history.js";
import type { ResultsFile } from "../record/run-record.js";
import { RESULTS_FILE_NAME, serialiseResults, writeResults } from "../record/write-results.js";
import type { Reporter } from "../reports/report-files.js";
import { err, ok, type Result } from "../units/result.js";
import type { UserError } from "../units/user-error.js";
import { mainReport } from "./reporters.js";
import { hasColour, print } from "./talk.js";

/** Where results go, and as what. */
export interface ReportTarget {
	readonly out: string;
	readonly reporters: ReadonlySet<Reporter>;
	/** The record as it was read, to be stored byte for byte. */
	readonly stored?: Uint8Array;
	/** Earlier records of the same suite and this one, for the trend. */
	readonly history?: readonly HistoryEntry[];
}

/** Writes the reports. The path of the one to read first. */
export async function writeReports(
	results: ResultsFile,
	{ out, reporters, stored, history = [] }: ReportTarget,
): Promise<Result<string, UserError>> {
	const { reportFiles } = await import("../reports/report-files.js");
	const rendered = await reportFiles(results, reporters, history);
	const files = rendered.map((file) =>
		stored !== undefined && file.name === RESULTS_FILE_NAME ? { ...file, content: stored } : file,
	);
	const written = await writeResults(out, files);
	return written.ok ? ok(join(written.value.folder, mainReport(reporters))) : err(written.error);
}

/** The last resort when a run has ended and its results find no place: the record alone, where temporary files go. */
export async function rescueRecord(results: ResultsFile): Promise<string | undefined> {
	try {
		const folder = await mkdtemp(join(tmpdir(), "klais-rescued-"));
		const content = serialiseResults(results);
		const written = await writeResults(folder, [{ name: RESULTS_FILE_NAME, content }]);
		return written.ok ? join(folder, RESULTS_FILE_NAME) : undefined;
	} catch {
		return undefined;
	}
}

/** Prints what a terminal shows of the results, and the lines of reporters that write no file. */
export async function printSummary(results: ResultsFile, reporters: ReadonlySet<Reporter>): Promise<void> {
	const [{ renderTerminal }, { reportLines }] = await Promise.all([
		import("../reports/terminal.js"),
		import("../reports/report-files.js"),
	]);
	const colour = hasColour(process.stdout);
	const { columns } = process.stdout;
	print(renderTerminal(results, { colour, ...(columns === undefined ? {} : { width: columns }) }));
	const lines = reportLines(results, reporters);
	if (lines !== "") {
		print(lines);
	}
}
