import type { GenericContainer, StartedTestContainer, Wait } from "testcontainers";
import { err, ok, type Result } from "../../units/result.js";
import type { Broker } from "./broker.js";
import { type BrokerFault, fault } from "./broker-fault.js";
import { freePorts } from "./free-ports.js";
import { kafkaVersion } from "./kafka-files.js";
import { quotaArgs } from "./quotas.js";

const READY_MILLIS = 120_000;
const CLIENTS_PORT = 9_092;
/** For tools in the container: there nobody reaches what clients are told. */
const INSIDE = "localhost:29092";

/** Testcontainers, where Docker answers. */
export interface Docker {
	readonly host: string;
	readonly Container: typeof GenericContainer;
	readonly wait: typeof Wait;
}

/** Asks for Docker; takes milliseconds where there is none. Only this may fail quietly: Docker that is there has to work. */
export async function findDocker(): Promise<Docker | undefined> {
	// 200 ms to load, for those alone who need it.
	const { getContainerRuntimeClient, GenericContainer, Wait } = await import("testcontainers");
	try {
		const { info } = await getContainerRuntimeClient();
		return { host: info.containerRuntime.host, Container: GenericContainer, wait: Wait };
	} catch {
		return undefined;
	}
}

/** Starts a broker of one node in a container, with data of its own. */
export async function startContainerBroker(docker: Docker): Promise<Result<Broker, BrokerFault>> {
	const image = `apache/kafka:${kafkaVersion()}`;
	// Chosen beforehand, since the broker has to say it to clients.
	const [port = 0] = await freePorts(1);
	const bootstrap = `${docker.host}:${port}`;
	try {
		const container = await new docker.Container(image)
			.withExposedPorts({ container: CLIENTS_PORT, host: port })
			.withEnvironment(environment(bootstrap))
			.withWaitStrategy(docker.wait.forLogMessage(/Kafka Server started/))
			.withStartupTimeout(READY_MILLIS)
			.start();
		return ok(brokerIn(container, bootstrap));
	} catch (error) {
		return err(fault("container", `Docker could not start ${image}: ${(error as Error).message}`));
	}
}

function brokerIn(container: StartedTestContainer, bootstrap: string): Broker {
	return {
		kind: "container",
		bootstrap,
		limitProducers: async (bytesPerSecond, clientId) => {
			const tool = ["/opt/kafka/bin/kafka-configs.sh", ...quotaArgs(INSIDE, bytesPerSecond, clientId)];
			const { exitCode, output } = await container.exec(tool);
			return exitCode === 0 ? undefined : fault("refused", `the quota could not be set: ${output}`);
		},
		remove: async () => {
			await container.stop();
		},
	};
}

/** The image makes settings of variables: `KAFKA_NODE_ID` becomes `node.id`. */
function environment(bootstrap: string): Record<string, string> {
	const controller = "localhost:9093";
	return {
		KAFKA_PROCESS_ROLES: "broker,controller",
		KAFKA_NODE_ID: "1",
		KAFKA_CONTROLLER_QUORUM_VOTERS: `1@${controller}`,
		KAFKA_CONTROLLER_LISTENER_NAMES: "CONTROLLER",
		KAFKA_LISTENERS: `CLIENTS://0.0.0.0:${CLIENTS_PORT},INSIDE://${INSIDE},CONTROLLER://${controller}`,
		KAFKA_ADVERTISED_LISTENERS: `CLIENTS://${bootstrap},INSIDE://${INSIDE}`,
		KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: "CLIENTS:PLAINTEXT,INSIDE:PLAINTEXT,CONTROLLER:PLAINTEXT",
		KAFKA_INTER_BROKER_LISTENER_NAME: "INSIDE",
		KAFKA_AUTO_CREATE_TOPICS_ENABLE: "false",
		KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS: "0",
		KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR: "1",
		KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR: "1",
		KAFKA_TRANSACTION_STATE_LOG_MIN_ISR: "1",
	};
}
