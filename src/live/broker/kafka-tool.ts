import { fileURLToPath } from "node:url";
import { inNamespace, searchPath } from "../tools.js";
import { type Java, runProgram } from "./java.js";
import type { KafkaFiles } from "./kafka-files.js";

const LOGGING = fileURLToPath(new URL("./log4j2.properties", import.meta.url));
const TOOL_MILLIS = 60_000;

/** What is needed to start a part of Kafka. */
export interface KafkaProgram {
	readonly java: Java;
	readonly files: KafkaFiles;
	/** An archive of its classes, which a Java of the same build starts from in half the time. */
	readonly archive: string | undefined;
}

/** The arguments that start a class of Kafka's. */
export function kafkaArgs(
	{ files, archive }: KafkaProgram,
	options: readonly string[],
	main: string,
	args: readonly string[],
): readonly string[] {
	const shared = archive === undefined ? [] : [`-XX:SharedArchiveFile=${archive}`];
	return [
		...shared,
		...options,
		`-Dlog4j2.configurationFile=${LOGGING}`,
		"-cp",
		files.classPath,
		main,
		...args,
	];
}

/** Runs one of Kafka's own tools to its end; undefined when it succeeded, else what it said. */
export async function runKafkaTool(
	kafka: KafkaProgram,
	namespace: string | undefined,
	main: string,
	args: readonly string[],
): Promise<string | undefined> {
	const all = kafkaArgs(kafka, ["-XX:TieredStopAtLevel=1"], main, args);
	const here = { program: kafka.java.program, args: all };
	const command = namespace === undefined ? here : inNamespace(namespace, here.program, all);
	const { code, text } = await runProgram(command.program, command.args, TOOL_MILLIS, { PATH: searchPath() });
	return code === 0 ? undefined : text;
}
