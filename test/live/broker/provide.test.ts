import { chmodSync, existsSync, readdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { afterEach, describe, expect, test, vi } from "vitest";
import { findDocker } from "../../../src/live/broker/container-broker.js";
import { findJava } from "../../../src/live/broker/java.js";
import {
	cachedKafka,
	cacheFolder,
	kafkaVersion,
	provideKafka,
} from "../../../src/live/broker/kafka-files.js";
import { brokerSource, openBroker } from "../../../src/live/broker/open-broker.js";
import { newFolder } from "../../cli/support.js";

const quiet = () => undefined;
const docker = await findDocker();

/** A program of this name that is found before any other. */
function pretend(name: string, script: string): string {
	const folder = newFolder({ [name]: `#!/bin/sh\n${script}\n` });
	chmodSync(join(folder, name), 0o755);
	vi.stubEnv("PATH", `${folder}${delimiter}${process.env["PATH"]}`);
	return folder;
}

const MAVEN_THAT_FETCHES = `
echo fetched >> "$(dirname "$0")/calls"
for arg; do case "$arg" in -DoutputDirectory=*) out=\${arg#*=};; esac; done
mkdir -p "$out"; echo one > "$out/b.jar"; echo two > "$out/a.jar"`;

afterEach(() => vi.unstubAllEnvs());

describe("where a broker comes from", () => {
	test.each([
		[{}, { kind: "either" }],
		[{ KLAIS_BROKER: "docker" }, { kind: "docker" }],
		[{ KLAIS_BROKER: "local" }, { kind: "local" }],
		[
			{ KLAIS_KAFKA: "a:9092,b.example:9093", KLAIS_BROKER: "local" },
			{ kind: "given", bootstrap: "a:9092,b.example:9093" },
		],
	])("%j", (environment, value) => {
		expect(brokerSource(environment)).toEqual({ ok: true, value });
	});

	test.each([
		[
			{ KLAIS_KAFKA: "broker" },
			"bad-address",
			'KLAIS_KAFKA: expected host:port, or several with commas, found "broker"',
		],
		[{ KLAIS_KAFKA: "a:1, b:2" }, "bad-address", "KLAIS_KAFKA: expected host:port"],
		[{ KLAIS_BROKER: "podman" }, "bad-choice", 'KLAIS_BROKER: expected docker or local, found "podman"'],
	])("refuses %j", (environment, kind, message) => {
		expect(brokerSource(environment)).toMatchObject({
			error: { kind, message: expect.stringContaining(message) },
		});
	});

	test.each([
		[{ KLAIS_CACHE: "/x" }, "/x"],
		[{ KLAIS_CACHE: "", XDG_CACHE_HOME: "/y" }, "/y/klais"],
		[{ KLAIS_CACHE: "", XDG_CACHE_HOME: "", HOME: "/z" }, "/z/.cache/klais"],
	])("its files are cached where %j says", (environment, folder) => {
		for (const [name, value] of Object.entries(environment)) {
			vi.stubEnv(name, value);
		}
		expect(cacheFolder()).toBe(folder);
	});
});

describe("Docker", () => {
	test.skipIf(docker !== undefined)("that is demanded and not there is a fault", async () => {
		vi.stubEnv("KLAIS_KAFKA", "");
		vi.stubEnv("KLAIS_BROKER", "docker");
		expect(await openBroker(quiet)).toMatchObject({
			error: { kind: "no-docker", message: expect.stringContaining("KLAIS_BROKER=docker") },
		});
	});
});

describe("Java", () => {
	test.each([
		[
			"echo 'java version \"1.8.0_292\"' >&2",
			/needs Java 17 or newer, and java is Java 8: on Debian, apt-get install/,
		],
		["exit 1", /there is no java/],
	])("%j will not do", async (script, message) => {
		vi.stubEnv("JAVA_HOME", "");
		pretend("java", script);
		expect(await findJava()).toMatchObject({
			error: { kind: "no-java", message: expect.stringMatching(message) },
		});
	});

	test("is that of JAVA_HOME", async () => {
		vi.stubEnv("JAVA_HOME", "/nowhere");
		expect(await findJava()).toMatchObject({
			error: { message: expect.stringContaining("there is no /nowhere/bin/java") },
		});
	});
});

describe("Kafka's jars", () => {
	test("are fetched once, and again when they are damaged", async () => {
		const calls = join(pretend("mvn", MAVEN_THAT_FETCHES), "calls");
		const cache = join(newFolder(), "deep", "cache");
		const said: string[] = [];
		const first = await provideKafka((text) => said.push(text), cache);
		const { folder = "", classPath = "" } = first.ok ? first.value : {};
		expect(classPath).toBe(`${folder}/a.jar:${folder}/b.jar`);
		expect(said).toEqual([`fetching Kafka ${kafkaVersion()} into ${cache} (once)`]);

		expect(await provideKafka((text) => said.push(text), cache)).toEqual(first);
		expect(said.length).toBe(1);
		truncateSync(join(folder, "a.jar"), 1);
		expect(cachedKafka(cache)).toBeUndefined();
		expect(await provideKafka(quiet, cache)).toEqual(first);
		expect(readFileSync(join(folder, "a.jar"), "utf8")).toBe("two\n");
		writeFileSync(join(folder, "jars.json"), "{");
		expect(await provideKafka(quiet, cache)).toEqual(first);
		expect(readFileSync(calls, "utf8").split("\n").length - 1).toBe(3);
		expect(readdirSync(cache)).toEqual([folder.slice(cache.length + 1)]);
	});

	test("asked for by several at once, come whole to each", async () => {
		pretend("mvn", MAVEN_THAT_FETCHES);
		const cache = newFolder();
		const results = await Promise.all(Array.from({ length: 4 }, () => provideKafka(quiet, cache)));
		expect(new Set(results.map((result) => JSON.stringify(result))).size).toBe(1);
		expect(results[0]).toMatchObject({ ok: true });
		expect(readdirSync(cache).length).toBe(1);
	});

	test.each([
		["no-maven", undefined, /there is no mvn: on Debian, apt-get install maven/],
		[
			"no-download",
			"echo '[ERROR] Unknown host repo'; echo '[ERROR] help'; exit 1",
			/mirror.*\): \[ERROR\] Unknown host repo$/,
		],
		["no-download", "exit 0", /Maven left no jars/],
	] as const)("that cannot be fetched: %s", async (kind, script, message) => {
		const cache = newFolder();
		if (script === undefined) {
			vi.stubEnv("PATH", newFolder());
		} else {
			pretend("mvn", script);
		}
		expect(await provideKafka(quiet, cache)).toMatchObject({
			error: { kind, message: expect.stringMatching(message) },
		});
		expect(readdirSync(cache)).toEqual([]);
	});

	test("into a cache that is none", async () => {
		const file = join(newFolder({ file: "" }), "file");
		expect(await provideKafka(quiet, file)).toMatchObject({
			error: { kind: "no-download", message: expect.stringContaining("KLAIS_CACHE names another folder") },
		});
		expect(existsSync(file)).toBe(true);
	});
});
