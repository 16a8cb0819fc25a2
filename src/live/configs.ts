import { availableParallelism } from "node:os";
import type { Scenario } from "../scenarios/scenario.js";
import { ADMIN_ADDRESS } from "./gateway-process.js";
import { LATE_MICROS_MAX } from "./live-checks.js";
import type { LiveOrder } from "./live-order.js";
import { sampleMicros } from "./live-series.js";
import { swarmConfig } from "./swarm-config.js";
import { FIRST_DEVICE_ADDRESS, GATEWAY_PORT, type Topology } from "./topology.js";

/** Every device sends from this port; devices differ by their address. */
const DEVICE_PORT = 40_000;

/** Longest DATA frame, its header and MAC, and a delta time with a value. */
const FRAME_BYTES_MAX = 1_400;
const FRAME_OVERHEAD_BYTES = 48;
const READING_BYTES = 16;

/** What all processes of a run share. */
export interface Common {
	readonly masterKey: string;
	/** CLOCK_MONOTONIC at which virtual time begins. */
	readonly originNanos: bigint;
}

/** How a gateway waits for packets: a core of its own may poll, a shared one must not. */
export function pollMode(gateways: number): "busy" | "sleep" {
	return availableParallelism() > gateways + 1 ? "busy" : "sleep";
}

/** The configuration of one gateway daemon. `brokers` is where it finds Kafka, if that is its sink. */
export function gatewayConfig(
	order: LiveOrder,
	topology: Topology,
	gateway: number,
	common: Common,
	brokers: string,
): object {
	const { scenario, speed, xdp, plan, sink } = order;
	const place = topology.gateways[gateway];
	const swarm = swarmConfig(topology, gateway, scenario.seed);
	return {
		...(swarm === undefined ? {} : { swarm }),
		schema: "klais.gatewayd/1",
		gateway,
		gateways: topology.gateways.length,
		listen: `${place?.address}:${GATEWAY_PORT}`,
		gatewayAddresses: gatewayAddresses(topology),
		admin: ADMIN_ADDRESS,
		interface: xdp === "off" ? null : place?.link,
		xdp,
		devices: scenario.devices.count,
		masterKey: common.masterKey,
		keyEpoch: 0,
		assumeOnline: true,
		originNanos: String(common.originNanos),
		timeScale: speed,
		poll: pollMode(topology.gateways.length),
		policy: plan.cluster,
		sink:
			sink.kind === "kafka"
				? { kind: "kafka", brokers, transactions: sink.transactions }
				: mockSink(scenario.broker, topology.gateways.length),
	};
}

/** A gateway's share of the broker, which is a queue in its own process. */
function mockSink({ commitMedianMicros, capacityPerSecond }: Scenario["broker"], gateways: number): object {
	const readingsPerSecond = Math.max(1, Math.floor(capacityPerSecond / gateways));
	return { kind: "mock", commitMicros: commitMedianMicros, readingsPerSecond };
}

/** Where devices find each gateway. */
function gatewayAddresses({ gateways }: Topology): readonly string[] {
	return gateways.map(({ address }) => `${address}:${GATEWAY_PORT}`);
}

/** Bytes of a reading in a DATA frame: as many as the simulator's link takes for one, and a frame fits a datagram. */
export function wireReadingBytes(frameReadings: number): number {
	return Math.min(READING_BYTES, Math.floor((FRAME_BYTES_MAX - FRAME_OVERHEAD_BYTES) / frameReadings));
}

/** The configuration of the packet fleet, files apart. */
export function fleetConfig(order: LiveOrder, topology: Topology, common: Common): object {
	const { scenario, speed, plan, prediction } = order;
	// A device knows gateways; what a shard is, is between them.
	const { shards: _, ...firmware } = plan.fleet;
	return {
		schema: "klais.fleet/1",
		devices: scenario.devices.count,
		firstAddress: FIRST_DEVICE_ADDRESS,
		sourcePort: DEVICE_PORT,
		gateways: gatewayAddresses(topology),
		masterKey: common.masterKey,
		keyEpoch: 0,
		assumeOnline: true,
		originNanos: String(common.originNanos),
		timeScale: speed,
		untilMicros: scenario.durationMicros,
		readingBytes: wireReadingBytes(scenario.devices.firmware.frameReadings),
		fleet: firmware,
		seriesMicros: sampleMicros(prediction.series),
		drainEpsilonReadings: Math.floor(plan.bound.epsilonReadings),
		lagLimitMicros: LATE_MICROS_MAX,
	};
}
