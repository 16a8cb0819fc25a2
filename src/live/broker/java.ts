import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { err, ok, type Result } from "../../units/result.js";
import { complaint } from "../live-fault.js";
import { type BrokerFault, fault } from "./broker-fault.js";

/** What Kafka 4 needs. */
const OLDEST_JAVA = 17;
const PROBE_MILLIS = 30_000;
/** A first download over a slow line. */
const MAVEN_MILLIS = 600_000;
const OUTPUT_BYTES_MAX = 16 << 20;

const MAVEN_GOAL = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies";

const execute = promisify(execFile);

/** A Java that can run the broker. */
export interface Java {
	readonly program: string;
	/** Everything that it says of itself: archives of classes fit this very build only. */
	readonly version: string;
}

/** What a program of the system came to. */
interface Ended {
	readonly code: number | "missing";
	readonly text: string;
}

/** Runs a program to its end, for at most `timeout` milliseconds. */
export async function runProgram(
	program: string,
	args: readonly string[],
	timeout = PROBE_MILLIS,
	environment: Readonly<Record<string, string>> = {},
): Promise<Ended> {
	const env = { ...process.env, ...environment };
	try {
		const options = { timeout, env, maxBuffer: OUTPUT_BYTES_MAX };
		const { stdout, stderr } = await execute(program, [...args], options);
		return { code: 0, text: `${stdout}${stderr}` };
	} catch (error) {
		const {
			code,
			stdout = "",
			stderr = "",
			message,
		} = error as NodeJS.ErrnoException & Partial<Ended> & Output;
		if (code === ("ENOENT" as unknown)) {
			return { code: "missing", text: message };
		}
		return { code: typeof code === "number" ? code : 1, text: `${stdout}${stderr}` || message };
	}
}

interface Output {
	readonly stdout?: string;
	readonly stderr?: string;
}

/** The Java of `JAVA_HOME`, else of the PATH. */
export async function findJava(): Promise<Result<Java, BrokerFault>> {
	const home = process.env["JAVA_HOME"] ?? "";
	const program = home === "" ? "java" : join(home, "bin", "java");
	const { code, text } = await runProgram(program, ["-version"]);
	const found = Number(/version "(?:1\.)?(\d+)/.exec(text)?.[1]);
	if (code === 0 && found >= OLDEST_JAVA) {
		return ok({ program, version: text.trim() });
	}
	const what = Number.isNaN(found) ? `there is no ${program}` : `${program} is Java ${found}`;
	const help = "on Debian, apt-get install default-jre-headless";
	return err(
		fault("no-java", `a local Kafka broker needs Java ${OLDEST_JAVA} or newer, and ${what}: ${help}`),
	);
}

/** Copies what a pom depends on into a folder. */
export async function fetchByMaven(pom: string, folder: string): Promise<Result<undefined, BrokerFault>> {
	const args = ["-B", "-q", "-f", pom, MAVEN_GOAL, `-DoutputDirectory=${folder}`, "-DincludeScope=runtime"];
	const { code, text } = await runProgram("mvn", args, MAVEN_MILLIS);
	if (code === "missing") {
		const message =
			"Maven fetches the local Kafka broker, and there is no mvn: on Debian, apt-get install maven";
		return err(fault("no-maven", message));
	}
	if (code !== 0) {
		const advice = "is there a network, or a Maven mirror in its settings?";
		return err(fault("no-download", `Maven could not fetch Kafka (${advice}): ${complaint(errorsIn(text))}`));
	}
	return ok(undefined);
}

/** Maven's first complaint; the rest of them is advice about Maven. */
function errorsIn(text: string): string {
	const lines = text.split("\n").filter((line) => line.includes("ERROR"));
	return lines[0] ?? text;
}
