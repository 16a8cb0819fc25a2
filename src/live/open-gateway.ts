/** More readings, or sessions, than anybody sends. */
export const NO_LIMIT_PER_SECOND = 10_000_000;

/** What differs between the gateways that measure; times in virtual microseconds. */
export interface OpenGateway {
	readonly listen: string;
	readonly admin: string;
	readonly interface: string | null;
	readonly xdp: string;
	readonly devices: number;
	readonly masterKey: string;
	readonly poll: "busy" | "sleep";
	/** Where it is one of several, and where readings go: by default alone, and nowhere. */
	readonly gateway?: number;
	readonly gateways?: number;
	readonly sink?: object;
	/** The rest of its policy. */
	readonly policy: {
		readonly admission: "open" | "slots";
		readonly sessionsPerSecond: number;
		readonly backfillQueueReadings: number;
		readonly commitIntervalMicros: number;
		readonly batchReadingsMax: number;
		readonly shards: number;
		readonly bufferReadings: number;
		readonly frameReadings: number;
	};
}

/** The configuration of a gateway daemon that only measures: nothing is refused, and a sink of its own decides at once. */
export function openGateway({ policy, gateways = 1, ...given }: OpenGateway): object {
	return {
		schema: "klais.gatewayd/1",
		gateway: 0,
		sink: { kind: "mock", commitMicros: 0, readingsPerSecond: 0 },
		...given,
		gateways,
		keyEpoch: 0,
		assumeOnline: true,
		originNanos: null,
		timeScale: 1,
		policy: {
			gateways,
			devices: given.devices,
			keyLow: 1,
			keyHigh: 2,
			deduplicate: true,
			capacityPerSecond: NO_LIMIT_PER_SECOND,
			slotWindowMicros: 10_000_000,
			overbookPermille: 1_000,
			sinkQueueReadings: NO_LIMIT_PER_SECOND,
			undecidedFramesMax: Number.MAX_SAFE_INTEGER,
			batchesInFlightMax: 1,
			...policy,
		},
	};
}
