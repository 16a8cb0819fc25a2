import { z } from "zod";
import { parsed } from "./parsed.js";

const whole = z.number().nonnegative();
const counts = z.record(z.string(), whole);

/** What `/stats` of a gateway says. More may be there: a later gateway may count more. */
const statsSchema = z.looseObject({
	xdp: z.enum(["native", "generic", "off"]),
	reason: z.string().nullable(),
	kernel: z.record(z.string(), z.looseObject({ packets: whole, readings: whole })),
	gateway: z.looseObject({
		hellos: whole,
		deferred: whole,
		offered: whole,
		admitted: whole,
		queued: whole,
		queuedMax: whole,
		redirected: whole.exactOptional(),
		takeovers: whole.exactOptional(),
		fenced: whole.exactOptional(),
	}),
	drops: counts,
	wireErrors: counts,
	sink: z.looseObject({ readings: whole, duplicates: whole, reordered: whole, transactions: whole }),
	kafka: z
		.looseObject({
			bytes: whole,
			checkpoints: whole,
			shardsOpened: whole,
			recordsRestored: whole,
			throttledMillis: whole,
			circuitOpened: whole,
			failures: counts,
			commitMicros: z.looseObject({ count: whole, p50: whole, p99: whole, max: whole }),
		})
		.nullish(),
	turnaroundNanos: z.looseObject({ count: whole, p50: whole, p99: whole, p999: whole, max: whole }),
	service: z.looseObject({ dataNanos: whole.nullable() }).nullish(),
	cpu: z.looseObject({ userSeconds: whole, systemSeconds: whole }),
	frames: z.looseObject({ received: whole, sent: whole, socketDrops: whole }),
});

export type GatewayStats = z.output<typeof statsSchema>;

/** Reads the body of `/stats`. Throws, in words, on anything else. */
export function parseGatewayStats(body: string): GatewayStats {
	return parsed(statsSchema, body, "the gateway's /stats");
}
