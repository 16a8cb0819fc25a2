import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, onTestFinished, test } from "vitest";
import { type Calibration, loadCalibration, shippedCalibration } from "../../src/scenarios/calibration.js";
import { calibrationYaml } from "../../src/scenarios/calibration-yaml.js";
import { loadScenario } from "../../src/scenarios/load-scenario.js";
import { errorsOf, SHORTEST, scenarioOf } from "./scenario-text.js";

function fileOf(text: string): string {
	const folder = mkdtempSync(join(tmpdir(), "klais-calibration-"));
	onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
	const file = join(folder, "here.yaml");
	writeFileSync(file, text);
	return file;
}

/** Numbers that nobody would take for the shipped ones. */
const HERE: Calibration = {
	version: "1.2.3",
	date: "2030-01-31",
	host: { cpu: 'An "odd" CPU: 4 x #1', cores: 3, kernel: "7.0" },
	load: { framesPerSecond: 40_000, seconds: 75, rounds: 3, samples: 1_234 },
	userSpace: { helloNanos: 7_001, dataNanos: 2_503, readingNanos: 7 },
	kernel: {
		helloPassNanos: 211,
		helloDeferNanos: 223,
		helloDropNanos: 101,
		dataPassNanos: 97,
		dataDropNanos: 89,
	},
	kernelFrom: "measured\nhere",
};

describe("a calibration file", () => {
	test("is read as it was written, whatever the numbers and names", () => {
		const nanos = fc.integer({ min: 0, max: 1_000_000_000 });
		const words = fc
			.string({ minLength: 1, maxLength: 60 })
			.filter((text) => text.trim() === text && text !== "");
		const calibrations = fc.record({
			cpu: words,
			from: words,
			userSpace: fc.record({ helloNanos: nanos, dataNanos: nanos, readingNanos: nanos }),
			dataDropNanos: nanos,
		});
		fc.assert(
			fc.property(calibrations, ({ cpu, from, userSpace, dataDropNanos }) => {
				const calibration: Calibration = {
					...HERE,
					host: { ...HERE.host, cpu },
					kernelFrom: from,
					userSpace,
					kernel: { ...HERE.kernel, dataDropNanos },
				};
				const file = fileOf(calibrationYaml(calibration));
				expect(loadCalibration(file)).toEqual({ ok: true, value: calibration });
				rmSync(file);
			}),
			{ numRuns: 50, seed: 5 },
		);
	});

	test("that comes with the software is in the form in which it would be written", () => {
		expect(loadCalibration(fileOf(calibrationYaml(shippedCalibration())))).toEqual({
			ok: true,
			value: shippedCalibration(),
		});
	});

	test.each([
		["another schema", "klais.calibration/1", "klais.calibration/2", "schema schema 2:9", "the only schema"],
		[
			"an unknown key",
			"  dataNanos",
			"  dataNano",
			"unknown-key userSpace.dataNano 16:3",
			'Did you mean "dataNanos"?',
		],
		["a fraction", "2_503", "2.5", "schema userSpace.dataNanos 16:14", "whole number"],
		["below zero", "2_503", "-1", "schema userSpace.dataNanos 16:14", "from 0 to"],
		["a missing cost", "  dataDropNanos: 89\n", "", "schema kernel.dataDropNanos 19:3", "is missing"],
		["no date", "2030-01-31", "yesterday", "schema date 4:7", "such as 2026-01-31"],
		["no YAML", "userSpace:", "userSpace: [", "syntax", ""],
	])("with %s is refused with file, line and key", (_, right, wrong, where, says) => {
		const file = fileOf(calibrationYaml(HERE).replace(right, wrong));
		const loaded = loadCalibration(file);
		const errors = loaded.ok ? [] : loaded.error;
		expect(errors.every((error) => error.file === file && error.line !== undefined)).toBe(true);
		const places = errors.map((e) => `${e.kind} ${e.key ?? ""} ${e.line}:${e.column}`);
		expect(places.some((place) => place.startsWith(where))).toBe(true);
		expect(errors.map(({ message }) => message).join()).toContain(says);
	});

	test("that is not there fails the scenario, whether it needs it or not", () => {
		const stated = `${SHORTEST}gateways: { helloCpu: 1ms, dataCpu: 1us, readingCpuNanos: 1 }\n`;
		for (const text of [SHORTEST, stated]) {
			const errors = errorsOf(text, { calibration: "/nowhere/at-all.yaml" });
			expect(errors).toEqual([{ kind: "not-found", file: "/nowhere/at-all.yaml", message: "no such file" }]);
		}
	});
});

describe("what frames cost", () => {
	const MEASURED = `calibration of ${HERE.host.cpu}, 2030-01-31`;
	const costsOf = (gateways: string, calibration = fileOf(calibrationYaml(HERE))) =>
		scenarioOf(`${SHORTEST}gateways: { ${gateways} }\n`, { calibration }).gateways.costs;

	test("is the calibration's where a scenario says nothing", () => {
		expect(costsOf("count: 2")).toEqual({
			...HERE.userSpace,
			kernel: HERE.kernel,
			source: { helloCpu: MEASURED, dataCpu: MEASURED, readingCpuNanos: MEASURED },
		});
		const shipped = shippedCalibration();
		const { kernel, helloNanos } = scenarioOf(SHORTEST).gateways.costs;
		expect({ kernel, helloNanos }).toEqual({
			kernel: shipped.kernel,
			helloNanos: shipped.userSpace.helloNanos,
		});
	});

	test("is what a scenario states, the filter's part included", () => {
		const nothing = {
			helloPassNanos: 0,
			helloDeferNanos: 0,
			helloDropNanos: 0,
			dataPassNanos: 0,
			dataDropNanos: 0,
		};
		expect(costsOf("helloCpu: 4ms, dataCpu: 20us, readingCpuNanos: 1_000")).toEqual({
			helloNanos: 4_000_000,
			dataNanos: 20_000,
			readingNanos: 1_000,
			kernel: nothing,
			source: { helloCpu: "stated", dataCpu: "stated", readingCpuNanos: "stated" },
		});
		// A stated session says nothing about DATA.
		expect(costsOf("helloCpu: 4ms")).toEqual({
			...HERE.userSpace,
			helloNanos: 4_000_000,
			kernel: { ...HERE.kernel, helloPassNanos: 0, helloDeferNanos: 0, helloDropNanos: 0 },
			source: { helloCpu: "stated", dataCpu: MEASURED, readingCpuNanos: MEASURED },
		});
	});

	test("scales with the fleet, the filter's part too", () => {
		const calibration = fileOf(calibrationYaml(HERE));
		const { costs } = scenarioOf(SHORTEST, { calibration, devices: 500 }).gateways;
		expect([costs.helloNanos, costs.dataNanos, costs.kernel.dataDropNanos]).toEqual([14_002, 5_006, 178]);
	});

	test("in the catalogue is stated: no calibration changes a published figure", () => {
		for (const name of ["smoke", "gateway-restart", "psps-2019-10-25"]) {
			const [one, other] = [{}, { calibration: fileOf(calibrationYaml(HERE)) }].map((overrides) => {
				const loaded = loadScenario(name, overrides);
				return loaded.ok ? loaded.value : loaded.error;
			});
			expect(other).toEqual(one);
		}
	});
});
