import { at } from "./paths.mjs";
import { say } from "./run.mjs";
import { kafkaTools } from "./system.mjs";

/** Fetches the Kafka broker that tests and live runs start, unless they are to use another; what fails is said, and no more. */
export async function provideBroker() {
	// Compiled by now; none of it may be loaded before.
	const { brokerSource, provideLocalKafka } = await import(at("dist", "live", "broker", "open-broker.js"));
	const source = brokerSource();
	const isLocal = source.ok && (source.value.kind === "local" || source.value.kind === "either");
	if (!isLocal || !kafkaTools.every((tool) => tool.isThere())) {
		return;
	}
	const provided = await provideLocalKafka(say);
	if (!provided.ok) {
		say(provided.error.message);
	}
}
