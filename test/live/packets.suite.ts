import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { isExecutable } from "../../src/live/machine.js";
import type { LiveRecord } from "../../src/record/live-record.js";
import { newFolder, PROJECT, recordIn, startKlais } from "../cli/support.js";
import { because, FAKES, NO_NAMESPACES, NO_PACKETS, namespacesOfProcess } from "./support.js";

const NOBODY = "65534";
const CANNOT_CHANGE = NO_NAMESPACES !== "" || !isExecutable("/usr/bin/setpriv");

function measured(live: LiveRecord | undefined, name: string): number {
	return live?.figures.find((figure) => figure.name === name)?.measured ?? Number.NaN;
}

/**
 * The record of a run whose every check held. A generator that other work on this machine made late is no fault of what is
 * tested here; any other check is.
 */
function passed(cwd: string, { code, stdout }: { code: number | null; stdout: string }) {
	const results = recordIn(join(cwd, "o"));
	const [record] = results.live;
	const broken = record?.assertions.filter(({ holds }) => !holds).map(({ name }) => name) ?? ["no record"];
	expect(
		broken.filter((name) => name !== "generator-keeps-up"),
		stdout,
	).toEqual([]);
	expect(code, stdout).toBe(broken.length === 0 ? 0 : 1);
	return { record, results };
}

describe.skipIf(NO_PACKETS !== "")(`live-smoke as real packets${because(NO_PACKETS)}`, () => {
	test("the ledger balances, nothing is stored twice, and the kernel answers HELLOs by itself", async () => {
		const cwd = newFolder();
		const { child, ended } = startKlais(["live", "live-smoke", "--out", "o", "--reporter", "json"], { cwd });
		const { record, results } = passed(cwd, await ended);
		const { runs, partial } = results;
		expect(partial).toBe(false);
		expect(record).toMatchObject({ complete: true, xdp: { asked: "native", used: "native", reason: null } });
		expect(measured(record, "Stored twice")).toBe(0);
		// The sensors' clock is the scenario's in both worlds.
		expect(measured(record, "Readings taken")).toBe(runs[0]?.ledger.produced);
		expect(measured(record, "Devices connected again")).toBe(500);
		expect(measured(record, "HELLOs answered in the kernel")).toBeGreaterThan(0.2);
		expect(record?.series.onlineMeasured.filter((value) => value !== null).length).toBe(15);
		expect(namespacesOfProcess(child.pid)).toEqual([]);
	});

	test("without XDP user space does the same", async () => {
		const cwd = newFolder();
		const args = ["live", "live-smoke", "--xdp", "off", "--speed", "2", "--out", "o", "--reporter", "json"];
		const { record } = passed(cwd, await startKlais(args, { cwd }).ended);
		expect(record?.xdp).toEqual({ asked: "off", used: "off", reason: null });
		expect(measured(record, "HELLOs answered in the kernel")).toBe(0);
		expect(measured(record, "HELLOs deferred")).toBeGreaterThan(0.2);
	});

	test("a flood of hostile frames takes no device's place", async () => {
		const cwd = newFolder();
		const args = [
			"live",
			"live-smoke",
			"--xdp",
			"off",
			"--flood",
			"2000",
			"--out",
			"o",
			"--reporter",
			"json",
		];
		const { record, results } = passed(cwd, await startKlais(args, { cwd }).ended);
		for (const kind of ["spoofed", "forgedCookie", "oldKey", "malformed", "replay"]) {
			expect(measured(record, `flood: ${kind}`), kind).toBeGreaterThan(100);
		}
		expect(measured(record, "wire: mac")).toBeGreaterThan(0);
		expect(measured(record, "dropped: replayed")).toBeGreaterThan(0);
		// Copies that went to the gateway that was not asked.
		expect(measured(record, "dropped: other-gateway")).toBeGreaterThan(0);
		expect(measured(record, "Devices connected again")).toBe(500);
		expect(measured(record, "Bytes out per hostile byte in")).toBeLessThan(1);
		// As many sessions as the fleet alone asks for: none for the hostile.
		expect(measured(record, "HELLOs sent") * measured(record, "HELLOs passed")).toBeCloseTo(500, 6);
		expect(measured(record, "Readings taken")).toBe(results.runs[0]?.ledger.produced);
	});

	test("stopped half-way, it still accounts for every reading", async () => {
		const cwd = newFolder();
		const args = ["live", "live-smoke", "--out", "o", "--reporter", "json"];
		const { child, ended } = startKlais(args, { cwd });
		await sleep(9_000);
		child.kill("SIGINT");
		const { code, stdout } = await ended;
		expect(code, stdout).toBe(130);
		const [record] = recordIn(join(cwd, "o")).live;
		expect(record?.complete).toBe(false);
		expect(record?.assertions.find(({ name }) => name === "ledger")).toMatchObject({ holds: true });
		expect(namespacesOfProcess(child.pid)).toEqual([]);
	});
});

describe.skipIf(CANNOT_CHANGE)("another user than root", () => {
	test("is told so, and nothing is built", () => {
		const run = spawnSync(
			"setpriv",
			[
				...["--reuid", NOBODY, "--clear-groups", process.execPath],
				...[join(PROJECT, "bin", "klais.js"), "live", "live-smoke", "--out", "/nowhere"],
			],
			{ cwd: "/", encoding: "utf8", env: { ...process.env, KLAIS_NATIVE_BIN: FAKES, NO_COLOR: "1" } },
		);
		expect(run.stderr).toBe("live runs make network namespaces and load XDP programs: run klais as root\n");
		expect(run.status).toBe(2);
		expect(namespacesOfProcess(run.pid)).toEqual([]);
	});
});
