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
