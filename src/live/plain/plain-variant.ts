/** The designs that klais is compared with. */
export const PLAIN_VARIANTS = ["kafkajs", "kafkajs-idempotent", "kafkajs-early"] as const;

export type PlainVariant = (typeof PLAIN_VARIANTS)[number];

/** How a variant sets its gateways up. */
interface VariantSettings {
	readonly idempotent: boolean;
	/** When a device hears that a gateway has its readings. */
	readonly acknowledges: "stored" | "accepted";
	/** Requests on their way to the broker, for kafkajs; null: its default, any number. */
	readonly maxInFlightRequests: number | null;
	/** Calls of `send` at once. */
	readonly sendsMax: number;
}

/** As many as Kafka's own clients have (`max.in.flight.requests.per.connection`). */
const SENDS_MAX = 5;

export const VARIANT_SETTINGS: Readonly<Record<PlainVariant, VariantSettings>> = {
	kafkajs: { idempotent: false, acknowledges: "stored", maxInFlightRequests: null, sendsMax: SENDS_MAX },
	// kafkajs's documentation asks for one request in flight where each message is to be written exactly once.
	"kafkajs-idempotent": {
		idempotent: true,
		acknowledges: "stored",
		maxInFlightRequests: 1,
		sendsMax: 1,
	},
	"kafkajs-early": {
		idempotent: false,
		acknowledges: "accepted",
		maxInFlightRequests: null,
		sendsMax: SENDS_MAX,
	},
};
