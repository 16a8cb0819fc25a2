import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { err, ok, type Result } from "../../units/result.js";
import { type BrokerFault, CACHE_VARIABLE, fault } from "./broker-fault.js";
import { fetchByMaven } from "./java.js";

const POM = fileURLToPath(new URL("./pom.xml", import.meta.url));
const MANIFEST = "jars.json";

/** Kafka on this machine: its jars, in the cache. */
export interface KafkaFiles {
	readonly folder: string;
	/** Every jar, in an order of its own: an archive of classes is for one class path. */
	readonly classPath: string;
}

/** Where things are kept that can be fetched or made again: `KLAIS_CACHE`, else the user's cache. */
export function cacheFolder(): string {
	const named = process.env[CACHE_VARIABLE] ?? "";
	if (named !== "") {
		return resolve(named);
	}
	const xdg = process.env["XDG_CACHE_HOME"] ?? "";
	return join(xdg === "" ? join(homedir(), ".cache") : xdg, "klais");
}

/** The version of Kafka that would run here. */
export function kafkaVersion(): string {
	return (
		/<artifactId>kafka_2\.13<\/artifactId>\s*<version>([^<]+)</.exec(readFileSync(POM, "utf8"))?.[1] ?? ""
	);
}

/** The folder of Kafka's jars: another pom has another. */
function folderOf(cache: string): string {
	const hash = createHash("sha256").update(readFileSync(POM)).digest("hex").slice(0, 12);
	return join(cache, `kafka-${kafkaVersion()}-${hash}`);
}

/** Kafka's jars as they lie in the cache; undefined where they are not there, or not whole. */
export function cachedKafka(cache = cacheFolder()): KafkaFiles | undefined {
	const folder = folderOf(cache);
	const sizes = manifestOf(folder);
	const isWhole = sizes.every(([jar, bytes]) => sizeOf(join(folder, jar)) === bytes);
	const classPath = sizes.map(([jar]) => join(folder, jar)).join(":");
	return isWhole && sizes.length > 0 ? { folder, classPath } : undefined;
}

/** Every jar of a folder and its size; empty where nobody has finished the folder. */
function manifestOf(folder: string): [jar: string, bytes: number][] {
	try {
		return Object.entries(JSON.parse(readFileSync(join(folder, MANIFEST), "utf8")) as Record<string, number>);
	} catch {
		return [];
	}
}

/** Kafka's jars, fetched by Maven where the cache lacks them (44 MB). Several processes may ask at once. */
export async function provideKafka(
	say: (text: string) => void,
	cache = cacheFolder(),
): Promise<Result<KafkaFiles, BrokerFault>> {
	const cached = cachedKafka(cache);
	if (cached !== undefined) {
		return ok(cached);
	}
	say(`fetching Kafka ${kafkaVersion()} into ${cache} (once)`);
	const part = newPart(cache);
	if (!part.ok) {
		return part;
	}
	try {
		const fetched = await fetchByMaven(POM, part.value);
		if (!fetched.ok) {
			return fetched;
		}
		const jars = readdirSync(part.value).sort();
		if (jars.length === 0) {
			return err(fault("no-download", `Maven left no jars in ${part.value}`));
		}
		const sizes = Object.fromEntries(jars.map((jar) => [jar, sizeOf(join(part.value, jar))]));
		await writeFile(join(part.value, MANIFEST), JSON.stringify(sizes));
		return install(part.value, cache);
	} finally {
		rmSync(part.value, { recursive: true, force: true });
	}
}

/** An empty folder beside the one that it is to become. */
function newPart(cache: string): Result<string, BrokerFault> {
	try {
		mkdirSync(cache, { recursive: true });
		return ok(mkdtempSync(`${folderOf(cache)}.part-`));
	} catch (error) {
		const advice = `${CACHE_VARIABLE} names another folder`;
		return err(fault("no-download", `the cache cannot be written (${advice}): ${(error as Error).message}`));
	}
}

/** Puts a whole folder in its place; who comes second finds the other's, which is the same. */
function install(part: string, cache: string): Result<KafkaFiles, BrokerFault> {
	const folder = folderOf(cache);
	if (cachedKafka(cache) === undefined) {
		rmSync(folder, { recursive: true, force: true });
		try {
			renameSync(part, folder);
		} catch {
			// Another process was faster.
		}
	}
	const whole = cachedKafka(cache);
	return whole === undefined ? err(fault("no-download", `${folder} cannot be written`)) : ok(whole);
}

function sizeOf(file: string): number {
	return statSync(file, { throwIfNoEntry: false })?.size ?? -1;
}
