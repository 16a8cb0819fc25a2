import { describe, expect, test } from "vitest";
import { errorsOf, SHORTEST } from "./scenario-text.js";

/** Schema and duration, the first two lines; the case's own `devices` follow. */
const HEAD = "schema: klais.scenario/1\nduration: 1h\n";

/**
 * Name; text, added to the shortest scenario (of three lines), or to its head when it begins with "…", or whole when it
 * holds the schema; the expected "kind key line:column"; a part of the message.
 */
const CASES: readonly (readonly [name: string, text: string, where: string, says: string])[] = [
	["unknown key", "gatways: {}", "unknown-key gatways 4:1", 'Did you mean "gateways"?'],
	[
		"unknown key, far from all known",
		"broker:\n  zzzzzzzzzzzz: 1",
		"unknown-key broker.zzzzzzzzzzzz 5:3",
		"Known keys: partitions",
	],
	[
		"unknown key under a union",
		"…devices:\n  count: 10\n  link:\n    los: 1%",
		"unknown-key devices.link.los 6:5",
		'Did you mean "loss"?',
	],
	[
		"no duration",
		"schema: klais.scenario/1\ndevices: { count: 1 }",
		"schema duration 1",
		'the key "duration" is missing',
	],
	[
		"another schema",
		"schema: klais.scenario/2\nduration: 1h\ndevices: { count: 1 }",
		"schema schema 1:9",
		"the only schema that this version reads",
	],
	[
		"no unit",
		"schema: klais.scenario/1\nduration: 60\ndevices: { count: 1 }",
		"schema duration 2:11",
		"the unit is missing",
	],
	[
		"too long",
		"schema: klais.scenario/1\nduration: 50d\ndevices: { count: 1 }",
		"schema duration 2",
		"limit of 49 days",
	],
	["zero devices", "…devices:\n  count: 0", "schema devices.count 4:10", "from 1 to"],
	[
		"ten billion devices",
		"…devices:\n  count: 1e10",
		"limit devices.count 4",
		"1.6 TB of memory (160 bytes each)",
	],
	["half a device", "…devices:\n  count: 1.5", "schema devices.count 4", "whole number"],
	["a list for a map", "gateways: [1]", "schema gateways 4:11", "expected a map of keys, found a list"],
	["nothing for a map", "broker:", "schema broker 4", "expected a map of keys, found nothing"],
	[
		"a flag for a duration",
		"gateways: { slotWindow: true }",
		"schema gateways.slotWindow 4",
		"expected a duration",
	],
	[
		"unknown profile",
		"…devices: { count: 1, firmware: smartmeter }",
		"schema devices.firmware 3:32",
		'Did you mean "smart-meter"?',
	],
	["unknown policy", "policies: [none, klias]", "schema policies.1 4:18", 'Did you mean "klais"?'],
	["a policy twice", "policies: [none, none]", "schema policies.1 4", "twice"],
	["no policy", "policies: []", "schema policies 4", "at least one policy"],
	["no rate", "broker: { capacity: 0/s }", "schema broker.capacity 4:21", "from 1/s"],
	["commitMin 0", "broker: { commitMin: 0 }", "schema broker.commitMin 4", "from 1us"],
	[
		"commit quantiles out of order",
		"broker:\n  commitMedian: 300ms",
		"schema broker.commitP99 5",
		"more than commitMedian (300ms), found 200ms",
	],
	[
		"link quantiles out of order",
		"…devices:\n  count: 1\n  link: { profile: wifi, min: 15ms }",
		"schema devices.link.median 5",
		"more than min (15ms), found 15ms",
	],
	[
		"report interval",
		"…devices:\n  count: 1\n  firmware:\n    reportInterval: 20m",
		"schema devices.firmware.reportInterval 6:21",
		"multiple of readingInterval (15m)",
	],
	[
		"backoff base above cap",
		"…devices:\n  count: 1\n  firmware:\n    backoff: { kind: exponential, base: 2h }",
		"schema devices.firmware.backoff.cap 6",
		"at least base (2h), found 1h",
	],
	[
		"boot times swapped",
		"…devices: { count: 1, firmware: { bootMin: 30s } }",
		"schema devices.firmware.bootMax 3",
		"at least bootMin",
	],
	[
		"too large a buffer",
		"…devices: { count: 1, firmware: { bufferReadings: 65536 } }",
		"schema devices.firmware.bufferReadings 3",
		"from 1 to 65,535",
	],
	[
		"a sink queue below one frame",
		"gateways: { sinkQueueReadings: 10 }",
		"schema gateways.sinkQueueReadings 4",
		"room for one frame, 64 readings",
	],
	[
		"more kinds of brown-out than a link has states",
		`outages: [${Array.from({ length: 13 }, (_, n) => `{ kind: brown-out, at: ${n}m, until: ${n + 1}m, share: 10%, loss: ${n + 1}% }`).join(", ")}]`,
		"schema outages 4",
		"at most 12 brown-outs",
	],
	[
		"a chance above 1",
		"…devices: { count: 1, link: { loss: 120% } }",
		"schema devices.link.loss 3",
		"from 0 to 100%",
	],
	[
		"unknown outage",
		"outages:\n  - { kind: powr, at: 1m, until: 2m, share: 1 }",
		"schema outages.0.kind 5:13",
		'Did you mean "power"?',
	],
	[
		"an outage of no kind",
		"outages:\n  - { at: 1m, until: 2m, share: 1 }",
		"schema outages.0.kind 5",
		'the key "kind" is missing',
	],
	[
		"a key of another outage",
		"outages:\n  - { kind: broker, at: 1m, until: 2m, share: 1 }",
		"unknown-key outages.0.share 5:40",
		'unknown key "share"',
	],
	[
		"an outage without share",
		"outages:\n  - { kind: power, at: 1m, until: 2m }",
		"schema outages.0.share 5",
		"at, until and share, or names a cohorts file",
	],
	[
		"an outage that ends first",
		"outages:\n  - { kind: power, at: 2m, until: 2m, share: 1 }",
		"schema outages.0.until 5:35",
		"after the outage's start at 2m, found 2m",
	],
	[
		"a gateway outage that ends first",
		"outages:\n  - { kind: gateway, at: 2m, until: 1m }",
		"schema outages.0.until 5",
		"after the outage's start",
	],
	[
		"an outage after the end",
		"outages:\n  - { kind: broker, at: 2h, until: 3h }",
		"schema outages.0.at 5",
		"after the scenario's end at 1h",
	],
	[
		"too large a share",
		"outages:\n  - { kind: power, at: 1m, until: 2m, share: 1.5 }",
		"schema outages.0.share 5",
		"above 0 and at most 1",
	],
	[
		"more devices out than there are",
		"outages:\n  - { kind: power, at: 1m, until: 9m, share: 60% }\n  - { kind: power, at: 5m, until: 9m, share: 60% }",
		"schema outages 5",
		"1200 devices are out of power at once at 5m, more than the fleet's 1000",
	],
	[
		"more gateways than there are",
		"outages:\n  - { kind: gateway, at: 1m, until: 9m, gateways: 3 }\n  - { kind: gateway, at: 5m, until: 9m, gateways: 2 }",
		"schema outages.1.gateways 6",
		"than the 4 that there are",
	],
	[
		"more gateways than there are, by faults of different kinds",
		"outages:\n  - { kind: gateway-freeze, at: 1m, until: 9m, gateways: 3 }\n  - { kind: gateway-cut, at: 5m, until: 9m, gateways: 2 }",
		"schema outages.1.gateways 6",
		"5 gateways are hit at once, more than the 4 that there are",
	],
	[
		"more nodes than there are",
		"outages:\n  - { kind: leader-loss, at: 1m, until: 2m, nodes: 2 }",
		"schema outages.0.nodes 5",
		"2 nodes are lost at once, more than the 1 that there are (broker.nodes)",
	],
	[
		"fewer partitions than gateways",
		"broker: { partitions: 3 }",
		"schema broker.partitions 4",
		"expected at least gateways.count (4), found 3",
	],
	[
		"fewer partitions than nodes",
		"broker: { partitions: 6, nodes: 7 }",
		"schema broker.partitions 4",
		"expected at least broker.nodes (7), found 6",
	],
	[
		"cut off from nobody",
		"outages:\n  - { kind: gateway-cut, at: 1m, until: 2m, from: [] }",
		"schema outages.0.from 5",
		"expected at least one of devices, peers, broker",
	],
	[
		"cut off from who is not there",
		"outages:\n  - { kind: gateway-cut, at: 1m, until: 2m, from: [device] }",
		"schema outages.0.from.0 5",
		'Did you mean "devices"?',
	],
	[
		"cut off twice",
		"outages:\n  - { kind: gateway-cut, at: 1m, until: 2m, from: [peers, peers] }",
		"schema outages.0.from 5",
		"there twice",
	],
	[
		"a key of another kind of fault",
		"outages:\n  - { kind: gateway-freeze, at: 1m, until: 2m, takeover: false }",
		"unknown-key outages.0.takeover 5",
		'unknown key "takeover"',
	],
	[
		"a server fault without an end",
		"outages:\n  - { kind: gateway-freeze, at: 1m, until: never }",
		"schema outages.0.until 5",
		"expected a duration",
	],
	[
		"more wrong clocks than devices",
		"…devices: { count: 10, clocks: { reset: 60%, ahead: 0.3, drifting: 20% } }",
		"schema devices.clocks 3",
		"together are 110 % of the fleet",
	],
	[
		"no such cohort file",
		"outages:\n  - { kind: power, cohorts: nowhere.csv }",
		"not-found outages.0.cohorts 5:29",
		"nowhere.csv: no such file",
	],
	[
		"an absolute cohort file",
		"outages:\n  - { kind: power, cohorts: /etc/passwd }",
		"schema outages.0.cohorts 5",
		"relative to the scenario",
	],
	[
		"cohorts and share",
		"outages:\n  - { kind: power, cohorts: nowhere.csv, share: 1 }",
		"schema outages.0.share 5",
		"exclude each other",
	],
	["broken YAML", "gateways: { count: 4", "syntax  5", "end with a }"],
	["a key twice", "duration: 2h", "syntax  4:1", "Map keys must be unique"],
	["a tab for indentation", "gateways:\n\tcount: 4", "syntax  5", "Tabs are not allowed as indentation"],
	["an unknown tag", "title: !secret x", "syntax  4:8", "Unresolved tag"],
	["a missing anchor", "title: *nowhere", "syntax  4:8", "names no anchor"],
	["a text for a scenario", "schema klais.scenario/1", "schema  1", "expected a map of keys"],
	["a list for a scenario", "# schema\n- 1", "schema  2", "expected a map of keys, found a list"],
	["two documents", "---\ntitle: x", "syntax  4", "more than one YAML document"],
	["deep flow nesting", `title: ${"[".repeat(100_000)}`, "limit  4", "nested deeper than the limit of 32"],
	["deep block nesting", `title:\n  ${"- ".repeat(100_000)}`, "limit  5", "nested deeper"],
	["a name with a slash", "name: ../x", "schema name 4", "lower-case letters"],
	["a prototype", "__proto__: { count: 1 }", "unknown-key __proto__ 4", "unknown key"],
];

function wholeText(text: string): string {
	if (text.startsWith("…")) {
		return `${HEAD}${text.slice(1)}\n`;
	}
	return text.includes("schema") ? text : `${SHORTEST}${text}\n`;
}

describe("a bad scenario says what is wrong, and where", () => {
	test.each(CASES)("%s", (_, text, where, says) => {
		const errors = errorsOf(wholeText(text));
		const match = errors.find(({ message }) => message.includes(says));
		expect(match, JSON.stringify(errors)).toBeDefined();
		const place = where.includes(":") ? `${match?.line}:${match?.column}` : `${match?.line}`;
		expect(`${match?.kind} ${match?.key ?? ""} ${place}`).toBe(where);
		expect(match?.file).toBe("plan.yaml");
	});

	test("several mistakes are told at once", () => {
		const errors = errorsOf("schema: klais.scenario/1\nduration: 1x\ndevices: { count: 0, lnk: wifi }\n");
		expect(errors.map(({ key }) => key)).toEqual(["duration", "devices.count", "devices.lnk"]);
	});

	test("a thousand mistakes are told in part, and counted", () => {
		const errors = errorsOf(`${SHORTEST}outages: [${"{ kind: x }, ".repeat(900)}]`);
		expect(errors).toHaveLength(21);
		expect(errors.at(-1)?.message).toBe("and 880 more");
	});

	test("a device can lack power and network at once", () => {
		const outages = ["power", "refused"].map(
			(kind) => `  - { kind: ${kind}, at: 1m, until: 9m, share: 60% }\n`,
		);
		expect(errorsOf(`${SHORTEST}outages:\n${outages.join("")}`)).toEqual([]);
	});

	test("aliases that multiply are refused", () => {
		const levels = Array.from(
			{ length: 9 },
			(_, index) => `  l${index + 1}: &l${index + 1} [${Array(9).fill(`*l${index}`)}]`,
		);
		const [error] = errorsOf(`${SHORTEST}bomb:\n  l0: &l0 [x]\n${levels.join("\n")}\n`);
		expect(error).toMatchObject({ kind: "limit", file: "plan.yaml" });
		expect(error?.message).toContain("aliases");
	});

	test.each([
		["keys", Array.from({ length: 60_000 }, (_, index) => `k${index}: 1`).join("\n")],
		["list items", `sources:\n${"- a\n".repeat(200_000)}`],
		["aliases", `title: &a x\nsources:\n${"- *a\n".repeat(200_000)}`],
	])("a hundred thousand %s are refused at once", (_, text) => {
		expect(errorsOf(SHORTEST + text)[0]).toMatchObject({ kind: "limit", file: "plan.yaml" });
	});

	test("stars in texts are no aliases", () => {
		const stars = `sources: [${Array(90).fill('"*a", x*').join(", ")}]\nteaches: |\n${"  *a\n".repeat(200)}`;
		expect(errorsOf(SHORTEST + stars).map(({ message }) => message)).toEqual([
			"expected at most 100 sources, found a list",
		]);
	});

	test("an alias within itself is no endless loop", () => {
		expect(errorsOf(`${SHORTEST}gateways: &a { count: *a }\n`).length).toBeGreaterThan(0);
	});

	test("an empty file, and one of comments", () => {
		expect(errorsOf("")[0]).toMatchObject({ kind: "syntax", message: "is empty: expected a map of keys" });
		expect(errorsOf("# nothing\n").length).toBeGreaterThan(0);
	});
});
