import { dirname, join } from "node:path";
import { err, ok, type Result } from "../units/result.js";
import type { UserError } from "../units/user-error.js";
import { type Calibration, loadCalibration, shippedCalibration } from "./calibration.js";
import { parseCohorts } from "./cohort-file.js";
import { ScenarioLayers, type ScenarioSource } from "./layers.js";
import { fleetRefusal, MAX_REPORTED_ERRORS, MAX_SCENARIO_BYTES, MAX_TABLE_BYTES } from "./limits.js";
import { applySettings, isSet, placeProblem, type Setting } from "./overrides.js";
import { readTextFile } from "./read-text.js";
import { resolveScenario } from "./resolve-scenario.js";
import { scaleScenario } from "./scale-scenario.js";
import type { Cohort, Scenario } from "./scenario.js";
import { scenarioFile } from "./scenario-file.js";
import { nameOfFile } from "./scenario-name.js";
import { scenarioSchema } from "./schema.js";
import { problemsOf } from "./schema-errors.js";

/** What the command line changes about a scenario. */
export interface ScenarioOverrides {
	/** Scales the whole scenario to this many devices (see `scaleScenario`). 1 to 10,000,000. */
	readonly devices?: number;
	readonly seed?: string;
	/** Values by path, such as `["devices.firmware.reportInterval", "30m"]`; the value is read as YAML. */
	readonly set?: readonly Setting[];
	/** A calibration file: what frames cost where the scenario does not say. Left out: the one that comes with the software. */
	readonly calibration?: string;
}

/**
 * Loads a scenario by catalogue name or file; a file is told from a name by a slash or by its ending, `.yaml`. Never
 * throws on any input; each error says file, line, column and key as far as they are known.
 */
export function loadScenario(
	nameOrFile: string,
	overrides: ScenarioOverrides = {},
): Result<Scenario, readonly UserError[]> {
	const file = scenarioFile(nameOrFile);
	if (!file.ok) {
		return err([file.error]);
	}
	const { path, shownAs } = file.value;
	const text = readTextFile(path, MAX_SCENARIO_BYTES, shownAs);
	if (!text.ok) {
		return err([text.error]);
	}
	return parseText(text.value, { file: shownAs, folder: dirname(path) }, overrides, path);
}

/** Like `loadScenario`, with the text at hand. */
export function parseScenario(
	text: string,
	source: ScenarioSource,
	overrides: ScenarioOverrides = {},
): Result<Scenario, readonly UserError[]> {
	return parseText(text, source, overrides);
}

/** `path`: the text's file, which it must not extend. */
function parseText(
	text: string,
	source: ScenarioSource,
	overrides: ScenarioOverrides,
	path?: string,
): Result<Scenario, readonly UserError[]> {
	const overrideError = checkOverrides(overrides);
	if (overrideError !== undefined) {
		return err([overrideError]);
	}
	const calibration = calibrationOf(overrides);
	if (!calibration.ok) {
		return calibration;
	}
	const layers = ScenarioLayers.read(text, source, path);
	if (!layers.ok) {
		return err(capped(layers.error));
	}
	const settings = overrides.set ?? [];
	const settingErrors = applySettings(layers.value.document, settings);
	if (settingErrors.length > 0) {
		return err(settingErrors);
	}
	const scenario = validate(layers.value, source, settings, calibration.value);
	if (!scenario.ok) {
		return err(capped(scenario.error));
	}
	const seeded = overrides.seed === undefined ? scenario.value : { ...scenario.value, seed: overrides.seed };
	return ok(overrides.devices === undefined ? seeded : scaleScenario(seeded, overrides.devices));
}

function validate(
	layers: ScenarioLayers,
	source: ScenarioSource,
	settings: readonly Setting[],
	calibration: Calibration,
): Result<Scenario, UserError[]> {
	const plain = layers.document.toPlain();
	if (!plain.ok) {
		return err([plain.error]);
	}
	const parsed = scenarioSchema.safeParse(plain.value);
	if (!parsed.success) {
		const problems = problemsOf(parsed.error.issues, plain.value);
		return err(problems.map((problem) => placeProblem(problem, layers, settings)));
	}
	const { scenario, problems, fileErrors } = resolveScenario(parsed.data, {
		fallbackName: nameOfFile(source.file),
		readCohorts: (name, at) => readCohorts(name, isSet(at, settings) ? source : layers.sourceOf(at)),
		calibration,
	});
	const errors = [...problems.map((problem) => placeProblem(problem, layers, settings)), ...fileErrors];
	return errors.length > 0 ? err(errors) : ok(scenario);
}

function calibrationOf({ calibration }: ScenarioOverrides): Result<Calibration, readonly UserError[]> {
	return calibration === undefined ? ok(shippedCalibration()) : loadCalibration(calibration);
}

function readCohorts(name: string, source: ScenarioSource): Result<Cohort[], UserError[]> {
	const shownAs = join(dirname(source.file), name);
	const text = readTextFile(join(source.folder, name), MAX_TABLE_BYTES, shownAs);
	return text.ok ? parseCohorts(text.value, shownAs) : err([text.error]);
}

function checkOverrides({ devices, seed }: ScenarioOverrides): UserError | undefined {
	if (devices !== undefined) {
		if (!Number.isSafeInteger(devices) || devices < 1) {
			return {
				kind: "usage",
				key: "--devices",
				message: `expected a whole number of devices, at least 1, found ${devices}`,
			};
		}
		const refusal = fleetRefusal(devices);
		if (refusal !== undefined) {
			return { kind: "limit", key: "--devices", message: refusal };
		}
	}
	if (seed !== undefined && (seed.length === 0 || seed.length > 100)) {
		return {
			kind: "usage",
			key: "--seed",
			message: `expected a seed of 1 to 100 characters, found ${seed.length}`,
		};
	}
	return undefined;
}

function capped(errors: readonly UserError[]): readonly UserError[] {
	const [first] = errors;
	if (first === undefined || errors.length <= MAX_REPORTED_ERRORS) {
		return errors;
	}
	const rest = errors.length - MAX_REPORTED_ERRORS;
	const { file } = first;
	return [
		...errors.slice(0, MAX_REPORTED_ERRORS),
		{ kind: first.kind, ...(file === undefined ? {} : { file }), message: `and ${rest} more` },
	];
}
