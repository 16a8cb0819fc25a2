import { parseScenario, type ScenarioOverrides } from "../../src/scenarios/load-scenario.js";
import type { Scenario } from "../../src/scenarios/scenario.js";
import type { UserError } from "../../src/units/user-error.js";

/** The shortest scenario. */
export const SHORTEST = "schema: klais.scenario/1\nduration: 1h\ndevices: { count: 1000 }\n";

/** The errors of a scenario's text; none: the list is empty. */
export function errorsOf(text: string, overrides?: ScenarioOverrides): readonly UserError[] {
	const result = parseScenario(text, { file: "plan.yaml", folder: "." }, overrides);
	return result.ok ? [] : result.error;
}

/** The scenario of a text that must be right. */
export function scenarioOf(text: string, overrides?: ScenarioOverrides): Scenario {
	const result = parseScenario(text, { file: "plan.yaml", folder: "." }, overrides);
	if (!result.ok) {
		throw new Error(JSON.stringify(result.error));
	}
	return result.value;
}
