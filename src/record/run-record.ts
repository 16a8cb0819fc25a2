import type { LiveRecord } from "./live-record.js";
import type { ShardSection } from "./shard.js";
import type { SweepSection } from "./sweep.js";

/** The run record, schema `klais.results/1`: what every runner returns and every reader reads. */
export interface ResultsFile {
	readonly schema: "klais.results/1";
	readonly tool: { readonly version: string; readonly commit: string; readonly dirty: boolean };
	readonly host: Host;
	/** The command that repeats this file. */
	readonly command: string;
	/** True when the user stopped the run before its end: figures cover what ran. */
	readonly partial: boolean;
	readonly runs: readonly RunRecord[];
	readonly bench: readonly BenchRecord[];
	readonly live: readonly LiveRecord[];
	/** In the record of a shard alone. */
	readonly shard?: ShardSection;
	/** In the record of a sweep alone. */
	readonly sweep?: SweepSection;
}

export interface Host {
	readonly cpu: string;
	readonly cores: number;
	readonly memoryBytes: number;
	readonly os: string;
	readonly kernel: string;
	readonly node: string;
	readonly rustc: string;
}

export interface RunRecord {
	readonly scenario: string;
	readonly policy: string;
	readonly seed: string;
	readonly devices: number;
	readonly workers: number;
	/**
	 * Hex hash of the resolved scenario, to the last cohort, and of the policy: `config` sums cohorts up. Left out where an earlier
	 * version wrote the record.
	 */
	readonly input?: string;
	/** In a sweep: the value of each parameter, by its path, as the sweep file has it. */
	readonly parameters?: Readonly<Record<string, string>>;
	/** The scenario as resolved, cohorts summed up (see `ConfigSummary` in the methodology). */
	readonly config: unknown;
	/** Hex digest of the event trace: the same for the same scenario, seed and version on any machine. */
	readonly digest: string;
	/** False when the run was stopped before its virtual end. */
	readonly complete: boolean;
	readonly ledger: LedgerTotals;
	readonly virtual: VirtualMetrics;
	readonly series: Series;
	/** Left out where an earlier version wrote the record. */
	readonly percentiles?: Percentiles;
	/** What the gateways' controllers decided, in time order; left out where the capacity was configured. */
	readonly decisions?: readonly DecisionRow[];
	readonly wall: WallMetrics;
}

/** A change that matters in what a gateway's controller has decided. */
export interface DecisionRow {
	readonly atSeconds: number;
	readonly gateway: number;
	/** 0: normal; 1: history slowed; 2: history stopped; 3: live readings thinned out, sessions put off. */
	readonly level: number;
	/** The gateway's share of the sink, in readings per second. */
	readonly capacityPerSecond: number;
	readonly sessionsPerSecond: number;
	/** Why, in a word. */
	readonly reason: string;
}

/** Readings. `produced = durable + buffered + lostOverflow + lostVolatile` or the run has failed. */
export interface LedgerTotals {
	readonly produced: number;
	readonly durable: number;
	readonly buffered: number;
	readonly lostOverflow: number;
	readonly lostVolatile: number;
	readonly duplicates: number;
	readonly reordered: number;
	readonly ackedLost: number;
	/** null when the ledger balances; else the first offending device and sequence, in words. */
	readonly imbalance: string | null;
}

export interface Quantiles {
	readonly p50Seconds: number;
	readonly p95Seconds: number;
	readonly p999Seconds: number;
}

export interface LatencyMicros {
	readonly p50: number;
	readonly p99: number;
	readonly p999: number;
	readonly max: number;
	readonly count: number;
}

export interface VirtualMetrics {
	/** From the start of the longest busy period of the bound until the backlog is durable; null: not drained at the end. */
	readonly drainSeconds: number | null;
	readonly drainBoundSeconds: number;
	/** drainSeconds / drainBoundSeconds; null: not drained. */
	readonly drainRatio: number | null;
	/** Readings of the outage's backlog not durable at the end of the run. */
	readonly undrainedReadings: number;
	readonly devicesConnected: Quantiles & { readonly count: number; readonly neverConnected: number };
	/** The same quantiles for an ideal first-come first-served session queue. */
	readonly devicesConnectedBound: Quantiles;
	readonly peakOfferedPerSecond: number;
	readonly peakAdmittedPerSecond: number;
	readonly capacityPerSecond: number;
	/** Durable readings (duplicates apart) in the busy period over what the broker could have stored, 0 to 1. */
	readonly utilisation: number;
	/** HELLOs sent while a gateway could be reached (lost ones too), per session set up. */
	readonly attemptsPerConnect: number;
	/** Report due until durable, live lane, whole run. */
	readonly liveLatencyMicros: LatencyMicros;
	readonly liveLatencyBeforeMicros: LatencyMicros;
	readonly liveLatencyRecoveryMicros: LatencyMicros;
	/** Age of a backfill reading when it became durable. */
	readonly backfillAgeSeconds: { readonly p50: number; readonly p99: number; readonly max: number };
	/** Jain's index over the devices of the share of their readings that is durable at the end, 0 to 1. */
	readonly jainFairness: number;
	/** Largest admitted rate in the busy period over the capacity, less 1; null: nothing to drain. Absent in older records. */
	readonly overshoot?: number | null | undefined;
	/** From the start of the busy period until the durable rate stays within a tenth of the capacity; null: it never does. */
	readonly settlingSeconds?: number | null | undefined;
	readonly peakSinkQueueReadings: number;
	readonly forecast: null;
	/** How shards changed hands after each fault of a gateway; absent where nobody owns shards (policy `none`), and in older records. */
	readonly takeovers?: readonly Takeover[] | undefined;
	/** What the gateways' swarm did; absent where they are none. */
	readonly swarm?: SwarmMetrics | undefined;
	/** What attacks came to; absent where nobody attacks. */
	readonly attack?: AttackMetrics | undefined;
	/** Frames dropped, by reason. */
	readonly drops: Readonly<Record<string, number>>;
	/** Exact work counters. */
	readonly work: {
		readonly events: number;
		readonly frames: number;
		readonly hellos: number;
		readonly slices: number;
	};
}

/** What a swarm of gateways did. A subject is a device, an address range or a frame. */
export interface SwarmMetrics {
	readonly gateways: number;
	/** Subjects that a gateway found out by itself, and those that it found after others had; all gateways together. */
	readonly detected: number;
	readonly seconded: number;
	/** Hostile ones that any gateway has blocked. */
	readonly devicesBlocked: number;
	readonly addressesBlocked: number;
	/** Times that a hostile one was blocked by all gateways that ran. */
	readonly blockedEverywhere: number;
	/** When the first hostile one was blocked, from the scenario's start; null: none was. */
	readonly firstBlockSeconds: number | null;
	/** From the first gateway that blocks a hostile one to the last; null: none was blocked by all. */
	readonly spreadP50Seconds: number | null;
	readonly spreadP99Seconds: number | null;
	readonly spreadMaxSeconds: number | null;
	/** The longest of them in rounds in which news is told on, 20 ms each; and three times log2 of the gateways. */
	readonly spreadMaxRounds: number | null;
	readonly boundRounds: number;
	/** Times that a device of the fleet was blocked, by itself or with its address; by liars themselves not counted. */
	readonly wrongBlocks: number;
	readonly wrongBlockedDeviceHours: number;
	/** Wrong blocks, over the hours that all devices of the fleet have lived through. */
	readonly wrongBlocksPerDeviceHour: number;
	/** All gateways together: blocks, those that ended with their time, and those that were taken back. */
	readonly blocks: number;
	readonly expired: number;
	readonly overruled: number;
	/** Subjects that enough gateways reported and one did not block, which saw them behave. */
	readonly vetoed: number;
	/** Accusations that ran out without anybody agreeing. */
	readonly uncorroborated: number;
	/** Of liars. */
	readonly accusations: number;
	/** Times that a gateway took another one for up, or for down, and that one heard that it had been given up. */
	readonly ups: number;
	readonly downs: number;
	readonly expulsions: number;
	/** Times that a gateway shared shards out anew. */
	readonly censusChanges: number;
	/** Of datagrams, without IP and UDP. */
	readonly gossipBytesPerNodeSecond: number;
	readonly datagramsPerNodeSecond: number;
	readonly datagramsLost: number;
	readonly datagramsRefused: number;
}

/** What attacks came to. */
export interface AttackMetrics {
	/** Devices with keys beside the fleet. */
	readonly devices: number;
	/** Frames that reached a gateway. */
	readonly frames: number;
	/** HELLOs that were admitted. */
	readonly sessions: number;
	/** Readings that got into the log; they are in no ledger. */
	readonly readingsStored: number;
}

/** A fault of one gateway, and how long its shards were without an owner that commits. */
export interface Takeover {
	/** gateway, gateway-freeze or gateway-cut. */
	readonly kind: string;
	readonly gateway: number;
	readonly atSeconds: number;
	/** Shards that it owned when the fault began. */
	readonly shards: number;
	/** Those of them in which a new owner has committed since: another gateway, or itself after a restart. */
	readonly shardsTaken: number;
	/** From the fault until a new owner has committed in the first of them, and in the last; null: in none. */
	readonly firstCommitSeconds: number | null;
	readonly lastCommitSeconds: number | null;
	/** Readings of these shards that were due after the fault and before their new owner's first commit. */
	readonly readingsDelayed: number;
	/** From due to durable, for those readings; null for none. In steps of 0.1 s. */
	readonly delayP99Seconds: number | null;
}

/** Columns of equal length, one row per bucket of virtual time. Rates are per second, averaged over the bucket. */
export interface Series {
	readonly bucketSeconds: number;
	/** Start of each bucket, seconds. */
	readonly timeSeconds: readonly number[];
	/** Readings in DATA frames that reached a gateway (every copy). */
	readonly offeredPerSecond: readonly number[];
	/** Readings that a gateway accepted for the sink. */
	readonly admittedPerSecond: readonly number[];
	/** Readings newly durable. */
	readonly durablePerSecond: readonly number[];
	readonly duplicatesPerSecond: readonly number[];
	readonly helloPerSecond: readonly number[];
	readonly deferredPerSecond: readonly number[];
	readonly droppedPerSecond: readonly number[];
	/** Devices that have power and network (the world's truth). */
	readonly reachable: readonly number[];
	/** Devices with a session, at the bucket's end. */
	readonly online: readonly number[];
	/** Readings of reachable devices that still wait for the backfill, at the bucket's end. */
	readonly backlogReadings: readonly number[];
	/** The bound's backlog: an ideal sink fed by the same returns. */
	readonly backlogBoundReadings: readonly number[];
	readonly liveP99Micros: readonly (number | null)[];
}

/** Distributions in more points than `virtual` has: columns of equal length, one row a percentage. 0 where nothing was measured. */
export interface Percentiles {
	/** Rising, above 0 and below 100. */
	readonly percents: readonly number[];
	readonly liveBeforeMicros: readonly number[];
	readonly liveRecoveryMicros: readonly number[];
	readonly connectedSeconds: readonly number[];
	/** The same for an ideal first-come first-served session queue. */
	readonly connectedBoundSeconds: readonly number[];
}

/** Differs from run to run; never compared exactly. */
interface WallMetrics {
	readonly seconds: number;
	readonly events: number;
	readonly eventsPerSecond: number;
	readonly peakRssBytes: number;
	readonly phases: Readonly<Record<string, number>>;
}

export interface BenchRecord {
	readonly name: string;
	readonly unit: string;
	readonly better: "higher" | "lower";
	readonly samples: readonly number[];
	readonly environment: Readonly<Record<string, string>>;
}
