import { at } from "../setup/paths.mjs";

/**
 * A Kafka for the Rust tests that need one; undefined where this machine has none, which in CI is a failure: what is skipped
 * there is never found out.
 */
export async function openTestBroker() {
	// Compiled by the set-up.
	const { openBroker } = await import(at("dist", "live", "broker", "open-broker.js"));
	const opened = await openBroker((text) => process.stdout.write(`${text}\n`));
	if (opened.ok) {
		return opened.value;
	}
	if (process.env["CI"] !== undefined) {
		throw new Error(opened.error.message);
	}
	process.stdout.write(`the tests that need Kafka are skipped: ${opened.error.message}\n`);
	return undefined;
}

/** Where Kafka's jars lie, for the Rust tests that stop, kill and freeze a broker of their own; nothing where they do not. */
export async function kafkaJars() {
	const { cachedKafka } = await import(at("dist", "live", "broker", "kafka-files.js"));
	const files = cachedKafka();
	return files === undefined ? {} : { KLAIS_KAFKA_JARS: files.folder };
}
