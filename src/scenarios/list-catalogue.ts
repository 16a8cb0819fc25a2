import type { Micros } from "../units/micros.js";
import type { Result } from "../units/result.js";
import type { UserError } from "../units/user-error.js";
import { catalogueNames, SUITE_PREFIX, suiteNames, suiteWord } from "./catalogue.js";
import { loadScenario } from "./load-scenario.js";
import { findSuite, type Suite } from "./suite.js";

/** One line of the catalogue. */
export interface CatalogueEntry {
	readonly name: string;
	readonly title: string;
	readonly devices: number;
	readonly durationMicros: Micros;
	readonly teaches: string;
}

/** A suite of the catalogue. */
export interface SuiteListing {
	/** What `klais run` takes for it. */
	readonly name: string;
	readonly title: string;
	readonly teaches: string;
	readonly scenarios: readonly SuiteLine[];
}

/** A scenario of a suite, with as many devices as it runs with there. */
interface SuiteLine {
	readonly name: string;
	readonly devices: number;
	readonly policies: readonly string[];
}

/** The scenarios that come with the software, by name. Throws when one of them is broken: that is a fault of ours. */
export function listCatalogue(): CatalogueEntry[] {
	return catalogueNames().map((name) => {
		const scenario = sound(loadScenario(name), `catalogue scenario ${name}`);
		const { title, devices, durationMicros, teaches } = scenario;
		return { name, title, devices: devices.count, durationMicros, teaches };
	});
}

/** The suites that come with the software, by name. Throws when one of them is broken: that is a fault of ours. */
export function listSuites(): SuiteListing[] {
	return suiteNames().map((name) => {
		const { title, teaches, entries } = sound(findSuite(`${SUITE_PREFIX}${name}`), `suite ${name}`) as Suite;
		const scenarios = entries.map((entry): SuiteLine => {
			const { devices, seed, set } = entry;
			const overrides = {
				...(devices === undefined ? {} : { devices }),
				...(seed === undefined ? {} : { seed }),
				set,
			};
			const scenario = sound(loadScenario(entry.scenario, overrides), `suite ${name}, ${entry.scenario}`);
			const policies = entry.policies ?? scenario.policies;
			return { name: scenario.name, devices: scenario.devices.count, policies };
		});
		return { name: suiteWord(name), title, teaches, scenarios };
	});
}

function sound<T>(result: Result<T, readonly UserError[]>, what: string): T {
	if (!result.ok) {
		throw new Error(`${what}: ${result.error.map(({ message }) => message).join("; ")}`);
	}
	return result.value;
}
