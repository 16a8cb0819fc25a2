import { chmodSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test, vi } from "vitest";
import { kafkaResult } from "../../src/cli/bench/kafka.js";
import { runBench } from "../../src/cli/bench-command.js";
import { programsFolder } from "../../src/cli/native-programs.js";
import type { KafkaBench } from "../../src/live/kafka-bench.js";
import { CLIENT_PROGRAM } from "../../src/live/kafka-bench-client.js";
import type { RateStep } from "../../src/live/kafka-bench-rates.js";
import type { Kill } from "../../src/live/kafka-bench-takeover.js";
import { FLEET_PROGRAM, GATEWAY_PROGRAM, isExecutable } from "../../src/live/machine.js";
import { NO_KAFKA } from "../live/broker/support.js";
import { recordsOf, run } from "./support.js";

const PROGRAMS = [GATEWAY_PROGRAM, FLEET_PROGRAM, CLIENT_PROGRAM];
const isLinux = process.platform === "linux";
const MISSING = PROGRAMS.filter((name) => !isExecutable(join(programsFolder(), name)));
const CANNOT = [NO_KAFKA, ...MISSING.map((name) => `no ${name}`)].filter((why) => why !== "").join("; ");

afterEach(() => {
	vi.unstubAllEnvs();
});

const quantiles = (p99: number, count = 100) => ({ count, p50: p99 / 4, p99, max: p99 });

function step(askedPerSecond: number, more: Partial<RateStep> = {}): RateStep {
	return {
		askedPerSecond,
		kept: true,
		acked: 1_200,
		stored: 1_200,
		latencyMicros: { p50: 40_000, p99: 90_000 },
		turnaroundMicros: { p50: 39_000, p99: 89_000 },
		cores: { gateway: 0.5, broker: null, prober: 0.1 },
		transactions: 80,
		...more,
	};
}

function kill(lastSeconds: number, lostOverflow = 0): Kill {
	const delays = { all: quantiles(3e6, 1_000), late: quantiles(3.5e6, 20) };
	const devices = { produced: 1_000, buffered: 0, acked: 1_000, lostOverflow, lostVolatile: 0 };
	const lagMicros = { p99: 100 };
	return { firstSeconds: 1, lastSeconds, devices: { ...devices, delays, lagMicros } };
}

const RESTORE = { marks: 1_000_004, seconds: 1.2, emptySeconds: 0.3 };

const MEASURED: KafkaBench = {
	broker: "local",
	client: new Map([
		["transactional-headers-paced", [200_000, null, 300_000]],
		["idempotent-headers-paced", [400_000, 400_000, 400_000]],
		["sink-without-transactions", [240_000, 240_000, 240_000]],
		["sink-exactly-once", [190_000, 170_000, 285_000]],
	]),
	exactlyOnce: [step(100_000), step(200_000), step(400_000, { kept: false, acked: 900 })],
	withoutTransactions: [step(250_000)],
	takeovers: { restore: RESTORE, restart: kill(1.4), takeover: kill(1.9) },
	hellos: {
		devices: 1_000_000,
		perSecond: 49_000,
		transactions: 400,
		pacedPerSecond: 24_500,
		unanswered: 0,
		latencyMicros: quantiles(8_000),
		turnaroundMicros: { p50: 40_000, p99: 90_000 },
		readings: { sent: 10, acked: 10 },
	},
	memory: {
		devices: 10_000_000,
		bytes: 415_000_000,
		fewDevices: 1_000,
		fewBytes: 20_000_000,
		perDeviceBytes: 39.5,
	},
	failures: [],
};

/** The rows of the table of figures: name, middle sample, and verdict. */
function rowsOf({ tables }: ReturnType<typeof kafkaResult>) {
	const rows = tables.find(({ title }) => title === "Kafka")?.rows ?? [];
	return new Map(rows.map((row) => [row[0], { median: row[2], verdict: row.at(-1) }]));
}

describe("the benchmark of gateway and Kafka", () => {
	test("holds every figure against what is wanted", () => {
		const result = kafkaResult(MEASURED, false);
		const rows = rowsOf(result);
		expect(result.failures).toEqual([]);
		// Round by round, where both came to an end: 190 of 200, 285 of 300.
		expect(rows.get("sink exactly once / transactional ceiling, same records")).toEqual({
			median: "0.95",
			verdict: "met",
		});
		expect(rows.get("sink exactly once / idempotent ceiling, same records")?.median).toBe("0.48");
		expect(rows.get("gateway to Kafka, exactly once")).toEqual({ median: "200,000", verdict: "met" });
		expect(rows.get("gateway exactly once / without transactions")?.median).toBe("0.80");
		expect(rows.get("gateway exactly once at 200,000 readings/s, turnaround p99")?.median).toBe("89.0");
		expect(rows.get("takeover, to the last shard's commit")).toEqual({ median: "1.90", verdict: "met" });
		expect(rows.get("takeover, p99 of those delayed")?.median).toBe("3.50");
		expect(rows.get("restart, to the last shard's commit")).toEqual({ median: "1.40", verdict: "" });
		expect(rows.get("HELLOs answered ADMIT")).toEqual({ median: "49,000", verdict: "MISSED" });
		expect(rows.get("memory, per device")).toEqual({ median: "39.5", verdict: "met" });
		expect(rows.has("client, idempotent-paced")).toBe(false);
		const record = result.records.find(({ name }) => name === "kafka, client, transactional-headers-paced");
		expect(record).toMatchObject({ samples: [200_000, 300_000], environment: { broker: "local" } });
	});

	test("shows every rate that was tried, and fails when the log is not what was acknowledged", () => {
		const [rates] = kafkaResult(MEASURED, false).tables;
		expect(rates?.rows.map((row) => [row[1], row[2], row[3]])).toEqual([
			["100,000", "yes", "1,200"],
			["200,000", "yes", "1,200"],
			["400,000", "no", "900"],
			["250,000", "yes", "1,200"],
		]);
		const failures = (exactlyOnce: RateStep[]) => kafkaResult({ ...MEASURED, exactlyOnce }, false).failures;
		expect(failures([step(1, { stored: 1_199 })])).toEqual([
			"kafka, exactly once, 1 readings/s: 1200 acknowledged, 1199 in the log",
		]);
		expect(failures([step(1, { stored: 1_201 })])).toHaveLength(1);
		// An acknowledgement that was lost on its way is no loss of a reading.
		expect(failures([step(1, { kept: false, stored: 1_201 })])).toEqual([]);
		expect(failures([step(1, { kept: false, stored: 1_199 })])).toHaveLength(1);
		expect(failures([step(1, { stored: null })])).toEqual([]);
	});

	test("fails when devices lose readings, and says what was not measured and why", () => {
		const lossy = kafkaResult(
			{ ...MEASURED, takeovers: { restore: RESTORE, restart: kill(1), takeover: kill(1, 7) } },
			false,
		);
		expect(lossy.failures).toEqual(["kafka, takeover: devices have given up 7 readings"]);
		const takeovers = { restore: RESTORE, restart: kill(1), takeover: "it knows no others" };
		const { notes, records, failures } = kafkaResult(
			{
				broker: "given",
				takeovers,
				exactlyOnce: [step(1, { kept: false })],
				failures: ["memory: not measured: x"],
			},
			false,
		);
		expect(notes).toContain("Takeover skipped: it knows no others.");
		expect(notes).toContain("MISSED: no rate that was tried is kept up with");
		expect(records.some(({ name }) => name.includes("takeover"))).toBe(false);
		expect(failures).toEqual(["kafka, memory: not measured: x"]);
	});

	test("judges nothing when it is quick", () => {
		const { tables, notes, records } = kafkaResult(MEASURED, true);
		const cells = tables.flatMap(({ rows }) => rows.flat());
		expect([...cells, ...notes].filter((text) => /^(met|MISSED)/.test(text))).toEqual([]);
		expect(records.every(({ environment }) => environment["wanted"] === undefined)).toBe(true);
	});
});

/** A folder of programs that do as their name says. */
function programs(gateway: string): string {
	const folder = join(run.folder, "programs");
	mkdirSync(join(folder, "examples"), { recursive: true });
	for (const name of PROGRAMS) {
		const file = join(folder, name);
		writeFileSync(file, `#!/bin/sh\n${name === GATEWAY_PROGRAM ? gateway : "exit 1"}\n`);
		chmodSync(file, 0o755);
	}
	return folder;
}

/** Runs the group: its exit code, and the reason for which it was skipped. */
async function skipped(folder: string) {
	vi.stubEnv("KLAIS_NATIVE_BIN", folder);
	const code = await runBench({ quick: true, only: ["kafka"], out: run.folder });
	expect(recordsOf(join(run.folder, "bench.json"))).toEqual([]);
	return { code, reason: /Skipped: (.*)\.\n/.exec(run.printed)?.[1] };
}

const runFolders = () =>
	readdirSync(tmpdir()).filter((name) => name.startsWith(`klais-live-${process.pid}-`));

describe.skipIf(!isLinux)("what cannot be measured is skipped, with the reason", () => {
	test("programs that are not built", async () => {
		const { code, reason } = await skipped(run.folder);
		expect(code).toBe(0);
		expect(reason).toBe(`there is no ${join(run.folder, GATEWAY_PROGRAM)} (npm run setup:live builds it)`);
	});

	test("a gateway without Kafka", async () => {
		const { code, reason } = await skipped(programs("echo built without Kafka >&2; exit 2"));
		expect([code, reason]).toEqual([
			0,
			"klais-gatewayd is built without Kafka (npm run setup:live builds it with)",
		]);
	});

	test("no Java", async () => {
		vi.stubEnv("KLAIS_KAFKA", "");
		vi.stubEnv("KLAIS_BROKER", "local");
		vi.stubEnv("JAVA_HOME", run.folder);
		const { code, reason } = await skipped(programs("exit 2"));
		expect(code).toBe(0);
		expect(reason).toContain("needs Java 17 or newer");
		expect(runFolders()).toEqual([]);
	});
});

describe.skipIf(CANNOT !== "")(`gateways and a broker${CANNOT && ` (skipped: ${CANNOT})`}`, () => {
	test("everything is measured, and what was acknowledged is in the log", { timeout: 300_000 }, async () => {
		const code = await runBench({ quick: true, only: ["kafka"], out: run.folder });
		expect(run.said).not.toMatch(/not measured|acknowledged, |given up/);
		expect(code).toBe(0);
		const records = recordsOf(join(run.folder, "bench.json"));
		const sample = (name: string) => records.find((record) => record.name === `kafka, ${name}`)?.samples[0];
		expect(sample("client, sink-exactly-once")).toBeGreaterThan(1_000);
		expect(sample("restore, marks read")).toBeGreaterThanOrEqual(20_000);
		expect(sample("restart, to the last shard's commit")).toBeLessThan(30);
		expect(sample("takeover, to the last shard's commit")).toBeLessThan(30);
		expect(sample("HELLOs answered ADMIT")).toBeGreaterThan(100);
		expect(sample("HELLOs, transactions committed meanwhile")).toBeGreaterThan(0);
		expect(sample("memory, per device")).toBeLessThan(1_000);
		expect(run.printed).toContain("A quick run is not judged.");
		expect(runFolders()).toEqual([]);
	});
});
