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
	readonly clientThrottle?: true;
	/** Gateways on the list that each device was given; it begins at the home of its shard. */
	readonly gateways: number;
	readonly shards: number;
}

/** The cluster; rates are those of one gateway. Mirrors `ClusterOptions` in `native/node`. */
export interface ClusterOptions {
	readonly gateways: number;
	readonly shards: number;
	readonly devices: number;
	readonly keyLow: number;
	readonly keyHigh: number;
	readonly admission: "open" | "drop" | "slots";
	readonly deduplicate: boolean;
	/** What finds out a gateway's share of the sink; `fixed`: it is `capacityPerSecond`. */
	readonly controller: string;
	/** The truth, for the controller that is told it; see `capacityCourse`. */
	readonly capacityCourse?: readonly number[];
	readonly capacityPerSecond: number;
	readonly sessionsPerSecond: number;
	readonly slotWindowMicros: number;
	readonly overbookPermille: number;
	readonly sinkQueueReadings: number;
	readonly undecidedFramesMax: number;
	readonly backfillQueueReadings: number;
	readonly commitIntervalMicros: number;
	readonly batchReadingsMax: number;
	readonly batchesInFlightMax: number;
	readonly bufferReadings: number;
	readonly frameReadings: number;
}

/** The swarm of a cluster; mirrors `SwarmOptions` in `native/node`. */
interface SwarmOptions {
	readonly keyLow: number;
	readonly keyHigh: number;
	/** Devices numbered from here on are hostile. */
	readonly fleetDevices: number;
	readonly delayMinMicros: number;
	readonly delayMaxMicros: number;
	readonly lossPpm: number;
}

/** The devices' protocol stacks, stepped in batches of packed records (see `record-layout.ts`). */
export interface NativeFleet {
	/** Sets the arrays that `step` and `drain` work on; `routes`: the gateway that each device talks to, kept up to date. */
	attach(
		inbox: Float64Array,
		outbox: Float64Array,
		timers: Float64Array,
		counts: Float64Array,
		routes: Uint16Array,
	): void;
	/** Writes to `counts`: events handled, records in the outbox, pairs in `timers`, records left for `drain`. */
	step(horizon: number, count: number): void;
	drain(): number;
	deadlines(first: number, deadlines: Float64Array): void;
	phases(first: number, phases: Float64Array): void;
	/** Four numbers a device: held, lost just now, live mark acknowledged, backfill mark acknowledged. */
	settle(now: number, first: number, rows: Float64Array): void;
	digest(): string;
	bytesPerDevice(): number;
	/** Frees the memory; every later call is an error. */
	dispose(): void;
}

/** The gateways, stepped in batches of packed records. */
export interface NativeCluster {
	assumeOnline(devices: number): void;
	/** Sets the arrays that the other calls work on. */
	attach(inbox: Float64Array, verdicts: Uint8Array, outbox: Float64Array, counts: Float64Array): void;
	/**
	 * The kernel's half, for `count` records from record `first` on: blocks of frames, each after a GATEWAY record. Sorts each
	 * block by time and writes a verdict a record (0 accepted, or a GATEWAY record; 1 answered; 2 dropped), and to the
	 * outbox the answers, in blocks as well: how many records.
	 */
	ingress(first: number, count: number): number;
	/**
	 * User space's half: STORED records, then blocks of frames and gateway records, each in time order.
	 * Writes to `counts`: records in the outbox, records left for `drain`, 1 while any gateway has work under way.
	 */
	handle(horizon: number, count: number): void;
	drain(): number;
	/** hellos, deferred, offered, admitted, turned away, online, queued, largest queue of one gateway. */
	stats(out: Float64Array): void;
	/** What a gateway's controller has decided: rows of time (us), level, share of the sink, sessions, reason. */
	decisions(gateway: number): number[];
	decisionReasons(): string[];
	dropNames(): string[];
	drops(): number[];
	/** Makes the gateways a swarm: only before anything else. */
	joinSwarm(options: SwarmOptions, devices: number): void;
	/** In the order of `SWARM_FIGURES`; nothing where there is no swarm. */
	swarmFigures(): number[];
	digest(): string;
	bytesPerDevice(): number;
	/** Frees the memory; every later call is an error. */
	dispose(): void;
}

interface NativeLibrary {
	createFleet(options: FleetOptions): number;
	disposeFleet(id: number): void;
	attachFleet(
		id: number,
		inbox: Float64Array,
		outbox: Float64Array,
		timers: Float64Array,
		counts: Float64Array,
		routes: Uint16Array,
	): void;
	stepFleet(id: number, horizon: number, count: number): void;
	drainFleet(id: number): number;
	fleetDeadlines(id: number, first: number, deadlines: Float64Array): void;
	fleetPhases(id: number, first: number, phases: Float64Array): void;
	settleFleet(id: number, now: number, first: number, rows: Float64Array): void;
	fleetDigest(id: number): string;
	fleetBytesPerDevice(): number;
	createCluster(options: ClusterOptions): number;
	disposeCluster(id: number): void;
	attachCluster(
		id: number,
		inbox: Float64Array,
		verdicts: Uint8Array,
		outbox: Float64Array,
		counts: Float64Array,
	): void;
	assumeOnline(id: number, devices: number): void;
	clusterIngress(id: number, first: number, count: number): number;
	clusterHandle(id: number, horizon: number, count: number): void;
	drainCluster(id: number): number;
	clusterStats(id: number, out: Float64Array): void;
	clusterDecisions(id: number, gateway: number): number[];
	decisionReasons(): string[];
	dropNames(): string[];
	clusterDrops(id: number): number[];
	joinSwarm(id: number, options: SwarmOptions, devices: number): void;
	swarmFigures(id: number): number[];
	clusterDigest(id: number): string;
	clusterBytesPerDevice(): number;
}

let loaded: NativeLibrary | undefined;

/** Loads the library that set-up builds. Throws where it is missing: `npm run setup` makes it. */
export function loadNative(): NativeLibrary {
	loaded ??= createRequire(import.meta.url)("../../native/klais.node") as NativeLibrary;
	return loaded;
}

/** Makes the devices' stacks, all online in steady state. Throws if an option is out of range. */
export function createFleet(options: FleetOptions): NativeFleet {
	const native = loadNative();
	const id = native.createFleet(options);
	return {
		attach: (inbox, outbox, timers, counts, routes) =>
			native.attachFleet(id, inbox, outbox, timers, counts, routes),
		step: (horizon, count) => native.stepFleet(id, horizon, count),
		drain: () => native.drainFleet(id),
		deadlines: (first, deadlines) => native.fleetDeadlines(id, first, deadlines),
		phases: (first, phases) => native.fleetPhases(id, first, phases),
		settle: (now, first, rows) => native.settleFleet(id, now, first, rows),
		digest: () => native.fleetDigest(id),
		bytesPerDevice: () => native.fleetBytesPerDevice(),
		dispose: () => native.disposeFleet(id),
	};
}

/** Makes idle gateways. Throws if an option is out of range. */
export function createCluster(options: ClusterOptions): NativeCluster {
	const native = loadNative();
	const id = native.createCluster(options);
	return {
		attach: (inbox, verdicts, outbox, counts) => native.attachCluster(id, inbox, verdicts, outbox, counts),
		assumeOnline: (devices) => native.assumeOnline(id, devices),
		ingress: (first, count) => native.clusterIngress(id, first, count),
		handle: (horizon, count) => native.clusterHandle(id, horizon, count),
		drain: () => native.drainCluster(id),
		stats: (out) => native.clusterStats(id, out),
		decisions: (gateway) => native.clusterDecisions(id, gateway),
		decisionReasons: () => native.decisionReasons(),
		dropNames: () => native.dropNames(),
		drops: () => native.clusterDrops(id),
		joinSwarm: (settings, devices) => native.joinSwarm(id, settings, devices),
		swarmFigures: () => native.swarmFigures(id),
		digest: () => native.clusterDigest(id),
		bytesPerDevice: () => native.clusterBytesPerDevice(),
		dispose: () => native.disposeCluster(id),
	};
}
