import { basename, dirname, join } from "node:path";
import type { Micros } from "../units/micros.js";
import { err, ok, type Result } from "../units/result.js";
import type { UserError } from "../units/user-error.js";
import { type Calibration, loadCalibration, shippedCalibration } from "./calibration.js";
import { catalogueFile, catalogueNames } from "./catalogue.js";
import { parseCohorts } from "./cohort-file.js";
import { didYouMean } from "./did-you-mean.js";
import { fleetRefusal, MAX_REPORTED_ERRORS, MAX_SCENARIO_BYTES, MAX_TABLE_BYTES } from "./limits.js";
import { applySettings, placeProblem, type Setting } from "./overrides.js";
import { readTextFile } from "./read-text.js";
import { resolveScenario } from "./resolve-scenario.js";
import { scaleScenario } from "./scale-scenario.js";
import type { Cohort, Scenario } from "./scenario.js";
import { nameOfFile } from "./scenario-name.js";
import { scenarioSchema } from "./schema.js";
import { problemsOf } from "./schema-errors.js";
import { YamlDocument } from "./yaml-document.js";

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
	return parseScenario(text.value, { file: shownAs, folder: dirname(path) }, overrides);
}

/** Where a scenario's text comes from. */
export interface ScenarioSource {
	/** Its name in messages. */
	readonly file: string;
	/** The folder that its cohort files are relative to. */
	readonly folder: string;
}

/** Like `loadScenario`, with the text at hand. */
export function parseScenario(
	text: string,
	source: ScenarioSource,
	overrides: ScenarioOverrides = {},
): Result<Scenario, readonly UserError[]> {
	const overrideError = checkOverrides(overrides);
	if (overrideError !== undefined) {
		return err([overrideError]);
	}
	const calibration = calibrationOf(overrides);
	if (!calibration.ok) {
		return calibration;
	}
	const document = YamlDocument.parse(text, source.file);
	if (!document.ok) {
		return err(capped(document.error));
	}
	const settings = overrides.set ?? [];
	const settingErrors = applySettings(document.value, settings);
	if (settingErrors.length > 0) {
		return err(settingErrors);
	}
	const scenario = validate(document.value, source, settings, calibration.value);
	if (!scenario.ok) {
		return err(capped(scenario.error));
	}
	const seeded = overrides.seed === undefined ? scenario.value : { ...scenario.value, seed: overrides.seed };
	return ok(overrides.devices === undefined ? seeded : scaleScenario(seeded, overrides.devices));
}

function validate(
	document: YamlDocument,
	source: ScenarioSource,
	settings: readonly Setting[],
	calibration: Calibration,
): Result<Scenario, UserError[]> {
	const plain = document.toPlain();
	if (!plain.ok) {
		return err([plain.error]);
	}
	const parsed = scenarioSchema.safeParse(plain.value);
	if (!parsed.success) {
		const problems = problemsOf(parsed.error.issues, plain.value);
		return err(problems.map((problem) => placeProblem(problem, document, settings)));
	}
	const { scenario, problems, fileErrors } = resolveScenario(parsed.data, {
		fallbackName: nameOfFile(source.file),
		readCohorts: (name) => readCohorts(name, source),
		calibration,
	});
	const errors = [...problems.map((problem) => placeProblem(problem, document, settings)), ...fileErrors];
	return errors.length > 0 ? err(errors) : ok(scenario);
}

function calibrationOf({ calibration }: ScenarioOverrides): Result<Calibration, readonly UserError[]> {
	return calibration === undefined ? ok(shippedCalibration()) : loadCalibration(calibration);
}

function scenarioFile(nameOrFile: string): Result<{ path: string; shownAs: string }, UserError> {
	const isPath = /[\\/]|\.ya?ml$/i.test(nameOrFile);
	if (isPath) {
		return ok({ path: nameOrFile, shownAs: nameOrFile });
	}
	const path = catalogueFile(nameOrFile);
	if (path !== undefined) {
		return ok({ path, shownAs: basename(path) });
	}
	const names = catalogueNames();
	const hint = didYouMean(nameOrFile, names) || ` There are: ${names.join(", ")}.`;
	const message = `no scenario is called "${nameOrFile.slice(0, 60)}".${hint} A file is named with its ending, .yaml.`;
	return err({ kind: "not-found", message });
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

/** One line of the catalogue. */
export interface CatalogueEntry {
	readonly name: string;
	readonly title: string;
	readonly devices: number;
	readonly durationMicros: Micros;
	readonly teaches: string;
}

/** The scenarios that come with the software, by name. Throws when one of them is broken: that is a fault of ours. */
export function listCatalogue(): CatalogueEntry[] {
	return catalogueNames().map((name) => {
		const scenario = loadScenario(name);
		if (!scenario.ok) {
			throw new Error(
				`catalogue scenario ${name}: ${scenario.error.map(({ message }) => message).join("; ")}`,
			);
		}
		const { title, devices, durationMicros, teaches } = scenario.value;
		return { name, title, devices: devices.count, durationMicros, teaches };
	});
}
