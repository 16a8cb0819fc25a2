import { basename, dirname, join } from "node:path";
import { err, ok, type Result } from "../units/result.js";
import type { UserError } from "../units/user-error.js";
import { SUITE_PREFIX, suiteFile, suiteNames } from "./catalogue.js";
import { parseChecked } from "./checked-yaml.js";
import { didYouMean } from "./did-you-mean.js";
import { MAX_SCENARIO_BYTES } from "./limits.js";
import { type Setting, settingName, settingText } from "./overrides.js";
import { readTextFile } from "./read-text.js";
import type { PolicyName } from "./scenario.js";
import { isFileName, scenarioFile } from "./scenario-file.js";
import { suiteSchema } from "./suite-schema.js";
import type { Path, YamlDocument } from "./yaml-document.js";

/** A scenario of a suite, and what the suite changes about it. */
export interface SuiteEntry {
	/** As `loadScenario` takes it. */
	readonly scenario: string;
	readonly devices?: number;
	readonly seed?: string;
	readonly policies?: readonly PolicyName[];
	readonly set: readonly Setting[];
	/** The place in the suite of a mistake that the scenario's loader found; its own where the scenario is to blame. */
	place(error: UserError): UserError;
	/** A mistake in the entry as a whole. */
	problem(message: string): UserError;
}

/** A list of scenarios that are run together. */
export interface Suite {
	/** Its name in messages. */
	readonly file: string;
	readonly title: string;
	readonly teaches: string;
	readonly entries: readonly SuiteEntry[];
}

/**
 * Finds a suite by name or file: undefined where there is a scenario, or nothing at all, for the scenario's loader to say so. A
 * scenario of the same name comes first; `suite:NAME` is always the suite. Never throws on any input.
 */
export function findSuite(nameOrFile: string): Result<Suite | undefined, readonly UserError[]> {
	if (isFileName(nameOrFile)) {
		const text = readTextFile(nameOrFile, MAX_SCENARIO_BYTES);
		const isSuite = text.ok && /^schema:[ \t]*["']?klais\.suite\//m.test(text.value);
		return isSuite
			? parseSuite(text.value, { file: nameOrFile, folder: dirname(nameOrFile) })
			: ok(undefined);
	}
	const isExplicit = nameOrFile.startsWith(SUITE_PREFIX);
	const name = isExplicit ? nameOrFile.slice(SUITE_PREFIX.length) : nameOrFile;
	const path = isExplicit || !scenarioFile(name).ok ? suiteFile(name) : undefined;
	if (path !== undefined) {
		// A scenario of the catalogue may have the same file name.
		const file = join("suites", basename(path));
		const text = readTextFile(path, MAX_SCENARIO_BYTES, file);
		return text.ok ? parseSuite(text.value, { file, folder: dirname(path) }) : err([text.error]);
	}
	if (isExplicit) {
		const hint = didYouMean(name, suiteNames()) || ` There are: ${suiteNames().join(", ")}.`;
		return err([{ kind: "not-found", message: `no suite is called "${name.slice(0, 60)}".${hint}` }]);
	}
	return ok(undefined);
}

/** Reads the text of a suite; `folder`: what its files are relative to. */
export function parseSuite(
	text: string,
	{ file, folder }: { readonly file: string; readonly folder: string },
): Result<Suite, readonly UserError[]> {
	const checked = parseChecked(text, file, suiteSchema);
	if (!checked.ok) {
		return checked;
	}
	const { data, document } = checked.value;
	const { title = "", teaches = "", scenarios } = data;
	const entries = scenarios.map((given, index) => {
		const entry = typeof given === "string" ? { scenario: given } : given;
		const scenario = isFileName(entry.scenario) ? join(folder, entry.scenario) : entry.scenario;
		return entryOf({ ...entry, scenario }, ["scenarios", index], document);
	});
	return ok({ file, title, teaches, entries });
}

type EntryInput = Exclude<ReturnType<typeof suiteSchema.parse>["scenarios"][number], string>;

function entryOf(given: EntryInput, path: Path, document: YamlDocument): SuiteEntry {
	const { scenario, name, devices, seed, policies } = given;
	const named: Setting[] = name === undefined ? [] : [["name", name]];
	const changed = Object.entries(given.set ?? {}).map(([key, value]): Setting => [key, settingText(value)]);
	const at = (inner: Path, kind: UserError["kind"], message: string): UserError => {
		const key = [...path, ...inner];
		return { kind, ...document.placeOf(key), key: key.join("."), message };
	};
	return {
		scenario,
		...(devices === undefined ? {} : { devices }),
		...(seed === undefined ? {} : { seed }),
		...(policies === undefined ? {} : { policies }),
		set: [...named, ...changed],
		place: (error) => {
			const { kind, key = "", message } = error;
			const cause = changed.find((setting) => settingName(setting) === error.file);
			if (cause !== undefined) {
				// What is wrong may lie deeper than the value that brought it in.
				return at(["set", cause[0]], kind, key === cause[0] ? message : `${key}: ${message}`);
			}
			return error.file === undefined ? at([], kind, message) : error;
		},
		problem: (message) => at([], "schema", message),
	};
}
