import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { programsFolder } from "../../src/cli/native-programs.js";
import { FLEET_PROGRAM, GATEWAY_PROGRAM, isExecutable } from "../../src/live/machine.js";
import { type Calibration, loadCalibration, shippedCalibration } from "../../src/scenarios/calibration.js";
import { klais, lastLine, newFolder, PROJECT, recordIn, startKlais, TINY } from "./support.js";

const FAKES = join(PROJECT, "test", "cli", "calibration-fakes");
const IS_ROOT = process.platform === "linux" && process.geteuid?.() === 0;

function calibrate(cwd: string, env: Readonly<Record<string, string>> = {}, out = "here.yaml") {
	const place = { cwd, env: { KLAIS_NATIVE_BIN: FAKES, ...env } };
	return klais(["calibrate", "--quick", "--out", out], place);
}

function calibrationIn(file: string): Calibration {
	const loaded = loadCalibration(file);
	expect(loaded).toMatchObject({ ok: true });
	return (loaded as Extract<typeof loaded, { ok: true }>).value;
}

/** Folders that a calibration left behind. */
const leftFolders = () => readdirSync(tmpdir()).filter((name) => name.startsWith("klais-calibrate-"));

describe("klais calibrate", () => {
	test("writes what it measured, and shows it beside what was there", async () => {
		const cwd = newFolder();
		const { code, stdout, stderr } = await calibrate(cwd);
		expect({ code, stderr }).toMatchObject({ code: 0, stderr: expect.stringContaining("HELLO: 7001 ns") });
		expect(lastLine(stdout)).toBe("here.yaml");
		const { userSpace, load, kernel, kernelFrom } = calibrationIn(join(cwd, "here.yaml"));
		expect(userSpace).toEqual({ helloNanos: 7_001, dataNanos: 2_500, readingNanos: 7 });
		expect(load).toEqual({ framesPerSecond: 40_000, seconds: 10, rounds: 1, samples: 100 });
		if (IS_ROOT) {
			const costs = { helloPassNanos: 211, helloDeferNanos: 223, helloDropNanos: 101 };
			expect(kernel).toEqual({ ...costs, dataPassNanos: 97, dataDropNanos: 89 });
			expect(kernelFrom).toBe("klais-xdp bench --quick");
		} else {
			expect(kernel).toEqual(shippedCalibration().kernel);
			expect(kernelFrom).toContain("takes root");
		}
		const before = shippedCalibration().userSpace.helloNanos.toLocaleString("en-US");
		expect(stdout).toMatch(new RegExp(`HELLO, a session +│ +${before} │ +7,001 │`));

		// Again: what it is held against is now the file itself.
		const again = await calibrate(cwd);
		expect(again.stdout).toMatch(/HELLO, a session +│ +7,001 │ +7,001 │ +\+0 %/);
		expect(readdirSync(cwd)).toEqual(["here.yaml"]);
	});

	test("changes what a simulated gateway costs, where the scenario does not say", async () => {
		const cwd = newFolder({ "tiny.yaml": TINY });
		await calibrate(cwd);
		const digests = [];
		for (const flags of [[], ["--calibration", "here.yaml"]]) {
			const args = ["run", "tiny.yaml", "--policy", "klais", "--out", "o", ...flags];
			const { code } = await klais(args, { cwd });
			expect(code).toBe(0);
			const { runs, command } = recordIn(join(cwd, "o"));
			expect(command.includes("--calibration here.yaml")).toBe(flags.length > 0);
			const { dataNanos } = flags.length > 0 ? { dataNanos: 2_500 } : shippedCalibration().userSpace;
			// 20 ms a session are the scenario's own.
			const source = { helloCpu: "stated", dataCpu: expect.stringMatching(/^calibration of /) };
			expect(runs[0]?.config).toMatchObject({
				gateways: { costs: { helloNanos: 20_000_000, dataNanos, source } },
			});
			digests.push(runs[0]?.digest);
		}
		expect(digests[0]).not.toBe(digests[1]);
	});

	test.each([
		["a gateway that refuses to start", { FAKE_GATEWAY: "refuses" }, "the policy is not for me"],
		["a gateway that dies", { FAKE_GATEWAY: "dies" }, "klais-gatewayd: "],
		["a gateway that does not say where it is", { FAKE_GATEWAY: "mumbles" }, "klais-gatewayd: "],
		["a gateway whose stats are cut short", { FAKE_GATEWAY: "garbles" }, "klais-gatewayd: "],
		["a gateway that timed nothing", { FAKE_GATEWAY: "times-nothing" }, "timed too little"],
		["a gateway that admits no sessions", { FAKE_GATEWAY: "defers" }, "deferred 400 of 1000"],
		["a fleet that fails", { FAKE_FLEET: "fails" }, "no room for that many devices"],
		["a fleet without a report", { FAKE_FLEET: "garbles" }, "klais-fleet left no report"],
	])("%s: one message, exit 2, nothing written", async (_, env, says) => {
		const cwd = newFolder();
		const { code, stdout, stderr } = await calibrate(cwd, env);
		expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
		expect(lastLine(stderr)).toContain(says);
		expect(readdirSync(cwd)).toEqual([]);
	});

	describe.runIf(IS_ROOT)("as root", () => {
		test.each([
			["fails", "of 16384 packets"],
			["garbles", "what is no record"],
			["forgets", "dataPassNanos"],
		])("a filter's bench that %s: one message, exit 2, nothing written", async (mode, says) => {
			const cwd = newFolder();
			const { code, stderr } = await calibrate(cwd, { FAKE_XDP: mode });
			expect(code).toBe(2);
			expect(lastLine(stderr)).toContain(says);
			expect(readdirSync(cwd)).toEqual([]);
		});

		test.each([
			["kernel lets nobody measure", "cannot", "Operation not permitted"],
			["user may not", "unable", "CAP_BPF"],
		])("where the %s, its costs are kept, and the file says why", async (_, mode, why) => {
			const cwd = newFolder();
			const { code, stderr } = await calibrate(cwd, { FAKE_XDP: mode });
			expect(code).toBe(0);
			expect(stderr).toContain("warning: kernel costs are kept");
			const { kernel, kernelFrom } = calibrationIn(join(cwd, "here.yaml"));
			expect(kernel).toEqual(shippedCalibration().kernel);
			expect(kernelFrom).toContain(why);
		});
	});

	test("refuses before it measures: no programs, a file that is no calibration, no such place", async () => {
		const cwd = newFolder({ "notes.yaml": "remember: the milk\n" });
		const none = await calibrate(cwd, { KLAIS_NATIVE_BIN: cwd });
		expect(none).toMatchObject({ code: 2, stdout: "" });
		expect(none.stderr).toMatch(/klais-gatewayd: no such program.*\n.*klais-fleet: no such program/);
		const other = await calibrate(cwd, {}, "notes.yaml");
		expect(other.code).toBe(2);
		expect(other.stderr).toContain("notes.yaml:1");
		expect(readFileSync(join(cwd, "notes.yaml"), "utf8")).toBe("remember: the milk\n");
		const nowhere = await calibrate(cwd, {}, "notes.yaml/here.yaml");
		expect(nowhere).toMatchObject({ code: 2, stdout: "" });
		expect(nowhere.stderr).toContain("cannot be written");
	});

	test.each(["SIGINT", "SIGTERM"] as const)(
		"on %s it ends its programs and writes nothing",
		async (signal) => {
			const cwd = newFolder();
			const pids = join(cwd, "pids");
			const before = leftFolders();
			const env = { KLAIS_NATIVE_BIN: FAKES, FAKE_FLEET: "slow", FAKE_PIDS: pids };
			const { child, ended } = startKlais(["calibrate", "--out", "here.yaml"], { cwd, env });
			while (!existsSync(pids) || readFileSync(pids, "utf8").split("\n").length < 3) {
				await sleep(20);
			}
			child.kill(signal);
			expect(await ended).toMatchObject({ code: signal === "SIGINT" ? 130 : 143, stdout: "" });
			for (const pid of readFileSync(pids, "utf8").trim().split("\n")) {
				expect(() => process.kill(Number(pid), 0)).toThrow();
			}
			expect(readdirSync(cwd)).toEqual(["pids"]);
			expect(leftFolders()).toEqual(before);
		},
	);
});

const real = [GATEWAY_PROGRAM, FLEET_PROGRAM].find((name) => !isExecutable(join(programsFolder(), name)));
const reason = real === undefined ? "" : ` (skipped: ${real} is not built)`;

describe.skipIf(real !== undefined)(`klais calibrate with the real programs${reason}`, () => {
	test("finds costs of microseconds a frame, and of nanoseconds a reading", async () => {
		const cwd = newFolder();
		// Without the bench of the filter: it has tests of its own.
		const programs = join(cwd, "programs");
		mkdirSync(programs);
		for (const name of [GATEWAY_PROGRAM, FLEET_PROGRAM]) {
			symlinkSync(join(programsFolder(), name), join(programs, name));
		}
		const { code, stderr } = await calibrate(cwd, { KLAIS_NATIVE_BIN: programs });
		expect({ code, stderr }).toMatchObject({ code: 0 });
		const { userSpace, kernelFrom } = calibrationIn(join(cwd, "here.yaml"));
		expect(userSpace.helloNanos).toBeGreaterThan(500);
		expect(userSpace.dataNanos).toBeGreaterThan(500);
		expect(Math.max(userSpace.helloNanos, userSpace.dataNanos)).toBeLessThan(1_000_000);
		expect(userSpace.readingNanos).toBeLessThan(10_000);
		expect(kernelFrom).toMatch(/^kept from the calibration of /);
	});
});
