import { describe, expect, test } from "vitest";
import { liveRefusals, liveWarnings } from "../../src/live/live-limits.js";
import { catalogueNames } from "../../src/scenarios/catalogue.js";
import { loadScenario, parseScenario } from "../../src/scenarios/load-scenario.js";
import type { Scenario } from "../../src/scenarios/scenario.js";

function scenarioOf(more: string, devices = "count: 100, link: lab"): Scenario {
	const text = `schema: klais.scenario/1\nname: s\nduration: 1h\ndevices: { ${devices} }\n${more}`;
	const parsed = parseScenario(text, { file: "s.yaml", folder: "." });
	if (!parsed.ok) {
		throw new Error(parsed.error.map(({ message }) => message).join("; "));
	}
	return parsed.value;
}

const ALONE = { speed: 1, faults: [] };

const keysOf = (scenario: Scenario, speed = 1) =>
	liveRefusals(scenario, "klais", { speed, faults: [] }).map(({ key }) => key);

describe("what a live run refuses", () => {
	test("nothing of a scenario with power cuts over a cable", () => {
		expect(keysOf(scenarioOf("outages: [{ kind: power, at: 1m, until: 2m, share: 50% }]"))).toEqual([]);
	});

	test.each(["refused", "black-holed", "half-open", "brown-out"])(
		"an outage of kind %s, by its place",
		(kind) => {
			const power = "{ kind: power, at: 1m, until: 2m, share: 50% }";
			const outages = `outages: [${power}, { kind: ${kind}, at: 5m, until: 9m, share: 10% }]`;
			expect(keysOf(scenarioOf(outages))).toEqual(["outages.1.kind"]);
		},
	);

	test.each(["gateway", "broker"])("an outage of the %s", (kind) => {
		const [refusal, ...others] = liveRefusals(
			scenarioOf(`outages: [{ kind: ${kind}, at: 1m, until: 2m }]`),
			"klais",
			ALONE,
		);
		expect(refusal).toMatchObject({ kind: "unsupported", key: "outages.0.kind" });
		expect(refusal?.message).toContain(`${kind} cannot be done live`);
		expect(others).toEqual([]);
	});

	test("a link that is no cable, naming what it has and what to set", () => {
		const [refusal] = liveRefusals(scenarioOf("", "count: 100, link: lte-m"), "klais", ALONE);
		expect(refusal?.key).toBe("devices.link");
		expect(refusal?.message).toContain("lte-m (loss, duplicate, reorder, uplink, max)");
		expect(refusal?.message).toContain("set devices.link to lab");
		expect(keysOf(scenarioOf("", "count: 100, link: { profile: lab, loss: 1% }"))).toEqual(["devices.link"]);
	});

	test("more devices than addresses, more gateways than is sensible", () => {
		expect(keysOf(scenarioOf("gateways: { count: 17 }", "count: 1_048_575, link: lab"))).toEqual([
			"devices.count",
			"gateways.count",
		]);
		expect(keysOf(scenarioOf("gateways: { count: 16 }", "count: 1_048_574, link: lab"))).toEqual([]);
	});

	test("what takes more than a day of real time, by speed", () => {
		const week = { ...scenarioOf(""), durationMicros: (7 * 86_400e6) as Scenario["durationMicros"] };
		expect(keysOf(week)).toEqual(["duration"]);
		expect(keysOf(week, 7)).toEqual([]);
	});

	test("the policy whose frames travel over TCP", () => {
		expect(liveRefusals(scenarioOf(""), "none", ALONE)).toMatchObject([{ key: "--policy" }]);
		expect(liveRefusals(scenarioOf(""), "static", ALONE)).toEqual([]);
	});

	test("none of the scenarios that are made for it", () => {
		const made = ["live-smoke", "restart-100k"];
		expect(catalogueNames()).toEqual(expect.arrayContaining(made));
		for (const name of made) {
			const loaded = loadScenario(name);
			expect(loaded.ok && keysOf(loaded.value), name).toEqual([]);
			expect(loaded.ok && liveWarnings(loaded.value, "mock"), name).toEqual([]);
		}
	});
});

describe("what a live run warns of", () => {
	test("a broker that is another one than its sinks", () => {
		const broker = (nodes: number, p99: string) =>
			`gateways: { count: 4 }\nbroker: { nodes: ${nodes}, commitMin: 19ms, commitMedian: 20ms, commitP99: ${p99} }`;
		expect(liveWarnings(scenarioOf(broker(4, "21ms")), "mock")).toEqual([]);
		expect(liveWarnings(scenarioOf(broker(1, "21ms")), "mock")).toEqual([
			expect.stringContaining("with broker.nodes=4 the simulator has the same"),
		]);
		expect(liveWarnings(scenarioOf(broker(4, "200ms")), "mock")).toEqual([
			expect.stringContaining("every commit of a live run takes the median, 20ms"),
		]);
	});
});
