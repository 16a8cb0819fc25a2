import { describe, expect, test } from "vitest";
import { findSuite, parseSuite } from "../../src/scenarios/suite.js";

const HEAD = "schema: klais.suite/1\n";
const parsed = (text: string) => parseSuite(`${HEAD}${text}\n`, { file: "team.yaml", folder: "plans" });

function firstErrorOf(text: string) {
	const result = parsed(text);
	return result.ok ? undefined : result.error[0];
}

describe("suites", () => {
	test("names, files relative to the suite, and what changes", () => {
		const result = parsed(
			"title: Ours\nscenarios:\n  - smoke\n  - fleet.yaml\n" +
				"  - { scenario: ../other.yaml, name: again, devices: 5_000, seed: 7, policies: [klais], set: { broker.capacity: 5/s, policies: [none] } }\n",
		);
		expect(result).toMatchObject({
			ok: true,
			value: {
				file: "team.yaml",
				title: "Ours",
				entries: [
					{ scenario: "smoke", set: [] },
					{ scenario: "plans/fleet.yaml" },
					{
						scenario: "other.yaml",
						devices: 5_000,
						seed: "7",
						policies: ["klais"],
						set: [
							["name", "again"],
							["broker.capacity", "5/s"],
							["policies", '["none"]'],
						],
					},
				],
			},
		});
	});

	test.each([
		["scenarios: []", "schema scenarios 2:12", "at least one scenario"],
		["title: x", "schema scenarios 1:1", "is missing"],
		["scenarios: [{ devices: 5 }]", "schema scenarios.0.scenario 2:13", "is missing"],
		["scenarios: [{ scenario: smoke, device: 5 }]", "unknown-key scenarios.0.device 2:32", '"devices"?'],
		["scenarios: [{ scenario: smoke, devices: 0 }]", "schema scenarios.0.devices 2:41", "from 1 to"],
		["scenarios: [{ scenario: smoke, policies: [klias] }]", "schema scenarios.0.policies.0 2:43", '"klais"?'],
		["scenarios: [{ scenario: smoke, name: A b }]", "schema scenarios.0.name 2:38", "lower-case"],
		["scenarios: smoke", "schema scenarios 2:12", "expected a list"],
		["scenaros: [smoke]", "unknown-key scenaros 2:1", '"scenarios"?'],
		["scenarios: [5]", "schema scenarios.0 2:13", "a scenario's name"],
	])("%s", (text, where, says) => {
		const errors = parsed(text);
		const messages = errors.ok ? [] : errors.error;
		const places = messages.map(({ kind, key, line, column }) => `${kind} ${key} ${line}:${column}`);
		expect(places).toContain(where);
		expect(messages.map(({ message }) => message).join(" ")).toContain(says);
	});

	test("another schema, and text that is no YAML", () => {
		const other = parseSuite("schema: klais.suite/2\nscenarios: [smoke]\n", { file: "a.yaml", folder: "." });
		expect(other).toMatchObject({ ok: false, error: [{ key: "schema", line: 1 }] });
		expect(firstErrorOf("scenarios: [")).toMatchObject({ kind: "syntax", file: "team.yaml" });
	});

	test("a mistake in a value is placed in the suite, one in the scenario stays there", () => {
		const result = parsed("scenarios:\n  - scenario: smoke\n    set:\n      broker.capacity: 0/s\n");
		const entry = result.ok ? result.value.entries[0] : undefined;
		const [setting] = entry?.set ?? [];
		expect(setting).toEqual(["broker.capacity", "0/s"]);
		expect(
			entry?.place({
				kind: "schema",
				file: "--set broker.capacity=0/s",
				key: "broker.capacity",
				message: "no",
			}),
		).toEqual({
			kind: "schema",
			file: "team.yaml",
			line: 5,
			column: 24,
			key: "scenarios.0.set.broker.capacity",
			message: "no",
		});
		const own = { kind: "schema", file: "smoke.yaml", line: 3, message: "broken" } as const;
		expect(entry?.place(own)).toBe(own);
		expect(entry?.place({ kind: "not-found", message: "no such scenario" })).toMatchObject({
			file: "team.yaml",
			line: 3,
		});
	});
});

describe("finding a suite", () => {
	test("a scenario of the same name comes first", () => {
		expect(findSuite("smoke")).toEqual({ ok: true, value: undefined });
		expect(findSuite("suite:smoke")).toMatchObject({ ok: true, value: { file: "suites/smoke.yaml" } });
		expect(findSuite("ci")).toMatchObject({ ok: true, value: { file: "suites/ci.yaml" } });
	});

	test("what is no suite is for the scenario's loader, unless it is called one", () => {
		expect(findSuite("nothing-of-that-name")).toEqual({ ok: true, value: undefined });
		expect(findSuite("no-such-file.yaml")).toEqual({ ok: true, value: undefined });
		expect(findSuite("suite:cii")).toMatchObject({
			ok: false,
			error: [{ kind: "not-found", message: expect.stringContaining('Did you mean "ci"?') }],
		});
	});
});
