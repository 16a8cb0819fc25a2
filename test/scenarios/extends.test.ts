import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadScenario, type ScenarioOverrides } from "../../src/scenarios/load-scenario.js";

const HEAD = "schema: klais.scenario/1\n";

let folder = "";
beforeAll(() => {
	folder = mkdtempSync(join(tmpdir(), "klais-extends-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function fileOf(name: string, text: string): string {
	const file = join(folder, name);
	mkdirSync(dirname(file), { recursive: true });
	writeFileSync(file, text);
	return file;
}

const child = (name: string, text: string) => fileOf(name, `${HEAD}${text}`);

function loaded(file: string, overrides?: ScenarioOverrides) {
	const result = loadScenario(file, overrides);
	if (!result.ok) {
		throw new Error(JSON.stringify(result.error));
	}
	return result.value;
}

function firstErrorOf(file: string, overrides?: ScenarioOverrides) {
	const result = loadScenario(file, overrides);
	return result.ok ? undefined : result.error[0];
}

const BASE = `${HEAD}name: base
title: The base
duration: 1h
seed: base
devices:
  count: 1000
  link: wifi
  firmware: { profile: tracker, bufferReadings: 50, backoff: { kind: fixed, base: 2s, cap: 9s } }
gateways: { count: 3, sessions: 7/s }
outages:
  - { kind: power, at: 10m, until: 20m, share: 50% }
  - { kind: gateway, at: 30m, until: 31m }
policies: [none, static, klais]
expect: [ackedLost == 0]
margins: { digest: any, drainRatio: 1% }
`;

describe("a scenario that extends another", () => {
	test("is the same as if it had been written out", () => {
		fileOf("base.yaml", BASE);
		const file = child(
			"same.yaml",
			`extends: base.yaml
title: The child
devices: { link: { loss: 2% }, firmware: { backoff: { cap: 5m } } }
outages: [{ kind: broker, at: 5m, until: 6m }]
gateways: { sessions: 9/s }
margins: { drainRatio: 5% }
`,
		);
		const whole = BASE.replace("name: base\n", "")
			.replace("The base", "The child")
			.replace("link: wifi", "link: { profile: wifi, loss: 2% }")
			.replace("cap: 9s", "cap: 5m")
			.replace("sessions: 7/s", "sessions: 9/s")
			.replace(/outages:\n[\s\S]*?\npolicies/, "outages: [{ kind: broker, at: 5m, until: 6m }]\npolicies")
			.replace("drainRatio: 1%", "drainRatio: 5%");
		fileOf("whole/same.yaml", whole);
		expect(loaded(file)).toEqual(loaded(join(folder, "whole", "same.yaml")));
		expect(JSON.stringify(loaded(file))).toBe(JSON.stringify(loaded(join(folder, "whole", "same.yaml"))));
		expect(loaded(file)).toMatchObject({ name: "same", seed: "base", policies: ["none", "static", "klais"] });
	});

	test("replaces with a text and with a list, and merges with a map", () => {
		fileOf("base.yaml", BASE);
		const text = child(
			"text.yaml",
			"extends: base.yaml\ndevices: { link: nb-iot, firmware: sensor }\noutages: []\n",
		);
		expect(loaded(text)).toMatchObject({
			devices: { count: 1_000, link: { name: "nb-iot" }, firmware: { bufferReadings: 120 } },
			outages: [],
		});
	});

	test("from the catalogue, over several files, and with --set on top", () => {
		child("one.yaml", "extends: smoke\nbroker: { capacity: 150/s }\nexpect: []\n");
		const two = child("deep/two.yaml", "extends: ../one.yaml\nname: second\ngateways: { count: 2 }\n");
		const scenario = loaded(two, { set: [["gateways.sessions", "8/s"]], devices: 2_000 });
		expect(scenario).toMatchObject({
			name: "second",
			title: "A street-corner power cut",
			broker: { capacityPerSecond: 150 },
			gateways: { count: 2, sessionsPerSecond: 8 },
		});
		expect(scenario).not.toHaveProperty("expect");
	});

	test("finds cohort files beside the file that names them", () => {
		expect(loaded(child("psps.yaml", "extends: psps-2019-10-25\n")).outages).toEqual(
			loaded("psps-2019-10-25").outages,
		);
		fileOf("near/rows.csv", "devices,out_at_s,back_at_s\n5,0,60\n");
		child(
			"near/base.yaml",
			"duration: 1h\ndevices: { count: 10 }\noutages: [{ kind: power, cohorts: rows.csv }]\n",
		);
		expect(loaded(child("far.yaml", "extends: near/base.yaml\n")).outages).toMatchObject([
			{ cohorts: [{ devices: 5 }] },
		]);
		fileOf("own.csv", "devices,out_at_s,back_at_s\n7,0,60\n");
		const set = [["outages.0.cohorts", "own.csv"]] as const;
		expect(loaded(join(folder, "far.yaml"), { set }).outages).toMatchObject([{ cohorts: [{ devices: 7 }] }]);
	});
});

describe("errors are placed in the file that has the mistake", () => {
	test("in the child, in the parent, and where a rule ties both together", () => {
		fileOf("wrong.yaml", BASE.replace("sessions: 7/s", "sesions: 7/s"));
		expect(firstErrorOf(child("a.yaml", "extends: wrong.yaml\n"))).toMatchObject({
			file: join(folder, "wrong.yaml"),
			key: "gateways.sesions",
			line: 10,
			message: expect.stringContaining('Did you mean "sessions"?'),
		});
		fileOf("base.yaml", BASE);
		expect(firstErrorOf(child("b.yaml", "extends: base.yaml\nbroker:\n  capacty: 5/s\n"))).toMatchObject({
			file: join(folder, "b.yaml"),
			line: 4,
			column: 3,
			key: "broker.capacty",
		});
		const shorter = child("c.yaml", "extends: base.yaml\n\nduration: 15m\n");
		expect(firstErrorOf(shorter)).toMatchObject({
			file: join(folder, "base.yaml"),
			key: "outages.1.at",
			line: 13,
		});
		const odd = child("d.yaml", "extends: base.yaml\ndevices: { firmware: { reportInterval: 90s } }\n");
		expect(firstErrorOf(odd)).toMatchObject({
			file: join(folder, "d.yaml"),
			line: 3,
			key: "devices.firmware.reportInterval",
		});
	});

	test("what is missing everywhere is missing in the child", () => {
		child("half.yaml", "devices: { count: 5 }\n");
		expect(firstErrorOf(child("e.yaml", "extends: half.yaml\n"))).toMatchObject({
			file: join(folder, "e.yaml"),
			key: "duration",
			message: expect.stringContaining("is missing"),
		});
	});

	test.each([
		["an unknown name", "extends: smoek", "not-found", 'Did you mean "smoke"?'],
		["a suite", "extends: ci", "not-found", "names a suite"],
		["a missing file", "extends: nowhere.yaml", "not-found", "nowhere.yaml: no such file"],
		["a folder", "extends: ./", "unreadable", "is a folder"],
		["itself", "extends: case.yaml", "schema", "case.yaml comes back to itself"],
		["no text", "extends: [smoke]", "schema", "expected a text"],
		["nothing", "extends:", "schema", "expected a text"],
	])("%s", (_name, text, kind, says) => {
		const error = firstErrorOf(child("case.yaml", `\n${text}\n`));
		expect(error).toMatchObject({ kind, key: "extends", line: 3, message: expect.stringContaining(says) });
		expect(error?.file).toBe(join(folder, "case.yaml"));
	});

	test("circles over several files, and chains without end", () => {
		child("x.yaml", "extends: y.yaml\n");
		child("y.yaml", "extends: ./z.yaml\n");
		child("z.yaml", "extends: ../$NAME/x.yaml\n".replace("$NAME", folder.split("/").at(-1) ?? ""));
		expect(firstErrorOf(join(folder, "x.yaml"))).toMatchObject({
			kind: "schema",
			file: join(folder, "z.yaml"),
			line: 2,
			message: expect.stringContaining("comes back to itself"),
		});
		for (let n = 0; n < 20; n++) {
			child(`chain${n}.yaml`, `extends: chain${n + 1}.yaml\n`);
		}
		expect(firstErrorOf(join(folder, "chain0.yaml"))).toMatchObject({
			kind: "limit",
			message: expect.stringContaining("longer than 16"),
		});
	});

	test("each file has a schema of its own", () => {
		fileOf("old.yaml", "schema: klais.scenario/0\nduration: 1h\ndevices: { count: 5 }\n");
		expect(firstErrorOf(child("f.yaml", "extends: old.yaml\n"))).toMatchObject({
			file: join(folder, "old.yaml"),
			key: "schema",
			line: 1,
			message: expect.stringContaining("klais.scenario/0"),
		});
		fileOf("none.yaml", "- 5\n");
		expect(firstErrorOf(child("g.yaml", "extends: none.yaml\n"))).toMatchObject({
			file: join(folder, "none.yaml"),
		});
	});

	test("syntax errors of a parent are the parent's", () => {
		fileOf("broken.yaml", "schema: [\n");
		expect(firstErrorOf(child("h.yaml", "extends: broken.yaml\n"))).toMatchObject({
			kind: "syntax",
			file: join(folder, "broken.yaml"),
		});
	});

	test("--set cannot change what a file extends, and is named when it is to blame", () => {
		const file = child("i.yaml", "extends: smoke\n");
		expect(firstErrorOf(file, { set: [["extends", "gateway-restart"]] })).toMatchObject({
			kind: "usage",
			file: "--set extends=gateway-restart",
		});
		expect(firstErrorOf(file, { set: [["broker.capacty", "1"]] })).toMatchObject({
			file: "--set broker.capacty=1",
			key: "broker.capacty",
		});
	});
});
