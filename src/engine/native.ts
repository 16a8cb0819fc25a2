import { createRequire } from "node:module";

/** The firmware shared by the fleet; mirrors `FleetOptions` in `native/node`. */
export interface FleetOptions {
	readonly devices: number;
	readonly keyLow: number;
	readonly keyHigh: number;
	readonly readingMicros: number;
	readonly reportMicros: number;
	readonly keepAliveMicros: number;
	readonly storage: string;
	readonly bufferReadings: number;
	readonly overflow: string;
	readonly sensingBackup: boolean;
	readonly backoffKind: string;
	readonly backoffBaseMicros: number;
	readonly backoffCapMicros: number;
	readonly helloTimeoutMicros: number;
	readonly helloTimeoutMaxMicros: number;
	readonly requestTimeoutMicros: number;
	readonly retransmissionsMax: number;
	readonly windowFrames: number;
	readonly frameReadings: number;
	readonly liveFirst: boolean;
}

/** The cluster; rates are those of one gateway. Mirrors `ClusterOptions` in `native/node`. */
export interface ClusterOptions {
	readonly gateways: number;
	readonly devices: number;
	readonly keyLow: number;
	readonly keyHigh: number;
	readonly admission: "open" | "drop" | "slots";
	readonly deduplicate: boolean;
	readonly capacityPerSecond: number;
	readonly sessionsPerSecond: number;
	readonly slotWindowMicros: number;
	readonly overbookPermille: number;
	readonly sinkQueueReadings: number;
	readonly undecidedFramesMax: number;
	readonly backfillQueueReadings: number;
	readonly commitIntervalMicros: number;
	readonly batchReadingsMax: number;
	readonly producers: number;
	readonly batchesInFlightMax: number;
	readonly bufferReadings: number;
	readonly frameReadings: number;
}

/** The devices' protocol stacks, stepped in batches of packed records (see `record-layout.ts`). */
export interface NativeFleet {
	/** Sets the arrays that `step` and `drain` work on. */
	attach(inbox: Float64Array, outbox: Float64Array, timers: Float64Array, counts: Float64Array): void;
	/** Writes to `counts`: events handled, records in the outbox, pairs in `timers`, records left for `drain`. */
	step(horizon: number, count: number): void;
	drain(): number;
	deadlines(first: number, deadlines: Float64Array): void;
	phases(first: number, phases: Float64Array): void;
	/** Four numbers a device: held, lost just now, live mark acknowledged, backfill mark acknowledged. */
	settle(now: number, first: number, rows: Float64Array): void;
	digest(): string;
	bytesPerDevice(): number;
}

/** The gateways, stepped in batches of packed records. */
export interface NativeCluster {
	assumeOnline(devices: number): void;
	/** Sets the arrays that the other calls work on. */
	attach(inbox: Float64Array, verdicts: Uint8Array, outbox: Float64Array, counts: Float64Array): void;
	/** Sorts `count` frames from record `first` on by time; verdicts: 0 accepted, 1 answered, 2 dropped. Answers: how many. */
	ingress(first: number, count: number): number;
	/** Writes to `counts`: records in the outbox, records left for `drain`, 1 while any gateway has work under way. */
	handle(horizon: number, count: number): void;
	drain(): number;
	/** hellos, deferred, offered, admitted, turned away, online, queued, largest queue of one gateway. */
	stats(out: Float64Array): void;
	dropNames(): string[];
	drops(): number[];
	digest(): string;
	bytesPerDevice(): number;
}

interface NativeLibrary {
	readonly Fleet: new (options: FleetOptions) => NativeFleet;
	readonly Cluster: new (options: ClusterOptions) => NativeCluster;
}

/** Loads the library that set-up builds. Throws where it is missing: `npm run setup` makes it. */
export function loadNative(): NativeLibrary {
	return createRequire(import.meta.url)("../../native/klais.node") as NativeLibrary;
}
