// Makes the topics of a run, in the broker's namespace: its arguments are the broker's address, the number of partitions, and
// whose time readings have, CreateTime or LogAppendTime.
// Then begins a transaction and lets it go, so that the first gateway finds a coordinator that is there. Says nothing, or why
// it cannot, and then ends with 1.
import { createTopics, kafkaClient, TOPICS } from "../broker/topics.js";

const WARM_UP_ID = "klais-warm-up";

const [bootstrap = "", partitions = "", timestamps = ""] = process.argv.slice(2);
const made = await createTopics(bootstrap, Number(partitions), { ...TOPICS, timestamps });
if (!made.ok) {
	process.stderr.write(`${made.error.message}\n`);
	process.exit(1);
}
const producer = kafkaClient(bootstrap).producer({
	transactionalId: WARM_UP_ID,
	idempotent: true,
	maxInFlightRequests: 1,
});
await producer.connect();
const transaction = await producer.transaction();
await transaction.abort();
await producer.disconnect();
