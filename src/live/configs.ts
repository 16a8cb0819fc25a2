import { availableParallelism } from "node:os";
import { ADMIN_ADDRESS } from "./gateway-process.js";
import { LATE_MICROS_MAX } from "./live-checks.js";
import type { LiveOrder } from "./live-order.js";
import { sampleMicros } from "./live-series.js";
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

/** The configuration of one gateway daemon. */
export function gatewayConfig(order: LiveOrder, topology: Topology, gateway: number, common: Common): object {
	const { scenario, speed, xdp, plan } = order;
	const place = topology.gateways[gateway];
	return {
		schema: "klais.gatewayd/1",
		gateway,
		gateways: topology.gateways.length,
		listen: `${place?.address}:${GATEWAY_PORT}`,
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
		sink: {
			kind: "mock",
			commitMicros: scenario.broker.commitMedianMicros,
			readingsPerSecond: Math.max(
				1,
				Math.floor(scenario.broker.capacityPerSecond / topology.gateways.length),
			),
		},
	};
}

/** Bytes of a reading in a DATA frame: as many as the simulator's link takes for one, and a frame fits a datagram. */
function wireReadingBytes(frameReadings: number): number {
	return Math.min(READING_BYTES, Math.floor((FRAME_BYTES_MAX - FRAME_OVERHEAD_BYTES) / frameReadings));
}

/** The configuration of the packet fleet, files apart. */
export function fleetConfig(order: LiveOrder, topology: Topology, common: Common): object {
	const { scenario, speed, plan, prediction } = order;
	return {
		schema: "klais.fleet/1",
		devices: scenario.devices.count,
		firstAddress: FIRST_DEVICE_ADDRESS,
		sourcePort: DEVICE_PORT,
		gateways: topology.gateways.map(({ address }) => `${address}:${GATEWAY_PORT}`),
		masterKey: common.masterKey,
		keyEpoch: 0,
		assumeOnline: true,
		originNanos: String(common.originNanos),
		timeScale: speed,
		untilMicros: scenario.durationMicros,
		readingBytes: wireReadingBytes(scenario.devices.firmware.frameReadings),
		fleet: plan.fleet,
		seriesMicros: sampleMicros(prediction.series),
		drainEpsilonReadings: Math.floor(plan.bound.epsilonReadings),
		lagLimitMicros: LATE_MICROS_MAX,
	};
}
