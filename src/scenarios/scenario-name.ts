import { basename } from "node:path";

/** What a scenario may be called: it becomes part of file names. */
export const SCENARIO_NAME = /^[a-z0-9][a-z0-9.-]{0,63}$/;

/** `SCENARIO_NAME` in words. */
export const SCENARIO_NAME_IN_WORDS = "a name of lower-case letters, digits, dots and dashes (at most 64)";

/** A scenario's name made of a file's: without folder and ending, other characters replaced by dashes. */
export function nameOfFile(file: string): string {
	const cleaned = basename(file)
		.toLowerCase()
		.replace(/\.(ya?ml|csv|tsv|txt)$/, "")
		.replaceAll(/[^a-z0-9.-]+/g, "-")
		.replaceAll(/^[-.]+|-+$/g, "");
	return cleaned.slice(0, 64) || "unnamed";
}
