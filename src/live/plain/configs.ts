import { TOPICS } from "../broker/topics.js";
import { wireReadingBytes } from "../configs.js";
import { readingsOf } from "../kafka/run-witness.js";
import type { LiveOrder } from "../live-order.js";
import { GATEWAY_PORT, type Topology } from "../topology.js";
import type { PlainFleetConfig, PlainGatewayConfig } from "./plain-config.js";
import { type PlainVariant, VARIANT_SETTINGS } from "./plain-variant.js";

/** All gateways are one client to Kafka's quotas, as klais's are. */
const CLIENT_ID = "plain-gateway";

/** What a plain gateway is told. */
export function plainGatewayConfig(
	{ scenario, plan }: LiveOrder,
	variant: PlainVariant,
	topology: Topology,
	gateway: number,
	broker: string,
): PlainGatewayConfig {
	const { gateways } = scenario;
	const { idempotent, maxInFlightRequests, acknowledges, sendsMax } = VARIANT_SETTINGS[variant];
	return {
		listen: { host: topology.gateways[gateway]?.address ?? "", port: GATEWAY_PORT },
		broker,
		clientId: CLIENT_ID,
		topic: TOPICS.readings,
		partitions: plan.cluster.shards,
		idempotent,
		maxInFlightRequests,
		bridge: {
			acknowledges,
			sendsMax,
			queueReadingsMax: gateways.sinkQueueReadings,
			batchReadingsMax: gateways.sinkBatchReadings,
			lingerMillis: gateways.commitIntervalMicros / 1_000,
		},
	};
}

/** What the plain fleet is told: the scenario's firmware, grid and power cuts. */
export function plainFleetConfig(
	{ scenario, plan }: LiveOrder,
	topology: Topology,
	originNanos: bigint,
	ledger: string,
): PlainFleetConfig {
	const { firmware } = scenario.devices;
	return {
		gateways: topology.gateways.map(({ address }) => ({ host: address, port: GATEWAY_PORT })),
		originNanos: String(originNanos),
		untilMicros: scenario.durationMicros,
		connectTimeoutMillis: firmware.helloTimeoutMicros / 1_000,
		seed: `plain devices, seed ${scenario.seed}`,
		readingBytes: wireReadingBytes(firmware.frameReadings),
		readings: readingsOf(scenario),
		shards: plan.cluster.shards,
		phasesMicros: [...plan.phasesMicros()],
		firmware: {
			readingMicros: firmware.readingIntervalMicros,
			reportMicros: firmware.reportIntervalMicros,
			bufferReadings: firmware.bufferReadings,
			// Decimation is klais's own: the nearest that is common gives up the oldest.
			overflow: firmware.overflow === "drop-newest" ? "drop-newest" : "drop-oldest",
			isVolatile: firmware.bufferKind === "volatile",
			sensingBackup: firmware.backup === "sensing",
			frameReadings: firmware.frameReadings,
			requestTimeoutMicros: firmware.requestTimeoutMicros,
			backoffBaseMicros: firmware.backoff.baseMicros,
			backoffCapMicros: firmware.backoff.capMicros,
			gateways: topology.gateways.length,
		},
		changes: [...plan.powerChanges()],
		ledger,
	};
}
