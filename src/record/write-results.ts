import { mkdir, mkdtemp, open, readdir, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { err, ok, type Result } from "../units/result.js";
import type { UserError } from "../units/user-error.js";
import type { ResultsFile } from "./run-record.js";

/** One file of a results folder: a name relative to the folder, `/` between its parts. */
export interface OutputFile {
	readonly name: string;
	readonly content: string | Uint8Array;
}

/** The record itself, by the name that every reader expects. */
export const RESULTS_FILE_NAME = "results.json";

/** Everything that klais writes into a results folder. */
const OWN_NAMES = [
	RESULTS_FILE_NAME,
	"BENCHMARK_RESULTS.md",
	"BENCHMARK_RESULTS.html",
	"comment.md",
	"junit.xml",
	"charts",
];

/** The record as stored: one key a line down to the runs, series columns on one line each. */
export function serialiseResults(results: ResultsFile): string {
	// Columns of numbers would otherwise take one line a number: 90 % of the file would be white space.
	const compact = new Map<string, string>();
	const marked = JSON.stringify(
		results,
		(key, value: unknown) => {
			if (key !== "" && Array.isArray(value) && value.length > 0 && value.every(isFlat)) {
				const mark = `\u0000${compact.size}\u0000`;
				compact.set(JSON.stringify(mark), JSON.stringify(value));
				return mark;
			}
			return value;
		},
		"\t",
	);
	return `${marked.replace(/"\\u0000\d+\\u0000"/g, (mark) => compact.get(mark) ?? mark)}\n`;
}

function isFlat(value: unknown): boolean {
	return value === null || typeof value === "number";
}

/**
 * Writes a results folder so that a reader sees the old files or the new ones, never a half-written one:
 * everything goes to a temporary folder on the same file system, is synced, and then takes its place by renames.
 * Files of an earlier run are replaced; files that klais did not write stay.
 */
export async function writeResults(
	folder: string,
	files: readonly OutputFile[],
): Promise<Result<{ readonly folder: string }, UserError>> {
	const target = resolve(folder);
	let temporary: string | undefined;
	try {
		const exists = await isFolder(target);
		if (!exists) {
			await mkdir(dirname(target), { recursive: true });
		}
		// A folder that exists may be a mount: beside it would be another disk, where a rename cannot reach.
		temporary = await mkdtemp(
			exists ? join(target, ".klais-") : join(dirname(target), `.${basename(target)}-`),
		);
		// A folder within, because mkdtemp makes folders that only their owner may enter.
		const staged = join(temporary, "results");
		await mkdir(staged);
		for (const file of files) {
			await writeSynced(join(staged, file.name), file.content);
		}
		await syncFolder(staged);
		if (exists) {
			await replaceFiles(staged, target);
		} else {
			await rename(staged, target);
			await syncFolder(dirname(target));
		}
		return ok({ folder: target });
	} catch (error) {
		return err(unwritable(error, folder));
	} finally {
		if (temporary !== undefined) {
			// Best effort: the write has succeeded or has already been reported as failed.
			await rm(temporary, { recursive: true, force: true }).catch(() => undefined);
		}
	}
}

async function isFolder(target: string): Promise<boolean> {
	const found = await stat(target).catch((error: NodeJS.ErrnoException) => {
		if (error.code === "ENOENT") {
			return undefined;
		}
		throw error;
	});
	if (found !== undefined && !found.isDirectory()) {
		throw Object.assign(new Error("not a folder"), { code: "ENOTDIR" });
	}
	return found !== undefined;
}

async function writeSynced(path: string, content: string | Uint8Array): Promise<void> {
	await mkdir(dirname(path), { recursive: true });
	const handle = await open(path, "wx");
	try {
		await handle.writeFile(content);
		await handle.sync();
	} finally {
		await handle.close();
	}
}

async function syncFolder(path: string): Promise<void> {
	const handle = await open(path, "r").catch(() => undefined);
	// Some file systems cannot sync a folder; the files themselves are safe by then.
	await handle?.sync().catch(() => undefined);
	await handle?.close();
}

async function replaceFiles(staged: string, target: string): Promise<void> {
	const entries = await readdir(staged);
	// The record moves last: a reader who sees the new results.json has the new reports beside it.
	entries.sort(
		(a, b) => Number(a === RESULTS_FILE_NAME) - Number(b === RESULTS_FILE_NAME) || (a < b ? -1 : 1),
	);
	for (const entry of entries) {
		const destination = join(target, entry);
		const replaced = await stat(destination).catch(() => undefined);
		if (replaced?.isDirectory()) {
			await rm(destination, { recursive: true });
		}
		await rename(join(staged, entry), destination);
	}
	// A report of the earlier run beside the record of this one would be believed.
	for (const stale of OWN_NAMES.filter((name) => !entries.includes(name))) {
		await rm(join(target, stale), { recursive: true, force: true });
	}
	await syncFolder(target);
}

const REASONS: Readonly<Record<string, string>> = {
	ENOSPC: "the disk is full",
	EDQUOT: "the disk quota is used up",
	ENOENT: "there is no such place, and it cannot be made",
	EACCES: "no permission to write there",
	EPERM: "no permission to write there",
	EROFS: "the file system is read-only",
	ENOTDIR: "a file is in the way",
	EEXIST: "a file is in the way",
	ENAMETOOLONG: "the path is too long",
	EMFILE: "too many files are open",
};

function unwritable(error: unknown, folder: string): UserError {
	const { code, message } = error as NodeJS.ErrnoException;
	const reason = (code === undefined ? undefined : REASONS[code]) ?? code ?? message;
	const advice = "no half-written file is left; name another folder with --out";
	return { kind: "unwritable", message: `cannot write the results: ${reason}; ${advice}`, file: folder };
}
