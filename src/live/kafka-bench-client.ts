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
/** What a case takes to begin and to end. */
const CASE_SECONDS = 15;

const CASES = [
	"idempotent",
	"idempotent-headers",
	"transactional",
	"transactional-headers",
	"sink-without-transactions",
	"sink-exactly-once",
] as const;

/** The plain loop over the client, with and without what the sink's records carry beside key and value; and the sink. */
export type ClientCase = (typeof CASES)[number];

const lineSchema = z.looseObject({
	case: z.enum(CASES),
	readingsPerSecond: z.number().positive(),
});

/** What every round came to, in the order of the rounds. */
export type ClientRounds = Readonly<Record<ClientCase, readonly number[]>>;

interface Size {
	readonly seconds: number;
	readonly rounds: number;
}

/** Measures Kafka's client and the sink, side by side: readings per second. Throws a `LiveFault` when the program fails. */
export async function clientCeilings(world: BenchWorld): Promise<ClientRounds> {
	const size = SIZE[world.quick ? "quick" : "full"];
	if (!world.quick) {
		// A broker's Java compiles while it works: what comes first would pay for that.
		await run(world, WARM_UP, ["sink-without-transactions", "sink-exactly-once"]);
	}
	const measured = await run(world, size, CASES, world.say);
	const incomplete = CASES.find((name) => measured[name].length !== size.rounds);
	if (incomplete !== undefined) {
		throw new LiveFault("run", `klais-kafka-bench has not measured ${incomplete} in every round`);
	}
	return measured;
}

async function run(
	{ programs, broker }: BenchWorld,
	{ seconds, rounds }: Size,
	cases: readonly ClientCase[],
	say: BenchWorld["say"] = () => undefined,
): Promise<ClientRounds> {
	const empty = CASES.map((name) => [name, []]);
	const measured: Record<ClientCase, number[]> = Object.fromEntries(empty);
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
			const { case: name, readingsPerSecond } = line.data;
			measured[name].push(readingsPerSecond);
			say(`${name}: ${Math.round(readingsPerSecond)} readings/s`);
		}
	});
	try {
		const patience = rounds * cases.length * (seconds + CASE_SECONDS) * 1_000;
		if (!(await child.endsWithin(patience)) || !child.succeeded) {
			throw new LiveFault("run", `${child.name} failed: ${child.ended ?? "no end"}: ${child.complaint()}`);
		}
		return measured;
	} finally {
		await child.stop();
	}
}
