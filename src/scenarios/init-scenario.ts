import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { err, ok, type Result } from "../units/result.js";
import type { UserError } from "../units/user-error.js";
import { scenarioJsonSchema } from "./json-schema.js";
import { readTextFile } from "./read-text.js";

/** The file beside a scenario that its first line points editors to. */
const SCHEMA_FILE = "klais.scenario.schema.json";
const SCHEMA_BYTES_MAX = 1_048_576;
const TEMPLATE = fileURLToPath(new URL("./init-template.yaml", import.meta.url));

/** What was written. */
export interface InitFiles {
	readonly scenarioFile: string;
	readonly schemaFile: string;
}

/** The commented scenario, as it is written to `file`. */
export function initText(file: string): string {
	return readFileSync(TEMPLATE, "utf8").replaceAll("{file}", file);
}

/**
 * Writes a commented scenario that runs as it is, and beside it the JSON Schema for editors. A scenario that is there is never
 * replaced; a schema is, as long as it is one of ours. Errors: usage (the name), unwritable.
 */
export function initScenario(file: string): Result<InitFiles, UserError> {
	if (!/\.ya?ml$/i.test(file)) {
		const message = `expected a file that ends in .yaml, found ${JSON.stringify(file.slice(0, 60))}`;
		return err({ kind: "usage", key: "FILE", message });
	}
	const schemaFile = join(dirname(file), SCHEMA_FILE);
	if (existsSync(file)) {
		return err({
			kind: "unwritable",
			file,
			message: "is there already: name another file, or remove it first",
		});
	}
	if (existsSync(schemaFile) && !isOurs(schemaFile)) {
		const message = "is there already, and is no schema of klais: remove it, or choose another folder";
		return err({ kind: "unwritable", file: schemaFile, message });
	}
	try {
		mkdirSync(dirname(file), { recursive: true });
		writeFileSync(schemaFile, `${JSON.stringify(scenarioJsonSchema(), undefined, "\t")}\n`);
		writeNew(file, initText(file));
		return ok({ scenarioFile: file, schemaFile });
	} catch (error) {
		const reason = (error as NodeJS.ErrnoException).code ?? String(error);
		return err({ kind: "unwritable", file, message: `cannot be written (${reason})` });
	}
}

function isOurs(schemaFile: string): boolean {
	const text = readTextFile(schemaFile, SCHEMA_BYTES_MAX);
	return text.ok && text.value.includes('"urn:klais:scenario:');
}

/** Fails where the file has come to be meanwhile, and leaves none behind that is half-written. */
function writeNew(file: string, text: string): void {
	writeFileSync(file, "", { flag: "wx" });
	try {
		writeFileSync(file, text);
	} catch (error) {
		rmSync(file, { force: true });
		throw error;
	}
}
