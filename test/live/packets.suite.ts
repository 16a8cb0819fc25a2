import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import type { LiveRecord } from "../../src/record/live-record.js";
import { newFolder, PROJECT, recordIn, startKlais } from "../cli/support.js";
import { because, FAKES, hasProgram, NO_NAMESPACES, NO_PACKETS, namespacesOfProcess } from "./support.js";

const NOBODY = "65534";
const CANNOT_CHANGE = NO_NAMESPACES !== "" || !hasProgram("/usr/bin/setpriv");

function measured(live: LiveRecord | undefined, name: string): number {
	return live?.figures.find((figure) => figure.name === name)?.measured ?? Number.NaN;
}

describe.skipIf(NO_PACKETS !== "")(`live-smoke as real packets${because(NO_PACKETS)}`, () => {
	test.skip("the ledger balances, nothing is stored twice, and the kernel answers HELLOs by itself", async () => {
		const cwd = newFolder();
		const { child, ended } = startKlais(["live", "live-smoke", "--out", "o", "--reporter", "json"], { cwd });
		const { code, stderr, stdout } = await ended;
		expect({ code, stderr: code === 0 ? "" : stderr, stdout: code === 0 ? "" : stdout }).toEqual({
			code: 0,
			stderr: "",
			stdout: "",
		});
		const { live, runs, partial } = recordIn(join(cwd, "o"));
		const [record] = live;
		expect(partial).toBe(false);
		expect(record).toMatchObject({ complete: true, xdp: { asked: "native", used: "native", reason: null } });
		expect(record?.assertions.filter(({ holds }) => !holds)).toEqual([]);
		expect(measured(record, "Stored twice")).toBe(0);
		// The sensors' clock is the scenario's in both worlds.
		expect(measured(record, "Readings taken")).toBe(runs[0]?.ledger.produced);
		expect(measured(record, "Devices connected again")).toBe(500);
		expect(measured(record, "HELLOs answered in the kernel")).toBeGreaterThan(0.2);
		expect(record?.series.onlineMeasured.filter((value) => value !== null).length).toBe(10);
		expect(namespacesOfProcess(child.pid)).toEqual([]);
	});

	test("without XDP user space does the same", async () => {
		const cwd = newFolder();
		const args = ["live", "live-smoke", "--xdp", "off", "--speed", "2", "--out", "o", "--reporter", "json"];
		const { code, stdout } = await startKlais(args, { cwd }).ended;
		expect(code, stdout).toBe(0);
		const [record] = recordIn(join(cwd, "o")).live;
		expect(record?.xdp).toEqual({ asked: "off", used: "off", reason: null });
		expect(measured(record, "HELLOs answered in the kernel")).toBe(0);
		expect(measured(record, "HELLOs deferred")).toBeGreaterThan(0.2);
	});

	test.skip("stopped half-way, it still accounts for every reading", async () => {
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
