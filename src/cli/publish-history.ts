import { readFile } from "node:fs/promises";
import {
	type HistoryEntry,
	historyEntryOf,
	parseHistory,
	serialiseHistory,
	withEntry,
} from "../record/history.js";
import type { ResultsFile } from "../record/run-record.js";
import { err, ok, type Result } from "../units/result.js";
import type { UserError } from "../units/user-error.js";
import { probeFile, writeWholeFile } from "./whole-file.js";

/** A history above this is refused before it is parsed; an entry has some kilobytes. */
const HISTORY_BYTES_MAX = 67_108_864;
const ADVICE = "name another file with --history";

/** Notes a record in a history file, which need not be there yet, and gives the whole history. It never holds half a line. */
export async function publishHistory(
	results: ResultsFile,
	file: string,
	date: string,
): Promise<Result<readonly HistoryEntry[], UserError>> {
	const earlier = await readHistory(file);
	if (!earlier.ok) {
		return earlier;
	}
	const history = withEntry(earlier.value, historyEntryOf(results, date));
	const fault =
		(await probeFile(file, ADVICE)) ?? (await writeWholeFile(file, serialiseHistory(history), ADVICE));
	return fault === undefined ? ok(history) : err(fault);
}

async function readHistory(file: string): Promise<Result<readonly HistoryEntry[], UserError>> {
	let bytes: Buffer;
	try {
		bytes = await readFile(file);
	} catch (error) {
		const { code } = error as NodeJS.ErrnoException;
		return code === "ENOENT"
			? ok([])
			: err({ kind: "unreadable", message: `the history cannot be read (${code})`, file });
	}
	if (bytes.length > HISTORY_BYTES_MAX) {
		const message = `a history may have ${HISTORY_BYTES_MAX} bytes at most, this one has ${bytes.length}`;
		return err({ kind: "limit", message, file });
	}
	return parseHistory(bytes.toString("utf8"), file);
}
