/** Where a broker listens, and what it tells clients to connect to. */
export interface Listener {
	/** Capitals; a listener's name is nothing that clients see. */
	readonly name: string;
	/** `host:port` */
	readonly listen: string;
	/** `host:port`; a proxy in front of the listener, for one. */
	readonly advertised: string;
}

/** What differs between brokers of one node. */
export interface BrokerSettings {
	readonly dataFolder: string;
	/** The first is the broker's own. */
	readonly listeners: readonly Listener[];
	/** `host:port`, reached by the broker alone. */
	readonly controller: string;
}

/** The settings of a broker that is its own controller, as a properties file. */
export function brokerProperties({ dataFolder, listeners, controller }: BrokerSettings): string {
	const of = (pick: (listener: Listener) => string) => listeners.map(pick).join(",");
	const settings = {
		"process.roles": "broker,controller",
		"node.id": 1,
		"controller.quorum.voters": `1@${controller}`,
		"controller.listener.names": "CONTROLLER",
		listeners: `${of(({ name, listen }) => `${name}://${listen}`)},CONTROLLER://${controller}`,
		"advertised.listeners": of(({ name, advertised }) => `${name}://${advertised}`),
		"listener.security.protocol.map": `${of(({ name }) => `${name}:PLAINTEXT`)},CONTROLLER:PLAINTEXT`,
		"inter.broker.listener.name": listeners[0]?.name ?? "",
		"log.dirs": dataFolder,
		"auto.create.topics.enable": false,
		// A group of one need not wait for others.
		"group.initial.rebalance.delay.ms": 0,
		...oneNode,
	};
	const lines = Object.entries(settings).map(([key, value]) => `${key}=${value}\n`);
	return lines.join("");
}

/** There is nobody to replicate to. */
const oneNode = {
	"offsets.topic.replication.factor": 1,
	"transaction.state.log.replication.factor": 1,
	"transaction.state.log.min.isr": 1,
	"share.coordinator.state.topic.replication.factor": 1,
	"share.coordinator.state.topic.min.isr": 1,
	// After a crash a broker may not come back before its former self counts as gone: 9 s, if nothing is said.
	"broker.session.timeout.ms": 3_000,
	"broker.heartbeat.interval.ms": 500,
	// Made when the first client comes, and 50 partitions take a while.
	"offsets.topic.num.partitions": 4,
	"transaction.state.log.num.partitions": 8,
} as const;
