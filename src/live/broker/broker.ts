import type { BrokerFault } from "./broker-fault.js";

/** A Kafka to write to. */
export interface Broker {
	/** Named by the user, in a container, or on this machine. */
	readonly kind: "given" | "container" | "local";
	/** What clients connect to: `host:port`, or several with commas. */
	readonly bootstrap: string;
	/**
	 * Limits what every client id may write, or one of them; null lifts the limit. Beyond it Kafka throttles. What went wrong,
	 * or undefined.
	 */
	limitProducers(bytesPerSecond: number | null, clientId?: string): Promise<BrokerFault | undefined>;
	/** Ends it, if it is ours, and removes its data. */
	remove(): Promise<void>;
}
