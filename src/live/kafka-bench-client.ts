import { join } from "node:path";
import { z } from "zod";
import { Child } from "./child.js";
import { FRAME_READINGS, READING_BYTES } from "./kafka-bench-gateway.js";
import { type BenchWorld, SHARDS } from "./kafka-bench-world.js";
import { LiveFault } from "./live-fault.js";

/** Beside the live programs. */
export const CLIENT_PROGRAM = join("examples", "klais-kafka-bench");

/** Seconds of each case, each time, and how often. */
const SIZE = { full: { seconds: 2, rounds: 4 }, quick: { seconds: 1, rounds: 1 } };
const WARM_UP = { seconds: 3, rounds: 1 };
/** A loop that comes to no end gives up after a minute. */
const CASE_SECONDS = 75;

const SINKS = ["sink-without-transactions", "sink-exactly-once"] as const;
const CASES = [
	"idempotent-paced",
	"idempotent-headers-paced",
	"transactional-paced",
	"transactional-headers-paced",
	...SINKS,
] as const;

/**
 * Loops over Kafka's client alone, with and without the headers that the sink's records have; and the sink. The loops are paced as
 * the sink is: one that hands over whatever there is room for is several times slower on few cores, and may come to no end.
 */
export type ClientCase = (typeof CASES)[number];

const lineSchema = z.looseObject({
	case: z.enum(CASES),
	readingsPerSecond: z.number().positive().optional(),
});

/** Readings per second by round; null where a loop came to no end. */
export type ClientRounds = ReadonlyMap<ClientCase, readonly (number | null)[]>;

interface Size {
	readonly seconds: number;
	readonly rounds: number;
}

/** Measures Kafka's client and the sink, side by side. Throws a `LiveFault` when the program fails. */
export async function clientCeilings(world: BenchWorld): Promise<ClientRounds> {
	if (!world.quick) {
		// A broker's Java compiles while it works: what comes first would pay for that.
		await run({ ...world, say: () => undefined }, WARM_UP, SINKS);
	}
	return run(world, SIZE[world.quick ? "quick" : "full"], CASES);
}

async function run(
	{ programs, broker, say }: BenchWorld,
	{ seconds, rounds }: Size,
	cases: readonly ClientCase[],
): Promise<ClientRounds> {
	const measured = new Map<ClientCase, (number | null)[]>(cases.map((name) => [name, []]));
	const args = {
		brokers: broker.bootstrap,
		producers: SHARDS,
		run: FRAME_READINGS,
		bytes: READING_BYTES,
		seconds,
		rounds,
		only: cases.join(),
	};
	const flags = Object.entries(args).flatMap(([key, value]) => [`--${key}`, String(value)]);
	const child = new Child("klais-kafka-bench", null, join(programs, CLIENT_PROGRAM), flags, (text) => {
		const line = lineSchema.safeParse(JSON.parse(text));
		// The last line sums up what the others say.
		if (line.success) {
			const { case: name, readingsPerSecond: rate = null } = line.data;
			measured.get(name)?.push(rate);
			say(`${name}: ${rate === null ? "came to no end" : `${Math.round(rate)} readings/s`}`);
		}
	});
	try {
		const patience = rounds * cases.length * (seconds + CASE_SECONDS) * 1_000;
		if (!(await child.endsWithin(patience)) || !child.succeeded) {
			throw new LiveFault("run", `${child.name} failed: ${child.ended ?? "no end"}: ${child.complaint()}`);
		}
	} finally {
		await child.stop();
	}
	const incomplete = cases.find((name) => measured.get(name)?.length !== rounds);
	if (incomplete !== undefined) {
		throw new LiveFault("run", `${child.name} has not measured ${incomplete} in every round`);
	}
	return measured;
}
