import { err, ok, type Result } from "../../units/result.js";
import type { Broker } from "./broker.js";
import { BROKER_VARIABLE, type BrokerFault, fault, KAFKA_VARIABLE } from "./broker-fault.js";
import { provideArchive } from "./class-archive.js";
import { findDocker, startContainerBroker } from "./container-broker.js";
import { findJava } from "./java.js";
import { provideKafka } from "./kafka-files.js";
import type { KafkaProgram } from "./kafka-tool.js";
import { LocalBroker, type LocalBrokerOptions } from "./local-broker.js";
import { reachBroker } from "./topics.js";

const ADDRESS = /^[^\s,:]+:\d{1,5}(?:,[^\s,:]+:\d{1,5})*$/;

/** Where a broker comes from, on this machine and with these variables. */
export type BrokerSource =
	| { readonly kind: "given"; readonly bootstrap: string }
	| { readonly kind: "docker" }
	| { readonly kind: "local" }
	/** Docker where it answers, else local. */
	| { readonly kind: "either" };

/** Reads what the user has asked for: `KLAIS_KAFKA` names a broker, `KLAIS_BROKER` demands a kind. */
export function brokerSource(environment = process.env): Result<BrokerSource, BrokerFault> {
	const bootstrap = environment[KAFKA_VARIABLE] ?? "";
	const choice = environment[BROKER_VARIABLE] ?? "";
	if (bootstrap !== "") {
		const expected = `${KAFKA_VARIABLE}: expected host:port, or several with commas, found "${bootstrap}"`;
		return ADDRESS.test(bootstrap) ? ok({ kind: "given", bootstrap }) : err(fault("bad-address", expected));
	}
	if (choice === "") {
		return ok({ kind: "either" });
	}
	if (choice === "docker" || choice === "local") {
		return ok({ kind: choice });
	}
	return err(fault("bad-choice", `${BROKER_VARIABLE}: expected docker or local, found "${choice}"`));
}

/**
 * A broker to write to: the one that `KLAIS_KAFKA` names, a container where Docker answers, else a local one, which is fetched
 * first where the cache lacks it. `say` hears of what takes long; `options` are those of a local one.
 */
export async function openBroker(
	say: (text: string) => void,
	options: LocalBrokerOptions = {},
): Promise<Result<Broker, BrokerFault>> {
	const source = brokerSource();
	if (!source.ok) {
		return source;
	}
	const { kind } = source.value;
	if (kind === "given") {
		return openGiven(source.value.bootstrap);
	}
	const docker = kind === "local" ? undefined : await findDocker();
	if (docker !== undefined) {
		return startContainerBroker(docker);
	}
	if (kind === "docker") {
		return err(
			fault("no-docker", `${BROKER_VARIABLE}=docker, and no Docker answers: start it, or unset the variable`),
		);
	}
	const kafka = await provideLocalKafka(say);
	return kafka.ok ? LocalBroker.start(kafka.value, options) : kafka;
}

async function openGiven(bootstrap: string): Promise<Result<Broker, BrokerFault>> {
	const problem = await reachBroker(bootstrap);
	if (problem !== undefined) {
		return err(fault(problem.kind, `${KAFKA_VARIABLE}: ${problem.message}`));
	}
	return ok({
		kind: "given",
		bootstrap,
		limitProducers: async () =>
			fault("refused", `${KAFKA_VARIABLE}: quotas of a broker that is not klais's own are left alone`),
		remove: async () => undefined,
	});
}

/** All that starting brokers on this machine needs; fetched and made where the cache lacks it. */
export async function provideLocalKafka(
	say: (text: string) => void,
): Promise<Result<KafkaProgram, BrokerFault>> {
	const java = await findJava();
	if (!java.ok) {
		return java;
	}
	const files = await provideKafka(say);
	if (!files.ok) {
		return files;
	}
	const archive = await provideArchive(java.value, files.value);
	return ok({ java: java.value, files: files.value, archive });
}
