import type { Micros } from "../units/micros.js";
import type { GatewayCosts } from "./frame-costs.js";

/** What a resolved scenario says: every default filled in, every unit explicit, nothing left to look up. */
export interface Scenario {
	readonly name: string;
	readonly title: string;
	/** What the scenario teaches, for the catalogue and the report. */
	readonly teaches: string;
	/** Where its numbers come from: one citation a line. */
	readonly sources: readonly string[];
	readonly durationMicros: Micros;
	readonly seed: string;
	readonly devices: Fleet;
	readonly gateways: Gateways;
	readonly broker: Broker;
	readonly outages: readonly Outage[];
	/** Who attacks. Absent where the file has nobody. */
	readonly attacks?: readonly Attack[];
	/** The policies compared when the user names none, in report order. */
	readonly policies: readonly PolicyName[];
	/** What must hold at the end of a run, or it has failed. Absent where the file expects nothing. */
	readonly expect?: readonly Expectation[];
	/** How far metrics may move before the gate fails: `2%`, `50` or `any` by path. Absent where the file gives none. */
	readonly margins?: Readonly<Record<string, string>>;
}

export type Relation = "<=" | "<" | ">=" | ">" | "==" | "!=";

/** A metric of the run record compared with a value, or with a multiple of another metric. */
export type Expectation = {
	/** As written, for reports. */
	readonly text: string;
	/** Those that it is for; left out: all. */
	readonly policies?: readonly PolicyName[];
	/** Path in the run record, such as `virtual.drainRatio`. */
	readonly metric: string;
	readonly relation: Relation;
} & ({ readonly value: number } | { readonly times: number; readonly of: string });

export type PolicyName = "none" | "static" | "klais" | PeerName;

/** Control laws that others have published, and the bound: see docs/policies.md. */
export type PeerName =
	| "aimd"
	| "gradient2"
	| "vegas"
	| "codel"
	| "breakwater"
	| "pid"
	| "client-throttle"
	| "kafka-quota"
	| "oracle";

export interface Fleet {
	/** 1 to 10,000,000 devices (the loader refuses more, naming the memory that they would take). */
	readonly count: number;
	readonly firmware: Firmware;
	readonly link: LinkProfile;
	readonly clocks: Clocks;
	/** Outages take the devices of gateway 0 first, then those of gateway 1 and so on. Absent: a random sample. */
	readonly outageOrder?: "by-gateway";
}

/** Devices whose clock is wrong, as shares of the fleet (0 to 1, together at most 1). It is what they say that is wrong. */
export interface Clocks {
	/** No clock of their own: it counts from the last time that power came, and nobody sets it. */
	readonly resetShare: number;
	/** Ahead by thirty days. */
	readonly aheadShare: number;
	/** Fast or slow by up to `driftPpm`. */
	readonly driftingShare: number;
	readonly driftPpm: number;
}

export interface Firmware {
	readonly readingIntervalMicros: Micros;
	/** A multiple of the reading interval; due readings are sent together. */
	readonly reportIntervalMicros: Micros;
	/** 0: the report is the only sign of life. */
	readonly keepAliveMicros: Micros;
	readonly bufferKind: "flash" | "volatile";
	/** 1 to 65,535 readings. */
	readonly bufferReadings: number;
	readonly overflow: "drop-oldest" | "drop-newest" | "decimate";
	/** Whether the sensor reads on while the mains are off (the modem never does). */
	readonly backup: "none" | "sensing";
	/** Power on until the modem is attached, drawn uniformly per boot. */
	readonly bootMinMicros: Micros;
	readonly bootMaxMicros: Micros;
	readonly backoff: Backoff;
	/** First wait for an answer to HELLO; doubles per attempt up to `helloTimeoutMaxMicros`. */
	readonly helloTimeoutMicros: Micros;
	readonly helloTimeoutMaxMicros: Micros;
	/** Wait for an ACK before DATA is sent again. */
	readonly requestTimeoutMicros: Micros;
	/** DATA frames on their way per lane, 1 to 255. */
	readonly windowFrames: number;
	/** Readings in one DATA frame, 1 to 255. */
	readonly frameReadings: number;
	/** Bytes of one reading as stored in Kafka. */
	readonly readingBytes: number;
}

export type BackoffKind = "none" | "fixed" | "exponential" | "full-jitter" | "equal-jitter" | "decorrelated";

export interface Backoff {
	readonly kind: BackoffKind;
	readonly baseMicros: Micros;
	readonly capMicros: Micros;
}

/** One-way behaviour of the access link. Latency quantiles in microseconds, strictly rising from min to max. */
export interface LinkProfile {
	readonly name: string;
	readonly minMicros: Micros;
	readonly medianMicros: Micros;
	readonly p99Micros: Micros;
	readonly maxMicros: Micros;
	/** Chances per million frames. */
	readonly lossPpm: number;
	readonly duplicatePpm: number;
	readonly reorderPpm: number;
	/** Serialisation: bits per second upwards, 0 for none. */
	readonly uplinkBitsPerSecond: number;
	readonly sources: readonly string[];
}

export interface Gateways {
	readonly count: number;
	readonly costs: GatewayCosts;
	/** Frames that wait for the CPU of one gateway; more are dropped and counted. */
	readonly receiveQueueFrames: number;
	/** Readings that wait in one gateway for the sink; more are dropped and counted. */
	readonly sinkQueueReadings: number;
	/** Readings are committed in transactions this far apart. */
	readonly commitIntervalMicros: Micros;
	/** Produce requests of one gateway on their way to the broker. */
	readonly sinkInFlightBatches: number;
	readonly sinkBatchReadings: number;
	/** Sessions that one gateway admits per second under `static` and `klais`. */
	readonly sessionsPerSecond: number;
	/** How late a device may come back to its session slot. */
	readonly slotWindowMicros: Micros;
	/** How long a gateway takes to learn that another one is gone, or back. */
	readonly detectAfterMicros: Micros;
	/** They find out by themselves, and share threats: the network between them. Absent where the engine tells them. */
	readonly swarm?: PeerNetwork;
}

/** What becomes of a datagram from one gateway to another. */
export interface PeerNetwork {
	readonly delayMinMicros: Micros;
	readonly delayMaxMicros: Micros;
	readonly lossPpm: number;
}

export interface Broker {
	readonly partitions: number;
	readonly nodes: number;
	/** Readings per second of the whole cluster. */
	readonly capacityPerSecond: number;
	/** Commit latency of an idle broker, drawn per batch; the minimum bounds the engine's lookahead. */
	readonly commitMinMicros: Micros;
	readonly commitMedianMicros: Micros;
	readonly commitP99Micros: Micros;
	readonly requestTimeoutMicros: Micros;
	/** Produce requests that the cluster takes in before it stops reading; for clients without flow control of their own. */
	readonly queuedRequests: number;
}

/** Some devices that go and come back together. */
export interface Cohort {
	readonly devices: number;
	readonly outAtMicros: Micros;
	/** null: not back before the scenario ends. */
	readonly backAtMicros: Micros | null;
	/** Its devices return evenly over this long after `backAtMicros`; 0: in one lump. */
	readonly spreadMicros: Micros;
}

export type Outage =
	| {
			/** power: devices off. refused, black-holed: no way through, with or without a refusal.
			 * half-open: frames go up, no answer comes down. */
			readonly kind: "power" | "refused" | "black-holed" | "half-open";
			readonly cohorts: readonly Cohort[];
	  }
	| {
			/** The link stays up, but delays, loses, doubles and reorders. */
			readonly kind: "brown-out";
			readonly cohorts: readonly Cohort[];
			readonly lossPpm: number;
			readonly duplicatePpm: number;
			readonly reorderPpm: number;
			readonly latencyFactor: number;
	  }
	| GatewayOutage
	| {
			/** The broker takes nothing and commits nothing. */
			readonly kind: "broker";
			readonly outAtMicros: Micros;
			readonly backAtMicros: Micros;
	  }
	| {
			/** The broker works at a part of its capacity. */
			readonly kind: "broker-slow";
			/** What is left of it: above 0, at most 1. */
			readonly factor: number;
			readonly outAtMicros: Micros;
			readonly backAtMicros: Micros;
	  }
	| {
			/** Nodes of the broker die. Their partitions are away until other nodes lead them, and what was on its way fails. */
			readonly kind: "leader-loss";
			readonly nodes: number;
			readonly outAtMicros: Micros;
			readonly backAtMicros: Micros;
	  };

interface GatewayWindow {
	/** How many it hits. */
	readonly gateways: number;
	readonly outAtMicros: Micros;
	readonly backAtMicros: Micros;
}

/** What a gateway can be cut off from. */
export type Counterpart = "devices" | "peers" | "broker";

/** What goes wrong with gateways. */
export type GatewayOutage =
	| (GatewayWindow & {
			/** They die: sessions, queues and open transactions are gone. */
			readonly kind: "gateway";
			/** process: its port refuses. machine: nothing answers at all. */
			readonly down: "process" | "machine";
			/** Whether the others notice, and take its devices. */
			readonly takeover: boolean;
	  })
	| (GatewayWindow & {
			/** They stop, and go on later as if nothing had happened. */
			readonly kind: "gateway-freeze";
	  })
	| (GatewayWindow & {
			/** They run, cut off. in: nothing comes in; out: nothing gets out. */
			readonly kind: "gateway-cut";
			readonly from: readonly Counterpart[];
			readonly direction: "both" | "in" | "out";
	  })
	| (GatewayWindow & {
			/** They hear each other, and nobody hears them or is heard by them but devices and, if so, the broker. */
			readonly kind: "gateway-partition";
			readonly reachesBroker: boolean;
	  });

interface AttackWindow {
	readonly fromMicros: Micros;
	readonly untilMicros: Micros;
}

/** Who attacks, and how. */
export type Attack =
	| (AttackWindow & {
			/**
			 * hello-flood, data-flood: devices beside the fleet, with keys of their own that are good, say HELLO without end, or send
			 * live readings that nobody took. forge: addresses that send DATA in the name of the fleet's devices, under no key.
			 */
			readonly kind: "hello-flood" | "data-flood" | "forge";
			/** Devices, or addresses. */
			readonly devices: number;
			/** Frames of each one. */
			readonly framesPerSecond: number;
			/** They turn to so many gateways in turns, beginning with the home of their shard. */
			readonly gateways: number;
	  })
	| (AttackWindow & {
			/** A gateway that says, with its own key, that devices of the fleet and their addresses are threats. */
			readonly kind: "liar";
			readonly gateway: number;
			readonly accusationsPerSecond: number;
	  });
