import { basename } from "node:path";
import { err, ok, type Result } from "../units/result.js";
import type { UserError } from "../units/user-error.js";
import { catalogueFile, catalogueNames, SUITE_PREFIX, suiteNames, suiteWord } from "./catalogue.js";
import { didYouMean } from "./did-you-mean.js";

/** A scenario's file, and its name in messages. */
export interface NamedFile {
	readonly path: string;
	readonly shownAs: string;
}

/** A file is told from a name by a slash or by its ending, `.yaml`. */
export function isFileName(nameOrFile: string): boolean {
	return /[\\/]|\.ya?ml$/i.test(nameOrFile);
}

/** Finds a scenario by catalogue name or file; a file need not be there. Errors: not-found. */
export function scenarioFile(nameOrFile: string): Result<NamedFile, UserError> {
	if (isFileName(nameOrFile)) {
		return ok({ path: nameOrFile, shownAs: nameOrFile });
	}
	const path = catalogueFile(nameOrFile);
	if (path !== undefined) {
		return ok({ path, shownAs: basename(path) });
	}
	const suites = suiteNames();
	if (suites.includes(nameOrFile) || nameOrFile.startsWith(SUITE_PREFIX)) {
		const message = `"${nameOrFile.slice(0, 60)}" names a suite: expected a scenario here (klais run takes both)`;
		return err({ kind: "not-found", message });
	}
	const names = [...catalogueNames(), ...suites.map(suiteWord)];
	const hint = didYouMean(nameOrFile, names) || ` There are: ${names.join(", ")}.`;
	const message = `no scenario is called "${nameOrFile.slice(0, 60)}".${hint} A file is named with its ending, .yaml.`;
	return err({ kind: "not-found", message });
}
