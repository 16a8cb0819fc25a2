import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { mergeShards, type ReadRecord } from "../record/merge-shards.js";
import { readResults } from "../record/results-schema.js";
import type { ResultsFile } from "../record/run-record.js";
import { RESULTS_FILE_NAME } from "../record/write-results.js";
import { err, ok, type Result } from "../units/result.js";
import type { UserError } from "../units/user-error.js";
import type { ExitCode } from "./exit-codes.js";
import { FlagReader } from "./flags.js";
import { probeOutFolder } from "./out-folder.js";
import { publish } from "./publish.js";
import { DEFAULT_REPORTERS, REPORTER_NAMES } from "./reporters.js";
import { refuse } from "./talk.js";

/** The flags of `klais merge`. */
export interface MergeFlags {
	readonly out: string;
	readonly reporter?: readonly string[];
}

/** `klais merge`: joins the records of all shards into that of the whole, writes its reports and judges it. */
export async function mergeCommand(places: readonly string[], flags: MergeFlags): Promise<ExitCode> {
	const reader = new FlagReader();
	const chosen = reader.words("--reporter", flags.reporter, REPORTER_NAMES) ?? DEFAULT_REPORTERS;
	const out = reader.text("--out", flags.out, "a folder");
	if (reader.errors.length > 0) {
		return refuse(reader.errors);
	}
	const files = await recordFiles(places);
	if (!files.ok) {
		return refuse(files.error);
	}
	const records = await readAll(files.value);
	if (!records.ok) {
		return refuse(records.error);
	}
	const merged = mergeShards(records.value);
	if (!merged.ok) {
		return refuse(merged.error);
	}
	const unfit = await probeOutFolder(out, merged.value.runs.length);
	if (unfit !== undefined) {
		return refuse([unfit]);
	}
	// A shard has said how its failed runs are repeated, when it ran.
	return publish(merged.value, { out, reporters: new Set([...chosen, "json"]), repeatOf: () => undefined });
}

/** The records that the places hold: a file, a folder with a record, or one whose folders hold records, as CI unpacks artifacts. */
async function recordFiles(places: readonly string[]): Promise<Result<string[], UserError[]>> {
	const files: string[] = [];
	const errors: UserError[] = [];
	for (const place of places) {
		const found = await filesIn(place);
		if (found.length === 0) {
			const message = `holds no ${RESULTS_FILE_NAME}: expected the --out of a shard, or a folder of such folders`;
			errors.push({ kind: "not-found", file: place, message });
		}
		files.push(...found);
	}
	return errors.length > 0 ? err(errors) : ok(files);
}

async function filesIn(place: string): Promise<string[]> {
	if (await isFile(place)) {
		return [place];
	}
	const own = join(place, RESULTS_FILE_NAME);
	if (await isFile(own)) {
		return [own];
	}
	const entries = await readdir(place).catch(() => []);
	const within = entries.sort().map((entry) => join(place, entry, RESULTS_FILE_NAME));
	const there = await Promise.all(within.map(isFile));
	return within.filter((_, index) => there[index]);
}

async function isFile(path: string): Promise<boolean> {
	return (await stat(path).catch(() => undefined))?.isFile() === true;
}

async function readAll(files: readonly string[]): Promise<Result<ReadRecord[], UserError[]>> {
	const records: ReadRecord[] = [];
	const errors: UserError[] = [];
	for (const file of files) {
		const checked = await readResults(file);
		if (checked.ok) {
			// As it is stored: the check puts keys into the order of the schema, and the merged bytes must be the whole's.
			records.push({
				file,
				results: JSON.parse(new TextDecoder().decode(await readFile(file))) as ResultsFile,
			});
		} else {
			errors.push(checked.error);
		}
	}
	return errors.length > 0 ? err(errors) : ok(records);
}
