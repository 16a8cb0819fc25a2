import { mkdir, open, readFile, rename } from "node:fs/promises";
import { dirname } from "node:path";
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

/** A history above this is refused before it is parsed; an entry has some kilobytes. */
const HISTORY_BYTES_MAX = 67_108_864;

/**
 * Notes a record in a history file, which need not be there yet, and gives the whole history. The file is replaced by a
 * rename, so that it never holds half a line.
 */
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
	const temporary = `${file}.${process.pid}`;
	try {
		await mkdir(dirname(file), { recursive: true });
		const handle = await open(temporary, "wx");
		try {
			await handle.writeFile(serialiseHistory(history));
			await handle.sync();
		} finally {
			await handle.close();
		}
		await rename(temporary, file);
	} catch (error) {
		const { code, message } = error as NodeJS.ErrnoException;
		return err({ kind: "unwritable", message: `cannot write the history: ${code ?? message}`, file });
	}
	return ok(history);
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
