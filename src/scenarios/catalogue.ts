import { readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** The folder with the scenarios that come with the software (the build copies it beside the compiled code). */
export const CATALOGUE_FOLDER = fileURLToPath(new URL("./catalogue/", import.meta.url));

const SUITES_FOLDER = join(CATALOGUE_FOLDER, "suites");
const SUFFIX = ".yaml";

/** What a suite may be called by: it tells it from a scenario of the same name. */
export const SUITE_PREFIX = "suite:";

/** Names of the scenarios that come with the software, sorted. */
export function catalogueNames(): string[] {
	return namesIn(CATALOGUE_FOLDER);
}

/** Names of the suites that come with the software, sorted. */
export function suiteNames(): string[] {
	return namesIn(SUITES_FOLDER);
}

/** The file of a catalogue scenario, or undefined when there is none of that name. */
export function catalogueFile(name: string): string | undefined {
	return catalogueNames().includes(name) ? join(CATALOGUE_FOLDER, `${name}${SUFFIX}`) : undefined;
}

/** The file of a suite of the catalogue, or undefined when there is none of that name. */
export function suiteFile(name: string): string | undefined {
	return suiteNames().includes(name) ? join(SUITES_FOLDER, `${name}${SUFFIX}`) : undefined;
}

/** The shortest word that `klais run` takes for this suite: a scenario of the same name comes first. */
export function suiteWord(name: string): string {
	return catalogueNames().includes(name) ? `${SUITE_PREFIX}${name}` : name;
}

function namesIn(folder: string): string[] {
	return readdirSync(folder)
		.filter((file) => file.endsWith(SUFFIX))
		.map((file) => file.slice(0, -SUFFIX.length))
		.sort();
}
