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
