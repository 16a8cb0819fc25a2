import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { listCatalogue, listSuites } from "../../src/scenarios/list-catalogue.js";
import { formatDuration } from "../../src/units/duration.js";
import { klais, lastLine, newFolder, PROJECT, recordIn, TINY } from "./support.js";

describe("klais list", () => {
	test("says what the scenarios say, in a moment", async () => {
		const seconds: number[] = [];
		let stdout = "";
		for (let round = 0; round < 5; round++) {
			const started = performance.now();
			({ stdout } = await klais(["list"]));
			seconds.push((performance.now() - started) / 1_000);
		}
		for (const { name, title, devices, durationMicros } of listCatalogue()) {
			const words = [name, devices.toLocaleString("en-US"), formatDuration(durationMicros), title];
			expect(stdout.split("\n").map((line) => line.split(/ {2,}/))).toContainEqual(words);
		}
		for (const { name, title, scenarios } of listSuites()) {
			const words = [name, String(scenarios.length), title];
			expect(stdout.split("\n").map((line) => line.split(/ {2,}/))).toContainEqual(words);
		}
		// 150 ms on an idle machine; the cores of this one may be at work elsewhere.
		expect(Math.min(...seconds)).toBeLessThan(1);
	});

	test("as JSON", async () => {
		const { stdout } = await klais(["list", "--json"]);
		const entries = JSON.parse(stdout) as { name: string }[];
		const named = (wanted: string) => entries.find(({ name }) => name === wanted);
		expect(named("smoke")).toMatchObject({
			kind: "scenario",
			devices: 2_000,
			durationSeconds: 5_400,
			teaches: expect.any(String),
		});
		expect(named("suite:smoke")).toMatchObject({ kind: "suite", title: expect.any(String) });
		expect(named("ci")).toMatchObject({
			kind: "suite",
			scenarios: expect.arrayContaining([
				{ name: "tls-handshakes", devices: 6_000, policies: ["none", "static", "klais"] },
			]),
		});
	});

	test("a reader that closes the pipe is no error", () => {
		const command = `set -o pipefail; "${process.execPath}" "${PROJECT}/bin/klais.js" schema | head -c 1`;
		const { status, stderr } = spawnSync("bash", ["-c", command], { encoding: "utf8" });
		expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
	});
});

describe("klais report", () => {
	test("renders a stored record as the run did", async () => {
		const cwd = newFolder({ "tiny.yaml": TINY });
		await klais(["run", "tiny.yaml", "--policy", "none,klais", "--out", "o"], { cwd });
		const first = join(cwd, "o");
		const args = ["report", "o/results.json", "--reporter", "md,junit", "--out", "again"];
		const { code, stdout } = await klais(args, { cwd });
		expect(code).toBe(0);
		const again = join(cwd, "again");
		expect(lastLine(stdout)).toBe(join(again, "BENCHMARK_RESULTS.md"));
		expect(readdirSync(again).sort()).toEqual([
			"BENCHMARK_RESULTS.md",
			"charts",
			"junit.xml",
			"results.json",
		]);
		for (const name of ["BENCHMARK_RESULTS.md", "results.json"]) {
			expect(readFileSync(join(again, name), "utf8")).toBe(readFileSync(join(first, name), "utf8"));
		}

		// A record with a name of its own gets a folder of its own: other reports are not replaced.
		renameSync(join(again, "results.json"), join(cwd, "baseline.json"));
		const named = await klais(["report", "baseline.json", "--reporter", "json"], { cwd });
		expect(lastLine(named.stdout)).toBe(join(cwd, "baseline-report", "results.json"));
	});
});

describe("klais import", () => {
	const TRACE = [
		"time,customers_out",
		...[0, 40, 300, 280, 120, 60, 10, 0].map(
			(out, index) => `2024-05-01T00:${String(index * 5).padStart(2, "0")}:00Z,${out}`,
		),
	].join("\n");

	test("makes a scenario that runs", async () => {
		const cwd = newFolder({ "My City.csv": TRACE });
		const flags = ["--name", "my-city", "--source", "made up", "--firmware", "sensor", "--out", "scenarios"];
		const rates = ["--sessions", "5/s", "--capacity", "40/s", "--gateways", "2", "--spread"];
		const imported = await klais(["import", "My City.csv", ...flags, ...rates], { cwd });
		expect(imported.code).toBe(0);
		expect(imported.stdout).toBe("scenarios/my-city.cohorts.csv\nscenarios/my-city.yaml\n");
		expect(imported.stderr).toContain("now run it: klais run scenarios/my-city.yaml");
		const run = ["run", "scenarios/my-city.yaml", "--policy", "klais", "--out", "o", "--reporter", "json"];
		expect((await klais(run, { cwd })).code).toBe(0);
		const [record] = recordIn(join(cwd, "o")).runs;
		expect(record).toMatchObject({ scenario: "my-city", devices: 300, complete: true });
		expect(record?.ledger.produced).toBeGreaterThan(0);

		const again = await klais(["import", "My City.csv", ...flags], { cwd });
		expect(again.code).toBe(2);
		expect(again.stderr).toMatch(/my-city\.cohorts\.csv: is there already: .*--force/);
		const forced = await klais(["import", "My City.csv", ...flags, "--force"], { cwd });
		expect(forced.code).toBe(0);
		expect(readdirSync(join(cwd, "scenarios")).sort()).toEqual(["my-city.cohorts.csv", "my-city.yaml"]);
	});

	test("warns of what it dropped", async () => {
		const cwd = newFolder({ "gap.csv": `${TRACE}\n2024-05-01T09:00:00Z,0\n` });
		const { code, stderr } = await klais(["import", "gap.csv"], { cwd });
		expect(code).toBe(0);
		expect(stderr).toMatch(/^warning: .+/);
	});
});

describe("the other commands", () => {
	test("doctor says what this machine can run", async () => {
		const { code, stdout } = await klais(["doctor"]);
		expect(code).toBe(0);
		expect(stdout).toMatch(/ok {7}native library/);
		expect(stdout).toMatch(/one run of [\d,]+ devices/);
		expect(lastLine(stdout)).toBe("`klais run` works on this machine.");
	});

	test("doctor says which Kafka klais would write to", async () => {
		const env = (extra: Record<string, string>) => ({ env: { KLAIS_KAFKA: "", KLAIS_BROKER: "", ...extra } });
		const [given, wrong, local] = await Promise.all([
			klais(["doctor"], env({ KLAIS_KAFKA: "kafka.example:9092" })),
			klais(["doctor"], env({ KLAIS_KAFKA: "kafka.example" })),
			klais(["doctor"], env({ KLAIS_BROKER: "local", KLAIS_CACHE: "/nowhere", JAVA_HOME: "/nowhere" })),
		]);
		expect(given.stdout).toMatch(/ok {7}Kafka broker +KLAIS_KAFKA: kafka\.example:9092\n/);
		expect(wrong.stdout).toMatch(/missing {2}Kafka broker +none \(KLAIS_KAFKA: expected host:port/);
		expect(local.stdout).toMatch(
			/missing {2}Kafka broker .*not in \/nowhere \(npm run setup:live fetches it\)/,
		);
		expect(local.stdout).toMatch(/missing {2}java +not found \(runs it: apt-get install/);
		expect(local.code).toBe(0);
	});

	test("schema prints JSON Schemas", async () => {
		const [scenario, results] = await Promise.all([klais(["schema"]), klais(["schema", "--results"])]);
		expect(JSON.parse(scenario.stdout)).toMatchObject({ $id: "urn:klais:scenario:1" });
		expect(JSON.parse(results.stdout)).toMatchObject({ $id: "urn:klais:results:1" });
	});

	test("help and version pass", async () => {
		const [help, version] = await Promise.all([klais(["run", "--help"]), klais(["--version"])]);
		expect([help.code, version.code]).toEqual([0, 0]);
		expect(help.stdout).toMatch(/--policy[\s\S]*Examples:/);
		expect(version.stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
	});
});
