import { readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** The folder with the scenarios that come with the software (the build copies it beside the compiled code). */
export const CATALOGUE_FOLDER = fileURLToPath(new URL("./catalogue/", import.meta.url));

const SUFFIX = ".yaml";

/** Names of the scenarios that come with the software, sorted. */
export function catalogueNames(): string[] {
	return readdirSync(CATALOGUE_FOLDER)
		.filter((file) => file.endsWith(SUFFIX))
		.map((file) => file.slice(0, -SUFFIX.length))
		.sort();
}

/** The file of a catalogue scenario, or undefined when there is none of that name. */
export function catalogueFile(name: string): string | undefined {
	return catalogueNames().includes(name) ? join(CATALOGUE_FOLDER, `${name}${SUFFIX}`) : undefined;
}
