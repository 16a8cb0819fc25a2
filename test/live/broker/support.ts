import { onTestFinished } from "vitest";
import type { KafkaProgram } from "../../../src/live/broker/kafka-tool.js";
import { LocalBroker, type LocalBrokerOptions } from "../../../src/live/broker/local-broker.js";
import { provideLocalKafka } from "../../../src/live/broker/open-broker.js";

const provided = await provideLocalKafka(() => undefined);

// In CI nothing may be skipped for want of what the set-up installs.
if (!provided.ok && process.env["CI"] !== undefined) {
	throw new Error(provided.error.message);
}

/** Why no broker can be started here; empty: one can. */
export const NO_KAFKA = provided.ok ? "" : provided.error.message;

/** Kafka on this machine; only where `NO_KAFKA` is empty. */
export function kafkaHere(): KafkaProgram {
	if (!provided.ok) {
		throw new Error(provided.error.message);
	}
	return provided.value;
}

/** A broker that goes when the test ends. */
export async function startBroker(options: LocalBrokerOptions = {}): Promise<LocalBroker> {
	const started = await LocalBroker.start(kafkaHere(), options);
	if (!started.ok) {
		throw new Error(started.error.message);
	}
	onTestFinished(() => started.value.remove());
	return started.value;
}
