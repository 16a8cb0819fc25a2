import { setTimeout as sleep } from "node:timers/promises";
import type { Broker } from "./broker/broker.js";
import { LocalBroker } from "./broker/local-broker.js";
import { createTopics, kafkaClient, removeTopics, type Topics } from "./broker/topics.js";
import { LiveFault } from "./live-fault.js";

/** Shards of every measurement: partitions, and transactional producers. */
export const SHARDS = 4;

/** Where everything is measured. */
export interface BenchWorld {
	/** The folder of the live programs. */
	readonly programs: string;
	/** For configurations and reports. */
	readonly folder: string;
	readonly broker: Broker;
	/** Small sizes. */
	readonly quick: boolean;
	say(text: string): void;
}

/** The broker's process, where it is one of this machine. */
export function brokerPid({ broker }: BenchWorld): number | undefined {
	return broker instanceof LocalBroker ? broker.pid : undefined;
}

/** The log of one measurement: topics, and producers, of its own. */
export interface BenchLog {
	/** A gateway's `sink`. */
	sink(transactions?: boolean): object;
	/** Offsets that readings take, up to the last that is decided: records, and a mark at the end of each transaction. */
	readingOffsets(): Promise<number>;
	/** Removes what was written. */
	remove(): Promise<void>;
}

/** A busy broker may say that it does not host what it has just made. */
const TRIES = 10;
const RETRY_MILLIS = 500;

let logs = 0;

/** Makes a log. Throws a `LiveFault` when the broker refuses. */
export async function newLog({ broker }: BenchWorld): Promise<BenchLog> {
	logs += 1;
	const name = `klais-bench-${process.pid}-${logs}`;
	const topics: Topics = { readings: `${name}-readings`, checkpoints: `${name}-checkpoints` };
	const { bootstrap } = broker;
	for (let attempt = 1; ; attempt++) {
		const made = await createTopics(bootstrap, SHARDS, topics);
		if (made.ok) {
			break;
		}
		if (attempt === TRIES) {
			throw new LiveFault("setup", made.error.message);
		}
		await sleep(RETRY_MILLIS);
	}
	return {
		sink: (transactions = true) => ({
			kind: "kafka",
			brokers: bootstrap,
			prefix: name,
			dataTopic: topics.readings,
			checkpointTopic: topics.checkpoints,
			transactions,
		}),
		readingOffsets: () => offsetsOf(bootstrap, topics.readings),
		remove: async () => {
			// Of no consequence: the broker is this run's own, or the topics' names tell whose they were.
			await removeTopics(bootstrap, topics);
		},
	};
}

async function offsetsOf(bootstrap: string, topic: string): Promise<number> {
	const admin = kafkaClient(bootstrap).admin();
	try {
		await admin.connect();
		// As one who reads what is committed: up to the last stable offset.
		const partitions = await admin.fetchTopicOffsets(topic);
		return partitions.reduce((sum, { high, low }) => sum + Number(high) - Number(low), 0);
	} finally {
		await admin.disconnect();
	}
}
