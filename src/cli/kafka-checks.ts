import { findDocker } from "../live/broker/container-broker.js";
import { findJava } from "../live/broker/java.js";
import { cachedKafka, cacheFolder, kafkaVersion } from "../live/broker/kafka-files.js";
import { brokerSource } from "../live/broker/open-broker.js";
import type { Check } from "./doctor-check.js";
import { firstLine } from "./host-facts.js";

const NEEDED = "kafka";

/** Where a Kafka broker would come from on this machine, in the order in which klais looks. */
export async function kafkaChecks(): Promise<readonly Check[]> {
	const source = brokerSource();
	if (!source.ok) {
		return [row("Kafka broker", false, "none", source.error.message)];
	}
	if (source.value.kind === "given") {
		return [row("Kafka broker", true, `KLAIS_KAFKA: ${source.value.bootstrap}`, "")];
	}
	const docker = source.value.kind === "local" ? undefined : await findDocker();
	if (docker !== undefined) {
		return [row("Kafka broker", true, `in a container: Docker answers at ${docker.host}`, "")];
	}
	if (source.value.kind === "docker") {
		return [row("Kafka broker", false, "KLAIS_BROKER=docker, and no Docker answers", "start Docker")];
	}
	return localChecks();
}

async function localChecks(): Promise<readonly Check[]> {
	const [java, maven] = await Promise.all([findJava(), firstLine("mvn", ["--version"])]);
	const cached = cachedKafka() !== undefined;
	const kafka = `Kafka ${kafkaVersion()}`;
	const found = cached ? `${kafka} in ${cacheFolder()}` : `no Docker, ${kafka} not in ${cacheFolder()}`;
	const [javaLine = ""] = java.ok ? java.value.version.split("\n") : [];
	return [
		row("Kafka broker", cached, found, "npm run setup:live fetches it"),
		row("java", java.ok, java.ok ? javaLine : "not found", "runs it: apt-get install default-jre-headless"),
		row("mvn", maven !== undefined, maven ?? "not found", "fetches it: apt-get install maven"),
	];
}

function row(name: string, ok: boolean, found: string, help: string): Check {
	return { name, ok, found, needed: NEEDED, help };
}
