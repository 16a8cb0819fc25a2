/** Why there is no broker: `message` says what is wrong and what to do. */
export interface BrokerFault {
	readonly kind:
		| "bad-address"
		| "bad-choice"
		| "unreachable"
		| "no-docker"
		| "container"
		| "no-java"
		| "no-maven"
		/** Maven is there, and could not fetch Kafka. */
		| "no-download"
		| "port-taken"
		| "not-ready"
		/** A running broker refused what it was asked for. */
		| "refused";
	readonly message: string;
}

export const KAFKA_VARIABLE = "KLAIS_KAFKA";
export const BROKER_VARIABLE = "KLAIS_BROKER";
export const CACHE_VARIABLE = "KLAIS_CACHE";

export function fault(kind: BrokerFault["kind"], message: string): BrokerFault {
	return { kind, message };
}
