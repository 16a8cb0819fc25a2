import type { Scenario } from "../../scenarios/scenario.js";

/** A broker that takes more than this is worth waiting for until it is as fast as it can be. */
const MEASURED_PER_SECOND = 5_000;

/** What decides how the broker of a run is set up. */
export interface KafkaNeeds {
	readonly shards: number;
	/** Gateways whose ends of transactions are to be held back at times. */
	readonly proxied: readonly number[];
	/** It is to take much: it starts later, and is faster after that. */
	readonly measured: boolean;
	/** Whose time readings have in the log: the producer's unless said otherwise, or the broker's. */
	readonly timestamps?: "CreateTime" | "LogAppendTime";
}

/** Whether a scenario's broker is to take much. */
export function isToBeMeasured({ broker }: Scenario): boolean {
	return broker.capacityPerSecond > MEASURED_PER_SECOND;
}
