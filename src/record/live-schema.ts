import { z } from "zod";
import { equalColumns } from "./equal-columns.js";

// Loose on purpose, like the rest of the record: see `results-schema.ts`.
const text = z.string();
const known = z.array(z.number().nonnegative().nullable()).readonly();

const series = z
	.looseObject({
		bucketSeconds: z.number().positive(),
		timeSeconds: z.array(z.number().nonnegative()).readonly(),
		onlineMeasured: known,
		onlinePredicted: known,
		backlogMeasured: known,
		backlogPredicted: known,
	})
	.describe("Columns of equal length, one row per bucket of virtual time; null: not known")
	.superRefine(equalColumns("timeSeconds"));

const figure = z.looseObject({
	group: text,
	name: text.min(1),
	unit: text,
	measured: z.number().nullable().describe("Noisy; null: there was nothing to measure"),
	predicted: z.number().nullable().describe("The simulator's, exact; null: it has no such figure"),
	// Not z.optional: a key that is there with the value undefined does not exist in JSON.
	verdict: z.enum(["met", "missed"]).exactOptional(),
	headline: z.boolean().exactOptional(),
	note: text.exactOptional(),
});

const assertion = z.looseObject({
	name: text.min(1),
	holds: z.boolean().describe("false fails the run"),
	message: text,
});

const count = z.number().nonnegative();

const delays = z
	.looseObject({
		p50Seconds: count.nullable(),
		p99Seconds: count.nullable(),
		maxSeconds: count.nullable(),
		lateUntilSeconds: z.number().nullable().describe("null: no reading was held up"),
		devicesBehind: count.describe("That held such readings at the end"),
	})
	.describe("From taken to committed for the first time, by the broker's clock");

const witness = z
	.looseObject({
		records: count,
		stored: count.describe("Different readings"),
		twice: count,
		outOfOrder: count,
		altered: count,
		malformed: z.record(z.string(), count),
		beyond: count,
		missing: count.describe("Acknowledged, and not there"),
		unexplained: count,
		unbalancedDevices: count,
		deleted: count,
		undecided: count,
		unacknowledged: count,
		fleet: z.looseObject({
			produced: count,
			acknowledged: count,
			held: count,
			lostOverflow: count,
			lostVolatile: count,
		}),
		examples: z.record(z.string(), z.array(text).readonly()),
		delays: delays.exactOptional(),
		seconds: count,
	})
	.describe("What an independent client found in Kafka");

const fault = z
	.looseObject({
		kind: text,
		text: text,
		gateway: z.int().nonnegative().nullable().describe("null: the broker"),
		atSeconds: z.number(),
		lastedSeconds: count.nullable().describe("null: never undone"),
		shards: count,
		shardsTaken: count,
		shardsKept: count,
		firstCommitSeconds: z.number().nullable(),
		lastCommitSeconds: z.number().nullable(),
		firstReadingSeconds: z.number().nullable(),
		lastReadingSeconds: z.number().nullable(),
		readingsDelayed: count,
		delayP99Seconds: z.number().nullable(),
		delayMaxSeconds: z.number().nullable(),
	})
	.describe("What was done to the run, and how its shards fared");

const variant = z
	.looseObject({
		name: text.min(1),
		complete: z.boolean(),
		faultsDone: count,
		witness,
		requests: z.looseObject({ requests: count, timeouts: count, failures: count, sentAgain: count }),
		lateMillisP99: count,
	})
	.describe("The run once more, with plain devices and producers");

/** The zod schema of one entry of `live`. */
export const liveSchema = z
	.looseObject({
		scenario: text.min(1),
		policy: text.min(1),
		seed: text,
		devices: z.int().nonnegative(),
		speed: z.number().positive().describe("Virtual seconds per second of the wall clock"),
		gateways: z.int().nonnegative(),
		sink: z.enum(["mock", "kafka"]).exactOptional().describe("absent: mock"),
		xdp: z.looseObject({
			asked: z.enum(["native", "generic", "off"]),
			used: z.enum(["native", "generic", "off", "mixed"]),
			reason: text.nullable(),
		}),
		complete: z.boolean(),
		seconds: z.number().nonnegative(),
		environment: z.record(z.string(), text),
		assertions: z.array(assertion).readonly(),
		figures: z.array(figure).readonly(),
		series,
		witness: witness.exactOptional(),
		faults: z.array(fault).readonly().exactOptional(),
		comparison: z.array(variant).readonly().exactOptional(),
	})
	.describe("A scenario as real packets, beside what the simulator predicted");
