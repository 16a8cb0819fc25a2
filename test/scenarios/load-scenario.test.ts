import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadScenario } from "../../src/scenarios/load-scenario.js";
import { errorsOf, SHORTEST, scenarioOf } from "./scenario-text.js";

let folder = "";
beforeAll(() => {
	folder = mkdtempSync(join(tmpdir(), "klais-scenarios-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function fileOf(name: string, content: string | Uint8Array): string {
	const file = join(folder, name);
	writeFileSync(file, content);
	return file;
}

function firstErrorOf(file: string) {
	const result = loadScenario(file);
	return result.ok ? undefined : result.error[0];
}

describe("files", () => {
	test("a byte-order mark and CRLF are taken as they come", () => {
		const result = loadScenario(fileOf("bom.yaml", `\uFEFF${SHORTEST.replaceAll("\n", "\r\n")}`));
		expect(result).toMatchObject({ ok: true, value: { name: "bom", devices: { count: 1_000 } } });
	});

	test("lines count the same behind a byte-order mark and CRLF", () => {
		const file = fileOf("bom-bad.yaml", `\uFEFF${SHORTEST}gatways: 1\n`.replaceAll("\n", "\r\n"));
		expect(firstErrorOf(file)).toMatchObject({ kind: "unknown-key", line: 4, column: 1 });
	});

	test.each([
		["UTF-16 LE", Buffer.from(`\uFEFF${SHORTEST}`, "utf16le"), undefined, "UTF-16"],
		["UTF-16 BE", Buffer.from(`\uFEFF${SHORTEST}`, "utf16le").swap16(), undefined, "UTF-16"],
		["UTF-16 without a mark", Buffer.from(SHORTEST, "utf16le"), 1, "zero byte"],
		["a zero byte", Buffer.from(`${SHORTEST}\0`), 4, "binary"],
		["Latin-1", Buffer.from(`${SHORTEST}title: caf\u00e9\n`, "latin1"), 4, "not UTF-8"],
		["a character cut in half", Buffer.from(`${SHORTEST}# \u00e9`).subarray(0, -1), 4, "not UTF-8"],
	])("%s is refused", (name, bytes, line, says) => {
		const error = firstErrorOf(fileOf(`${name}.yaml`, bytes));
		expect(error).toMatchObject({ kind: "unreadable", message: expect.stringContaining(says) });
		expect(error?.line).toBe(line);
	});

	test("a huge file is refused before it is read", () => {
		const error = firstErrorOf(fileOf("huge.yaml", `#${" ".repeat(1_048_577)}`));
		expect(error).toMatchObject({ kind: "limit", message: expect.stringContaining("1048576 bytes") });
	});

	test("a folder, a missing file, a link to itself, a name with a zero byte", () => {
		mkdirSync(join(folder, "folder.yaml"));
		symlinkSync("loop.yaml", join(folder, "loop.yaml"));
		expect(firstErrorOf(join(folder, "folder.yaml"))).toMatchObject({
			kind: "unreadable",
			message: /folder/,
		});
		expect(firstErrorOf(join(folder, "none.yaml"))).toMatchObject({ kind: "not-found" });
		expect(firstErrorOf(join(folder, "loop.yaml"))).toMatchObject({ kind: "unreadable" });
		expect(firstErrorOf("a\0b.yaml")).toMatchObject({ kind: "unreadable" });
	});

	test.skipIf(process.platform === "win32")("a named pipe is refused and does not hang", () => {
		const pipe = join(folder, "pipe.yaml");
		execFileSync("sh", ["-c", 'mkfifo "$0"', pipe]);
		expect(firstErrorOf(pipe)).toMatchObject({ kind: "unreadable", message: "is not a regular file" });
	});

	test.skipIf(process.getuid?.() === 0)("a file without permission", () => {
		const file = fileOf("secret.yaml", SHORTEST);
		chmodSync(file, 0);
		expect(firstErrorOf(file)).toMatchObject({ kind: "unreadable", message: "permission denied" });
	});

	test("a name that is close to one of the catalogue", () => {
		expect(loadScenario("smoek")).toMatchObject({
			ok: false,
			error: [{ kind: "not-found", message: expect.stringContaining('Did you mean "smoke"?') }],
		});
	});

	test("errors within a cohort file name that file", () => {
		fileOf("cohorts.csv", "devices,out_at_s,back_at_s,spread_s\n5,0,60,0\n5,100,90,0\n");
		const file = fileOf("with-cohorts.yaml", `${SHORTEST}outages: [{ kind: power, cohorts: cohorts.csv }]\n`);
		expect(firstErrorOf(file)).toMatchObject({
			kind: "schema",
			file: join(folder, "cohorts.csv"),
			line: 3,
			column: 7,
			key: "back_at_s",
		});
	});

	test("cohorts beyond the end never happen, or never return", () => {
		fileOf("late.csv", "devices,out_at_s,back_at_s,spread_s\n5,3600,3700,0\n3,1800,3600,60\n2,60,,\n");
		const file = fileOf("late.yaml", `${SHORTEST}outages: [{ kind: power, cohorts: late.csv }]\n`);
		expect(loadScenario(file)).toMatchObject({
			value: {
				outages: [
					{
						cohorts: [
							{ devices: 2, outAtMicros: 60e6, backAtMicros: null },
							{ devices: 3, backAtMicros: null, spreadMicros: 0 },
						],
					},
				],
			},
		});
	});
});

describe("defaults and profiles", () => {
	test("three keys make a scenario", () => {
		const scenario = scenarioOf(SHORTEST);
		expect(scenario).toMatchObject({
			name: "plan",
			seed: "klais",
			policies: ["none", "klais"],
			outages: [],
			devices: { link: { name: "lte-m", minMicros: 100_000 }, firmware: { bufferReadings: 672 } },
			gateways: { count: 4, sinkQueueReadings: 335_544, sinkBatchReadings: 10_485, sessionsPerSecond: 1 },
			broker: { capacityPerSecond: 3 },
		});
	});

	test("the minimum latencies are the engine's lookahead", () => {
		const minimum = (link: string) =>
			scenarioOf(`schema: klais.scenario/1\nduration: 1h\ndevices: { count: 1, link: ${link} }\n`).devices
				.link.minMicros;
		expect(["lte-m", "nb-iot", "wifi", "ethernet"].map(minimum)).toEqual([100_000, 250_000, 8_000, 4_000]);
	});

	test("overrides leave the rest of a profile alone", () => {
		const text =
			"schema: klais.scenario/1\nduration: 1h\ndevices: { count: 1, link: { profile: wifi, loss: 2% }, " +
			"firmware: { profile: tracker, backoff: fixed, bufferReadings: 10 } }\n";
		const { link, firmware } = scenarioOf(text).devices;
		expect(link).toMatchObject({ name: "wifi", minMicros: 8_000, lossPpm: 20_000 });
		expect(firmware).toMatchObject({
			bufferReadings: 10,
			keepAliveMicros: 240e6,
			backoff: { kind: "fixed", baseMicros: 1e6 },
		});
	});

	test("an outage in words", () => {
		const text = `${SHORTEST}outages:\n  - { kind: brown-out, at: 1m, until: never, share: 0.05% }\n  - { kind: gateway, at: 1m, until: 2m }\n`;
		expect(scenarioOf(text).outages).toEqual([
			{
				kind: "brown-out",
				cohorts: [{ devices: 1, outAtMicros: 60e6, backAtMicros: null, spreadMicros: 0 }],
				lossPpm: 200_000,
				duplicatePpm: 0,
				reorderPpm: 0,
				latencyFactor: 4,
			},
			{
				kind: "gateway",
				gateways: 4,
				down: "process",
				takeover: true,
				outAtMicros: 60e6,
				backAtMicros: 120e6,
			},
		]);
	});

	test("faults of servers in words", () => {
		const text =
			`${SHORTEST}broker: { nodes: 3 }\noutages:\n` +
			"  - { kind: gateway, at: 1m, until: 2m, gateways: 2, down: machine, takeover: false }\n" +
			"  - { kind: gateway-freeze, at: 3m, until: 4m }\n" +
			"  - { kind: gateway-cut, at: 5m, until: 6m }\n" +
			"  - { kind: gateway-cut, at: 7m, until: 8m, gateways: 2, from: [peers], direction: in }\n" +
			"  - { kind: leader-loss, at: 9m, until: 10m }\n" +
			"  - { kind: leader-loss, at: 11m, until: 12m, nodes: 3 }\n";
		const window = (out: number, back: number) => ({ outAtMicros: out * 60e6, backAtMicros: back * 60e6 });
		expect(scenarioOf(text).outages).toEqual([
			{ kind: "gateway", gateways: 2, down: "machine", takeover: false, ...window(1, 2) },
			{ kind: "gateway-freeze", gateways: 1, ...window(3, 4) },
			{
				kind: "gateway-cut",
				gateways: 1,
				from: ["devices", "peers", "broker"],
				direction: "both",
				...window(5, 6),
			},
			{ kind: "gateway-cut", gateways: 2, from: ["peers"], direction: "in", ...window(7, 8) },
			{ kind: "leader-loss", nodes: 1, ...window(9, 10) },
			{ kind: "leader-loss", nodes: 3, ...window(11, 12) },
		]);
	});

	test("clocks that are wrong", () => {
		expect(scenarioOf(SHORTEST).devices.clocks).toEqual({
			resetShare: 0,
			aheadShare: 0,
			driftingShare: 0,
			driftPpm: 200,
		});
		const text = `${SHORTEST.replace("devices: { count: 1000 }", "devices: { count: 1000, clocks: { reset: 2%, drifting: 0.5, drift: 1% } }")}`;
		expect(scenarioOf(text).devices.clocks).toEqual({
			resetShare: 0.02,
			aheadShare: 0,
			driftingShare: 0.5,
			driftPpm: 10_000,
		});
	});
});

describe("the command line's changes", () => {
	test("--set writes into the file, through short forms and lists, and makes maps on the way", () => {
		const scenario = scenarioOf(`${SHORTEST}outages:\n  - { kind: power, at: 1m, until: 2m, share: 1 }\n`, {
			set: [
				["devices.link", "wifi"],
				["devices.link.loss", "2%"],
				["devices.firmware.backoff.cap", "30s"],
				["outages.0.share", "10%"],
				["broker.capacity", "50/s"],
				["policies", "[static]"],
			],
			seed: "other",
		});
		expect(scenario).toMatchObject({
			seed: "other",
			devices: { link: { name: "wifi", lossPpm: 20_000 }, firmware: { backoff: { capMicros: 30e6 } } },
			outages: [{ cohorts: [{ devices: 100 }] }],
			broker: { capacityPerSecond: 50 },
			policies: ["static"],
		});
	});

	test.each([
		["devices.link.los", "1%", "unknown-key", "devices.link.los", 'Did you mean "loss"?'],
		["gatways.count", "1", "unknown-key", "gatways", 'Did you mean "gateways"?'],
		["duration", "soon", "schema", "duration", "expected a duration"],
		["duration.x", "1", "usage", "duration.x", "duration is not a map"],
		["outages.3.share", "1", "usage", "outages.3.share", "list of 1"],
		["a..b", "1", "usage", "a..b", "expected a path"],
		["", "1", "usage", "", "expected a path"],
		["seed", "[", "usage", "seed", "expected a YAML value"],
		["seed", "*a", "usage", "seed", "expected a YAML value"],
		["seed", "[".repeat(9_000), "usage", "seed", "expected a YAML value"],
		["devices.count", "1e10", "limit", "devices.count", "1.6 TB"],
		["__proto__.x", "1", "unknown-key", "__proto__", "unknown key"],
	])("--set %s=%s", (path, value, kind, key, says) => {
		const [error] = errorsOf(`${SHORTEST}outages:\n  - { kind: power, at: 1m, until: 2m, share: 1 }\n`, {
			set: [[path, value]],
		});
		expect(error).toMatchObject({ kind, key, message: expect.stringContaining(says) });
		expect(error?.file).toContain(`--set ${path}=`);
		expect(error?.line).toBeUndefined();
	});

	test("--devices and --seed out of range", () => {
		expect(errorsOf(SHORTEST, { devices: 10_000_000_000 })[0]).toMatchObject({
			kind: "limit",
			key: "--devices",
			message: /1\.3 TB/,
		});
		expect(errorsOf(SHORTEST, { devices: 0 })[0]).toMatchObject({ kind: "usage", key: "--devices" });
		expect(errorsOf(SHORTEST, { devices: Number.NaN })[0]).toMatchObject({ kind: "usage", key: "--devices" });
		expect(errorsOf(SHORTEST, { seed: "" })[0]).toMatchObject({ kind: "usage", key: "--seed" });
	});

	test("a smaller fleet by --set, with cohorts made for a larger one, points to --devices", () => {
		const result = loadScenario("psps-2019-10-25", { set: [["devices.count", "1000"]] });
		expect(result).toMatchObject({
			ok: false,
			error: [{ key: "outages", message: expect.stringContaining("--devices") }],
		});
	});
});
