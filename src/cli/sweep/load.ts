import { dirname, join } from "node:path";
import { parseChecked } from "../../scenarios/checked-yaml.js";
import { MAX_SCENARIO_BYTES } from "../../scenarios/limits.js";
import { readTextFile } from "../../scenarios/read-text.js";
import { isFileName } from "../../scenarios/scenario-file.js";
import type { Path, Place } from "../../scenarios/yaml-document.js";
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
	const checked = parseChecked(text.value, file, sweepSchema);
	if (!checked.ok) {
		return checked;
	}
	const { data, document } = checked.value;
	const { scenario } = data;
	return ok({
		input: data,
		scenario: isFileName(scenario) ? join(dirname(file), scenario) : scenario,
		placeOf: (path) => document.placeOf(path),
	});
}
