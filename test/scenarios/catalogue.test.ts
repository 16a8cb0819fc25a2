import { describe, expect, test } from "vitest";
import { catalogueNames, suiteNames } from "../../src/scenarios/catalogue.js";
import { listCatalogue, listSuites } from "../../src/scenarios/list-catalogue.js";
import { loadScenario } from "../../src/scenarios/load-scenario.js";
import { scalingFloors } from "../../src/scenarios/scale-scenario.js";
import type { Scenario } from "../../src/scenarios/scenario.js";
import { findSuite } from "../../src/scenarios/suite.js";

function scenarioNamed(name: string): Scenario {
	const loaded = loadScenario(name);
	if (!loaded.ok) {
		throw new Error(JSON.stringify(loaded.error));
	}
	return loaded.value;
}

describe("the catalogue", () => {
	const entries = listCatalogue();

	test("has the scenarios that others count on", () => {
		const devices = new Map(entries.map((entry) => [entry.name, entry.devices]));
		expect(entries.length).toBeGreaterThanOrEqual(15);
		expect(devices.get("smoke")).toBe(2_000);
		expect(devices.get("live-smoke")).toBe(500);
		expect(devices.get("restart-100k")).toBe(100_000);
		expect(devices.get("psps-2019-10-25")).toBe(1_074_065);
		expect(devices.get("storm-2021-01-26")).toBe(253_095);
	});

	test.each(catalogueNames())(
		"%s says what it is, what it teaches, where it is from and what must hold",
		(name) => {
			const { title, teaches, sources, expect: expected = [], policies } = scenarioNamed(name);
			expect(title.length).toBeGreaterThan(10);
			expect(teaches.length).toBeGreaterThan(100);
			expect(sources.length).toBeGreaterThan(0);
			expect(scenarioNamed(name).name).toBe(name);
			expect(policies).toContain("klais");
			const ofKlais = expected
				.filter((one) => one.policies?.includes("klais") ?? true)
				.map(({ text }) => text);
			expect(ofKlais).toContain("ackedLost == 0");
			expect(ofKlais).toContain("duplicates == 0");
			// Whom it names is run by default, or it would never be judged.
			for (const policy of expected.flatMap((one) => one.policies ?? [])) {
				expect(policies).toContain(policy);
			}
		},
	);
});

describe("the suites", () => {
	test("are there", () => {
		expect(suiteNames()).toEqual(["ci", "incidents", "nightly", "peers", "smoke"]);
		expect(listSuites().map(({ name }) => name)).toEqual([
			"ci",
			"incidents",
			"nightly",
			"peers",
			"suite:smoke",
		]);
	});

	test("ci leaves out what klais live alone is for, and nothing else", () => {
		const ci = listSuites().find(({ name }) => name === "ci");
		const run = new Set(ci?.scenarios.map(({ name }) => name));
		expect(catalogueNames().filter((name) => !run.has(name))).toEqual(["live-smoke"]);
		expect(ci?.scenarios.every(({ policies }) => policies.includes("klais"))).toBe(true);
	});

	test.each(suiteNames())("%s runs scale models only", (name) => {
		const suite = findSuite(`suite:${name}`);
		for (const { scenario, devices, set } of (suite.ok && suite.value?.entries) || []) {
			const full = loadScenario(scenario, { set });
			const floors = full.ok && devices !== undefined ? scalingFloors(full.value, devices) : [];
			expect(full.ok).toBe(true);
			expect(floors, scenario).toEqual([]);
		}
	});
});
