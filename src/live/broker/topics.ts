import { type Admin, type ITopicConfig, Kafka, logLevel } from "kafkajs";
import { err, ok, type Result } from "../../units/result.js";
import { type BrokerFault, fault } from "./broker-fault.js";

const CONNECT_MILLIS = 5_000;
const REQUEST_MILLIS = 30_000;
const RETRIES = 8;
/** Of a broker that should be there already. */
const RETRIES_REACHING = 1;

/** Where a cluster keeps readings and marks; one partition of each for every shard. */
export interface Topics {
	readonly readings: string;
	readonly checkpoints: string;
	/** `message.timestamp.type` of the readings; the producer's unless said otherwise. */
	readonly timestamps?: string;
}

export const TOPICS: Topics = { readings: "klais-readings", checkpoints: "klais-checkpoints" };

/** A client that says nothing by itself. `bootstrap` is `host:port`, or several with commas. */
export function kafkaClient(bootstrap: string, retries = RETRIES): Kafka {
	return new Kafka({
		clientId: "klais",
		brokers: bootstrap.split(","),
		logLevel: logLevel.NOTHING,
		connectionTimeout: CONNECT_MILLIS,
		requestTimeout: REQUEST_MILLIS,
		retry: { retries, initialRetryTime: 100, maxRetryTime: 2_000 },
	});
}

/** Creates both topics, where they are not there. `partitions` is the number of shards. */
export function createTopics(
	bootstrap: string,
	partitions: number,
	{ readings, checkpoints, timestamps = "CreateTime" }: Topics = TOPICS,
): Promise<Result<undefined, BrokerFault>> {
	const topics: ITopicConfig[] = [
		{
			topic: readings,
			numPartitions: partitions,
			// A backlog of weeks is stored at the gateway's time, so that retention does not take it for old.
			configEntries: [{ name: "message.timestamp.type", value: timestamps }],
		},
		{
			topic: checkpoints,
			numPartitions: partitions,
			configEntries: [
				{ name: "cleanup.policy", value: "compact" },
				// Restoring reads what compaction has left: small segments, cleaned early.
				{ name: "segment.bytes", value: String(16 << 20) },
				{ name: "min.cleanable.dirty.ratio", value: "0.1" },
			],
		},
	];
	return withAdmin(bootstrap, async (admin) => {
		await admin.createTopics({ topics, waitForLeaders: true });
		const found = await admin.fetchTopicMetadata({ topics: [readings, checkpoints] });
		const other = found.topics.find(({ partitions: there }) => there.length !== partitions);
		if (other !== undefined) {
			const { name, partitions: there } = other;
			throw new Error(
				`the topic ${name} has ${there.length} partitions, not ${partitions}: shards cannot be moved`,
			);
		}
		return undefined;
	});
}

/** Removes both topics, where they are. */
export function removeTopics(
	bootstrap: string,
	{ readings, checkpoints }: Topics = TOPICS,
): Promise<Result<undefined, BrokerFault>> {
	return withAdmin(bootstrap, async (admin) => {
		const there = new Set(await admin.listTopics());
		const topics = [readings, checkpoints].filter((topic) => there.has(topic));
		if (topics.length > 0) {
			await admin.deleteTopics({ topics });
		}
		return undefined;
	});
}

/** Whether a Kafka broker answers at an address. */
export async function reachBroker(bootstrap: string): Promise<BrokerFault | undefined> {
	const reached = await withAdmin(bootstrap, (admin) => admin.describeCluster(), RETRIES_REACHING);
	return reached.ok ? undefined : reached.error;
}

async function withAdmin<T>(
	bootstrap: string,
	work: (admin: Admin) => Promise<T>,
	retries = RETRIES,
): Promise<Result<T, BrokerFault>> {
	const admin = kafkaClient(bootstrap, retries).admin({ retry: { retries } });
	try {
		await admin.connect();
		return ok(await work(admin));
	} catch (error) {
		const { name, message } = error as Error;
		const isConnection = /Connection|Timeout|Retries|Broker/.test(name);
		const what = isConnection ? "does not answer" : "refused";
		return err(
			fault(isConnection ? "unreachable" : "refused", `the Kafka broker ${bootstrap} ${what}: ${message}`),
		);
	} finally {
		await admin.disconnect();
	}
}
