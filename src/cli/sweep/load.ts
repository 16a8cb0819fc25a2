import { dirname, join } from "node:path";
import { MAX_REPORTED_ERRORS, MAX_SCENARIO_BYTES } from "../../scenarios/limits.js";
import { readTextFile } from "../../scenarios/read-text.js";
import { problemsOf } from "../../scenarios/schema-errors.js";
import { type Path, type Place, YamlDocument } from "../../scenarios/yaml-document.js";
import { err, ok, type Result } from "../../units/result.js";
import type { UserError } from "../../units/user-error.js";
import { type SweepInput, sweepSchema } from "./schema.js";

/** A sweep file, checked by itself: what its scenario makes of the values is for the plan. */
export interface SweepFile {
	readonly input: SweepInput;
	/** The scenario as `klais run` takes it in the folder where the sweep was named. */
	readonly scenario: string;
	/** Where a value stands. */
	placeOf(path: Path): Place;
}

/** Reads a sweep file. Never throws on any input; each error says file, line, column and key as far as they are known. */
export function loadSweep(file: string): Result<SweepFile, readonly UserError[]> {
	const text = readTextFile(file, MAX_SCENARIO_BYTES, file);
	if (!text.ok) {
		return err([text.error]);
	}
	const document = YamlDocument.parse(text.value, file);
	if (!document.ok) {
		return document;
	}
	const plain = document.value.toPlain();
	if (!plain.ok) {
		return err([plain.error]);
	}
	const parsed = sweepSchema.safeParse(plain.value);
	if (!parsed.success) {
		const problems = problemsOf(parsed.error.issues, plain.value).slice(0, MAX_REPORTED_ERRORS);
		return err(
			problems.map(({ path, kind, message }) => ({
				kind,
				...(kind === "unknown-key" ? document.value.placeOfKey(path) : document.value.placeOf(path)),
				key: path.join("."),
				message,
			})),
		);
	}
	const { scenario } = parsed.data;
	return ok({
		input: parsed.data,
		scenario: /[\\/]|\.ya?ml$/i.test(scenario) ? join(dirname(file), scenario) : scenario,
		placeOf: (path) => document.value.placeOf(path),
	});
}
