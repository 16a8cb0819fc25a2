/** Where the program that filters in front of a gateway ran. */
export type XdpMode = "native" | "generic" | "off";

/**
 * A scenario as real packets: what kernel, gateways and devices did, beside what the simulator had said for the same
 * scenario, seed and policy. Measured figures are noisy, predicted ones exact.
 */
export interface LiveRecord {
	readonly scenario: string;
	readonly policy: string;
	readonly seed: string;
	readonly devices: number;
	/** Virtual seconds per second of the wall clock. */
	readonly speed: number;
	readonly gateways: number;
	/** Where readings were stored; absent: in mock sinks. */
	readonly sink?: LiveSinkKind;
	readonly xdp: {
		readonly asked: XdpMode;
		/** What the gateways got, `mixed` where they differ. */
		readonly used: XdpMode | "mixed";
		/** Why it is not what was asked for; null if it is. */
		readonly reason: string | null;
	};
	/** False when the run was stopped before its end. */
	readonly complete: boolean;
	/** Wall time from the first packet to the last. */
	readonly seconds: number;
	readonly environment: Readonly<Record<string, string>>;
	/** What must hold, or the run has failed. */
	readonly assertions: readonly LiveAssertion[];
	/** In report order; figures of a group stand together. */
	readonly figures: readonly LiveFigure[];
	readonly series: LiveSeries;
	/** What an independent client found in Kafka, where that was the sink. */
	readonly witness?: LiveWitness;
	/** What was done to the run while it ran, in that order. */
	readonly faults?: readonly LiveFaultRow[];
	/** The same with plain producers in place of gateways and protocol, where it was asked for. */
	readonly comparison?: readonly LiveVariant[];
}

type LiveSinkKind = "mock" | "kafka";

/** What a witness found, reading everything that is committed; readings unless said otherwise. */
export interface LiveWitness {
	/** Records, those that are no reading included. */
	readonly records: number;
	/** Different readings. */
	readonly stored: number;
	/** Copies of a reading that was there before. */
	readonly twice: number;
	/** Behind what their lane, or their epoch, had reached. */
	readonly outOfOrder: number;
	/** Whose bytes are not what the device took. */
	readonly altered: number;
	/** Records that are no reading of this fleet, by reason. */
	readonly malformed: Readonly<Record<string, number>>;
	/** With a number that no device can have reached. */
	readonly beyond: number;
	/** Acknowledged, and not there. */
	readonly missing: number;
	/** There, and neither acknowledged, nor held, nor lost by their device. */
	readonly unexplained: number;
	/** Devices whose own account does not balance. */
	readonly unbalancedDevices: number;
	/** Offsets that were deleted before the witness came, and such as it waited for in vain. */
	readonly deleted: number;
	readonly undecided: number;
	/** There, and the acknowledgement was still under way. */
	readonly unacknowledged: number;
	/** The devices' own account. */
	readonly fleet: {
		readonly produced: number;
		readonly acknowledged: number;
		readonly held: number;
		readonly lostOverflow: number;
		readonly lostVolatile: number;
	};
	/** The first few of each kind, in words. */
	readonly examples: Readonly<Record<string, readonly string[]>>;
	/** How long readings took, where the run was compared with others. */
	readonly delays?: LiveDelays;
	/** That it took to read all. */
	readonly seconds: number;
}

/** From the instant at which a reading was taken until its first copy was committed, by the broker's clock. */
export interface LiveDelays {
	/** In steps of 10 ms; null: nothing is stored. */
	readonly p50Seconds: number | null;
	readonly p99Seconds: number | null;
	readonly maxSeconds: number | null;
	/** Since the run's beginning, when the last reading was committed that had been held up; null: none was. */
	readonly lateUntilSeconds: number | null;
	/** Devices that held such readings at the end. */
	readonly devicesBehind: number;
}

/** The run once more, with plain devices and producers. */
export interface LiveVariant {
	/** Such as kafkajs-idempotent. */
	readonly name: string;
	/** False when it was stopped before its end. */
	readonly complete: boolean;
	readonly faultsDone: number;
	readonly witness: LiveWitness;
	readonly requests: {
		/** Of devices. */
		readonly requests: number;
		readonly timeouts: number;
		/** Refused, cut off, or given up by the producer. */
		readonly failures: number;
		/** Readings in requests beyond the first that they were in. */
		readonly sentAgain: number;
	};
	/** How late devices were handled: beyond some 20 ms the machine was too busy. */
	readonly lateMillisP99: number;
}

/** A fault that was done to a live run, and how its shards fared; by the broker's clock. */
export interface LiveFaultRow {
	/** Such as kill-gateway. */
	readonly kind: string;
	/** As it was ordered. */
	readonly text: string;
	/** The one that was hit; null: the broker. */
	readonly gateway: number | null;
	/** Since the run's beginning. */
	readonly atSeconds: number;
	/** Until it was undone; null: never. */
	readonly lastedSeconds: number | null;
	/** Shards that the gateway owned; all, where the broker was hit. */
	readonly shards: number;
	/** Those of them in which another producer has committed since: a new owner, or the same one after a fence. */
	readonly shardsTaken: number;
	/** Those in which the same producer went on when the fault was over. */
	readonly shardsKept: number;
	/** From the fault until one of these had such a commit, and until the last of them had; null: none. */
	readonly firstCommitSeconds: number | null;
	readonly lastCommitSeconds: number | null;
	/** The same for commits that hold readings: devices have found the owner. */
	readonly firstReadingSeconds: number | null;
	readonly lastReadingSeconds: number | null;
	/** Readings of these shards that were due after the fault and before a commit of that kind. */
	readonly readingsDelayed: number;
	/** From due to committed, for those readings; null for none. In steps of 10 ms. */
	readonly delayP99Seconds: number | null;
	readonly delayMaxSeconds: number | null;
}

/** A promise that a live run has to keep. */
export interface LiveAssertion {
	/** Kebab-case. */
	readonly name: string;
	readonly holds: boolean;
	/** What was found, in words and figures. */
	readonly message: string;
}

/** One figure of a live run. */
export interface LiveFigure {
	readonly group: string;
	readonly name: string;
	/** Such as `share`, `seconds`, `ratio`, `readings`, `packets`. */
	readonly unit: string;
	/** null: there was nothing to measure. */
	readonly measured: number | null;
	/** The simulator's figure; null where it has none. */
	readonly predicted: number | null;
	/** For figures with a target: whether it was met. */
	readonly verdict?: "met" | "missed";
	/** Among the few that a reader sees first. */
	readonly headline?: boolean;
	/** How the figure came about, or what its target is. */
	readonly note?: string;
}

/** Columns of equal length, one row per bucket of virtual time, values at the bucket's end; null: not known. */
export interface LiveSeries {
	readonly bucketSeconds: number;
	/** Start of each bucket, seconds. */
	readonly timeSeconds: readonly number[];
	readonly onlineMeasured: readonly (number | null)[];
	readonly onlinePredicted: readonly (number | null)[];
	/** Readings that reachable devices still hold for the backfill. */
	readonly backlogMeasured: readonly (number | null)[];
	readonly backlogPredicted: readonly (number | null)[];
}
