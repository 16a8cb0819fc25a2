import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { gatewayServiceResult } from "../../src/cli/bench/gateway-service.js";
import { swarmResult } from "../../src/cli/bench/swarm.js";
import { runBench } from "../../src/cli/bench-command.js";
import type { BenchRecord } from "../../src/record/run-record.js";
import { PROJECT } from "../cli/support.js";
import { recordsOf, run } from "./support.js";

const FAKES = join(PROJECT, "test", "bench", "fakes");
const isLinux = process.platform === "linux";

beforeEach(() => {
	vi.stubEnv("KLAIS_NATIVE_BIN", FAKES);
	beUser(0);
});

afterEach(() => {
	vi.unstubAllEnvs();
});

function beUser(id: number) {
	vi.spyOn(process as { geteuid(): number }, "geteuid").mockReturnValue(id);
}

/** Runs groups against the stand-in, which does as `mode` says. */
async function bench(only: string, mode = "good", quick = false) {
	vi.stubEnv("FAKE_XDP", mode);
	const code = await runBench({ quick, only: [only], out: run.folder });
	return { code, records: recordsOf(join(run.folder, "bench.json")) };
}

/** The row of the printed tables that begins so, without its frame. */
function row(name: string): string[] {
	const line = run.printed.split("\n").find((text) => text.includes(` ${name} `)) ?? "";
	return line
		.split("│")
		.map((cell) => cell.trim())
		.filter((cell) => cell !== "");
}

describe.skipIf(!isLinux)("what is measured in the kernel", () => {
	it("is a record per row, held against what is wanted", async () => {
		const { code, records } = await bench("xdp");
		expect(code).toBe(0);
		expect(records.map(({ name }) => name)).toEqual([
			"xdp, floor: an empty program that drops",
			"xdp, foreign, ARP",
			"xdp, HELLO answered DEFER, newcomer",
		]);
		const [floor, arp] = records as [BenchRecord, BenchRecord];
		expect(arp).toMatchObject({ unit: "ns/packet", better: "lower", samples: [36, 30, 31] });
		expect(arp.environment).toMatchObject({ wanted: "35", judged: "best", loadAverage: "0.40" });
		expect(Number(arp.environment["cores"])).toBeGreaterThan(0);
		expect(floor.environment).not.toHaveProperty("wanted");
		expect(row("foreign, ARP").slice(-2)).toEqual(["at most 35 (best)", "met"]);
		expect(row("HELLO answered DEFER, newcomer").slice(-2)).toEqual(["at most 300 (best)", "MISSED"]);
		expect(row("floor: an empty program that drops")).toHaveLength(5);
		expect(run.said).toContain("xdp: bench --json");
		expect(run.printed).not.toContain("busy: ");
	});

	it("is judged by the middle sample where it is a ratio, and says that a veth pair is no network card", async () => {
		const { code, records } = await bench("drop-peers");
		expect(code).toBe(0);
		expect(records).toHaveLength(3);
		expect(row("above bare: dam / nftables ingress").slice(-2)).toEqual(["at most 0.34 (median)", "met"]);
		expect(run.printed).toContain("A veth pair is no network card");
		expect(run.said).toContain("drop-peers: peers --json");
	});

	it("is not judged in a quick run", async () => {
		const { code, records } = await bench("xdp", "good", true);
		expect(code).toBe(0);
		expect(run.said).toContain("bench --json --quick");
		expect(run.printed).not.toContain("MISSED");
		expect(run.printed).toContain("A quick run is not judged");
		expect(records[2]?.samples).toEqual([310, 305]);
	});

	it("says that the machine was busy, and leaves the figures as they are", async () => {
		const { records } = await bench("drop-peers", "busy");
		expect(run.printed).toContain("busy: load average up to 4.25");
		expect(records[0]?.samples).toEqual([140, 144]);
	});

	it.each([
		["fails", "klais-xdp bench ended with 1: of 16 packets 15 were counted as that"],
		["dies", "klais-xdp bench ended with a signal"],
		["garbles", "line 1 is no record"],
		["odd", "line 1 is no record: samples.0"],
		["silent", "the program printed no record"],
	])("is a failure, and no record, where the program %s", async (mode, reason) => {
		const { code, records } = await bench("xdp", mode);
		expect(code).toBe(1);
		expect(records).toEqual([]);
		expect(run.said).toContain(`xdp: not measured: ${reason}`);
	});

	it.each(["xdp", "drop-peers"])("skips %s where the program says that it cannot here", async (group) => {
		expect(await bench(group, "unable")).toEqual({ code: 0, records: [] });
		expect(run.printed).toContain("Skipped: there is no nft on the PATH.");
	});

	it("is skipped where the program is missing, or no program", async () => {
		vi.stubEnv("KLAIS_NATIVE_BIN", run.folder);
		expect(await bench("xdp")).toEqual({ code: 0, records: [] });
		writeFileSync(join(run.folder, "klais-xdp"), "");
		expect(await bench("xdp")).toEqual({ code: 0, records: [] });
		expect(
			run.printed.match(/Skipped: there is no .*klais-xdp \(npm run setup:live builds it\)\./g),
		).toHaveLength(2);
	});

	it("is skipped for others than root", async () => {
		beUser(1_000);
		expect(await bench("drop-peers")).toEqual({ code: 0, records: [] });
		expect(run.printed).toContain("Skipped: loading BPF programs needs root.");
		expect(run.said).not.toContain("peers --json");
	});
});

it("skips what needs Linux elsewhere", async () => {
	const real = Object.getOwnPropertyDescriptor(process, "platform") as PropertyDescriptor;
	Object.defineProperty(process, "platform", { ...real, value: "darwin" });
	try {
		expect(await bench("xdp")).toEqual({ code: 0, records: [] });
	} finally {
		Object.defineProperty(process, "platform", real);
	}
	expect(run.printed).toContain("Skipped: XDP needs Linux, this is darwin.");
});

describe("a gateway's service time", () => {
	const LINE = {
		name: "HELLO answered DEFER",
		unit: "ns/frame",
		better: "lower",
		samples: [250, 249],
		environment: { devices: "1000000" },
	};

	it("is a record per row", () => {
		const { records, failures } = gatewayServiceResult(`${JSON.stringify(LINE)}\n`);
		expect(records).toMatchObject([{ name: "gateway-service, HELLO answered DEFER", samples: [250, 249] }]);
		expect(failures).toEqual([]);
	});

	it("is an error where the benchmark printed nothing, or nonsense", () => {
		expect(() => gatewayServiceResult("")).toThrow("printed no record");
		expect(() => gatewayServiceResult("warming up\n")).toThrow("line 1 is no record");
		expect(() => gatewayServiceResult(JSON.stringify({ ...LINE, extra: 1 }))).toThrow("line 1");
	});
});

describe("the swarm's figures", () => {
	const LINE = {
		name: "first detection to the last that drops, 8 gateways",
		unit: "rounds of 20 ms",
		better: "lower",
		samples: [4.2, 9.5, 9.8],
		wanted: 9,
		judged: "median",
		environment: { devices: "1000000" },
	};

	it("say where the bound on gossip is missed", () => {
		const { records, tables, failures } = swarmResult(`${JSON.stringify(LINE)}\n`);
		expect(records).toMatchObject([{ name: `swarm, ${LINE.name}`, samples: LINE.samples }]);
		expect(tables[0]?.rows).toEqual([
			[LINE.name, "4.20", "9.50", LINE.unit, "3", "at most 9 (median)", "MISSED"],
		]);
		expect(failures).toEqual([]);
	});
});
