import type { Backoff, Firmware, PeerName, PolicyName, Scenario } from "../scenarios/scenario.js";
import { hostileDevices } from "./attack-plan.js";
import { capacityCourse } from "./capacity-course.js";
import type { ClusterOptions, FleetOptions } from "./native.js";
import type { Streams } from "./streams.js";

/** How a policy sets the devices and the gateways. The code is the same for all. */
export interface Policy {
	readonly name: PolicyName;
	readonly admission: ClusterOptions["admission"];
	/** Of the gateways, by its name in `native/brain`. */
	readonly controller: ClusterOptions["controller"];
	/** Frames travel over TCP, as a Kafka client's do: loss is delay, and nothing comes twice or out of order. */
	readonly tcp: boolean;
	/** Marks, transactions, exactly once. Else a plain proxy: at least once. */
	readonly exactlyOnce: boolean;
	readonly liveFirst: boolean;
	/** Overrides the firmware's own rule; base and cap stay the firmware's. null: the firmware's own. */
	readonly backoffKind: Backoff["kind"] | null;
	/** 0: a time-out ends the connection, as in a Kafka client. */
	readonly retransmissionsMax: number;
	/** null: the firmware's request time-out. */
	readonly retransmitMicros: number | null;
	/** Devices hold back requests that would hardly be accepted. */
	readonly clientThrottle: boolean;
}

/** First wait for an ACK under burst sync, at least four times the link's slow end. */
const RETRANSMIT_MICROS = 5_000_000;
const RETRANSMISSIONS_MAX = 3;
/** No-shows are overbooked by this much: what does not fit is told to come back, never passed on to the sink. */
const OVERBOOK_PERMILLE = 1_050;
/** Backfill that waits in a gateway: this much of its share of the capacity. */
const BACKFILL_QUEUE_SECONDS = 4;

/** No faster than that: the dam lets eight times as much through, and takes no rate above 50 M/s. */
const READINGS_PER_SECOND_MAX = 6_000_000;

/** Share of the broker's ceiling that gateways use: at the ceiling itself its queue, and with it live latency, would wander. */
const CAPACITY_PERMILLE = 985;

const STATIC: Policy = {
	name: "static",
	admission: "drop",
	controller: "fixed",
	tcp: false,
	exactlyOnce: true,
	liveFirst: true,
	backoffKind: "full-jitter",
	retransmissionsMax: RETRANSMISSIONS_MAX,
	retransmitMicros: RETRANSMIT_MICROS,
	clientThrottle: false,
};

const KLAIS: Policy = {
	name: "klais",
	admission: "slots",
	controller: "brain",
	tcp: false,
	exactlyOnce: true,
	liveFirst: true,
	backoffKind: null,
	retransmissionsMax: RETRANSMISSIONS_MAX,
	retransmitMicros: RETRANSMIT_MICROS,
	clientThrottle: false,
};

/** The policies, by name. */
export const POLICIES: Readonly<Record<PolicyName, Policy>> = {
	none: {
		name: "none",
		admission: "open",
		controller: "fixed",
		tcp: true,
		exactlyOnce: false,
		liveFirst: false,
		backoffKind: "exponential",
		retransmissionsMax: 0,
		retransmitMicros: null,
		clientThrottle: false,
	},
	static: STATIC,
	klais: KLAIS,
	aimd: peer("aimd"),
	gradient2: peer("gradient2"),
	vegas: peer("vegas"),
	codel: peer("codel"),
	breakwater: peer("breakwater"),
	pid: peer("pid"),
	"client-throttle": { ...peer("client-throttle"), controller: "fixed", clientThrottle: true },
	"kafka-quota": peer("kafka-quota"),
	// The bound has the best there is to carry its decisions out.
	oracle: { ...KLAIS, name: "oracle", controller: "oracle" },
};

/** All as under `static` but the control law, and the firmware's own backoff. */
function peer(name: PeerName): Policy {
	return { ...STATIC, name, controller: name, backoffKind: null };
}

/** The fleet's native options under a policy. */
export function fleetOptions(scenario: Scenario, policy: Policy, streams: Streams): FleetOptions {
	const { firmware, count, link } = scenario.devices;
	const retransmit =
		policy.retransmitMicros === null ? null : Math.max(policy.retransmitMicros, link.p99Micros * 4);
	return {
		devices: count,
		keyLow: streams.keyLow,
		keyHigh: streams.keyHigh,
		readingMicros: firmware.readingIntervalMicros,
		reportMicros: firmware.reportIntervalMicros,
		keepAliveMicros: firmware.keepAliveMicros,
		storage: firmware.bufferKind,
		bufferReadings: firmware.bufferReadings,
		overflow: firmware.overflow,
		sensingBackup: firmware.backup === "sensing",
		backoffKind: policy.backoffKind ?? firmware.backoff.kind,
		backoffBaseMicros: firmware.backoff.baseMicros,
		backoffCapMicros: firmware.backoff.capMicros,
		helloTimeoutMicros: firmware.helloTimeoutMicros,
		helloTimeoutMaxMicros: firmware.helloTimeoutMaxMicros,
		requestTimeoutMicros: retransmit ?? firmware.requestTimeoutMicros,
		retransmissionsMax: policy.retransmissionsMax,
		windowFrames: firmware.windowFrames,
		frameReadings: firmware.frameReadings,
		liveFirst: policy.liveFirst,
		...(policy.clientThrottle ? { clientThrottle: true } : {}),
		gateways: scenario.gateways.count,
		shards: scenario.broker.partitions,
	};
}

/** The cluster's native options under a policy. */
export function clusterOptions(scenario: Scenario, policy: Policy, streams: Streams): ClusterOptions {
	const { gateways, broker, devices } = scenario;
	const usable = (broker.capacityPerSecond * CAPACITY_PERMILLE) / 1_000 / gateways.count;
	const isTold = policy.controller !== "brain";
	const capacity = Math.max(1, Math.floor(isTold ? usable : cpuReadingsPerSecond(scenario)));
	return {
		gateways: gateways.count,
		shards: broker.partitions,
		devices: devices.count + hostileDevices(scenario),
		keyLow: streams.keyLow,
		keyHigh: streams.keyHigh,
		admission: policy.admission,
		deduplicate: policy.exactlyOnce,
		controller: policy.controller,
		...(policy.controller === "oracle" ? { capacityCourse: capacityCourse(broker, scenario.outages) } : {}),
		capacityPerSecond: capacity,
		sessionsPerSecond: gateways.sessionsPerSecond,
		slotWindowMicros: gateways.slotWindowMicros,
		overbookPermille: OVERBOOK_PERMILLE,
		sinkQueueReadings: gateways.sinkQueueReadings,
		// Under `none` every device is a Kafka client: what the broker does not read waits with the client.
		undecidedFramesMax: policy.exactlyOnce
			? Number.MAX_SAFE_INTEGER
			: Math.max(1, Math.floor(broker.queuedRequests / gateways.count)),
		backfillQueueReadings: Math.max(capacity * BACKFILL_QUEUE_SECONDS, 2 * devices.firmware.frameReadings),
		commitIntervalMicros: gateways.commitIntervalMicros,
		batchReadingsMax: gateways.sinkBatchReadings,
		batchesInFlightMax: policy.exactlyOnce ? 1 : gateways.sinkInFlightBatches,
		bufferReadings: deviceReadings(devices.firmware),
		frameReadings: devices.firmware.frameReadings,
	};
}

/** Readings that one gateway's CPU can take in: all that a gateway is told where it finds out the broker's capacity itself. */
function cpuReadingsPerSecond({ gateways, devices }: Scenario): number {
	const { dataNanos, readingNanos, kernel } = gateways.costs;
	const { frameReadings } = devices.firmware;
	const frameNanos = dataNanos + kernel.dataPassNanos + frameReadings * readingNanos;
	return Math.min(READINGS_PER_SECOND_MAX, (frameReadings * 1_000_000_000) / Math.max(1, frameNanos));
}

/**
 * What a device may have to send at once, which its own bucket is made for: its buffer, or where that is tiny what it
 * takes in a minute, reports together or puts in one frame; a frame larger than the bucket would never pass.
 */
function deviceReadings(firmware: Firmware): number {
	const { readingIntervalMicros: interval, reportIntervalMicros, bufferReadings, frameReadings } = firmware;
	const aMinute = Math.ceil(60_000_000 / interval);
	return Math.max(bufferReadings, aMinute, 2 * (reportIntervalMicros / interval), frameReadings);
}
