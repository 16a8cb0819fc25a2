import {
	closeSync,
	existsSync,
	fsyncSync,
	mkdirSync,
	openSync,
	renameSync,
	rmSync,
	writeSync,
} from "node:fs";
import { join } from "node:path";
import { err, ok, type Result } from "../units/result.js";
import type { UserError } from "../units/user-error.js";
import type { ImportedScenario } from "./import-trace.js";

export interface WriteOptions {
	/** Replace files that are there already. */
	readonly overwrite?: boolean;
}

export interface WrittenFiles {
	readonly yamlFile: string;
	readonly cohortsFile: string;
}

/**
 * Writes `<name>.yaml` and `<name>.cohorts.csv` into `folder`, which is created. Both are written in full under another
 * name before either takes its place, so that nothing half-written is ever found; the scenario comes last, since it
 * needs the other. Errors: unwritable (also: there already, unless `overwrite`).
 */
export function writeImported(
	{ name, yaml, cohortsCsv }: Pick<ImportedScenario, "name" | "yaml" | "cohortsCsv">,
	folder: string,
	{ overwrite = false }: WriteOptions = {},
): Result<WrittenFiles, UserError> {
	const files = { cohortsFile: join(folder, `${name}.cohorts.csv`), yamlFile: join(folder, `${name}.yaml`) };
	const taken = Object.values(files).find((file) => existsSync(file));
	if (taken !== undefined && !overwrite) {
		return err({
			kind: "unwritable",
			file: taken,
			message: "is there already: choose another name, or allow it to be replaced",
		});
	}
	const suffix = `.tmp-${process.pid}`;
	try {
		mkdirSync(folder, { recursive: true });
		writeInFull(files.cohortsFile + suffix, cohortsCsv);
		writeInFull(files.yamlFile + suffix, yaml);
		renameSync(files.cohortsFile + suffix, files.cohortsFile);
		renameSync(files.yamlFile + suffix, files.yamlFile);
		return ok(files);
	} catch (error) {
		const reason = (error as NodeJS.ErrnoException).code ?? String(error);
		return err({ kind: "unwritable", file: folder, message: `cannot be written to (${reason})` });
	} finally {
		removeQuietly(files.cohortsFile + suffix);
		removeQuietly(files.yamlFile + suffix);
	}
}

/** Down to the disk before it is renamed: else a crash could leave an empty file under the final name. */
function writeInFull(file: string, text: string): void {
	const handle = openSync(file, "w");
	try {
		const bytes = Buffer.from(text);
		let written = 0;
		while (written < bytes.length) {
			written += writeSync(handle, bytes, written);
		}
		fsyncSync(handle);
	} finally {
		closeSync(handle);
	}
}

function removeQuietly(file: string): void {
	try {
		rmSync(file, { force: true });
	} catch {
		// The error that is under way says more than a leftover temporary file.
	}
}
