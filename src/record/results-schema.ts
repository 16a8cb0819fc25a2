import { open } from "node:fs/promises";
import { LineCounter, parseDocument } from "yaml";
import { z } from "zod";
import { err, ok, type Result } from "../units/result.js";
import type { UserError } from "../units/user-error.js";
import { equalColumns } from "./equal-columns.js";
import { liveSchema } from "./live-schema.js";
import type { ResultsFile } from "./run-record.js";
import { shardSchema } from "./shard.js";
import { sweepSectionSchema } from "./sweep.js";

/** The schema's name, first key of every results file. */
export const RESULTS_SCHEMA = "klais.results/1";

/** A results file above this is refused before it is read into memory. */
const RESULTS_BYTES_MAX = 1_073_741_824;

/** Above this, an error names the key only: finding its line would parse the text a second time, slowly. */
const LOCATE_BYTES_MAX = 33_554_432;

// Objects are loose on purpose: a later klais may add fields under the same schema name, and rendering or
// merging a record must neither refuse nor drop them.
const text = z.string();
const amount = z.number().nonnegative();
const whole = z.int().nonnegative();
const column = z.array(amount).readonly();

const host = z.looseObject({
	cpu: text,
	cores: whole,
	memoryBytes: whole,
	os: text,
	kernel: text,
	node: text,
	rustc: text,
});

const ledger = z
	.looseObject({
		produced: whole,
		durable: whole,
		buffered: whole,
		lostOverflow: whole,
		lostVolatile: whole,
		duplicates: whole,
		reordered: whole,
		ackedLost: whole,
		imbalance: text.nullable().describe("null when the ledger balances; else the first offender, in words"),
	})
	.describe("Readings: produced = durable + buffered + lostOverflow + lostVolatile, or the run has failed");

const quantiles = { p50Seconds: amount, p95Seconds: amount, p999Seconds: amount };

const latency = z.looseObject({ p50: amount, p99: amount, p999: amount, max: amount, count: whole });

const takeover = z
	.looseObject({
		kind: text,
		gateway: whole,
		atSeconds: amount,
		shards: whole,
		shardsTaken: whole,
		firstCommitSeconds: amount.nullable(),
		lastCommitSeconds: amount.nullable(),
		readingsDelayed: whole,
		delayP99Seconds: amount.nullable(),
	})
	.describe("How the shards of a gateway changed hands after a fault; null: they did not");

/** What the gateways' swarm did; see `SwarmMetrics`. */
const swarmFields = {
	...{ gateways: whole, detected: whole, seconded: whole, devicesBlocked: whole, addressesBlocked: whole },
	...{ blockedEverywhere: whole, firstBlockSeconds: amount.nullable() },
	spreadP50Seconds: amount
		.nullable()
		.describe("From the first gateway that blocks a hostile one to the last"),
	...{ spreadP99Seconds: amount.nullable(), spreadMaxSeconds: amount.nullable() },
	...{ spreadMaxRounds: amount.nullable(), boundRounds: amount },
	...{ wrongBlocks: whole, wrongBlockedDeviceHours: amount, wrongBlocksPerDeviceHour: amount },
	...{ blocks: whole, expired: whole, overruled: whole, vetoed: whole, uncorroborated: whole },
	...{ accusations: whole, ups: whole, downs: whole, expulsions: whole, censusChanges: whole },
	...{ gossipBytesPerNodeSecond: amount, datagramsPerNodeSecond: amount },
	...{ datagramsLost: whole, datagramsRefused: whole },
};

const decision = z
	.looseObject({
		atSeconds: amount,
		gateway: whole,
		level: whole.describe("0: normal; 1: history slowed; 2: stopped; 3: live readings thinned out"),
		capacityPerSecond: whole,
		sessionsPerSecond: whole,
		reason: text,
	})
	.describe("A change that matters in what a gateway's controller has decided");

const virtual = z
	.looseObject({
		drainSeconds: amount.nullable().describe("null: not drained at the end"),
		drainBoundSeconds: amount,
		drainRatio: amount.nullable().describe("drainSeconds / drainBoundSeconds; null: not drained"),
		undrainedReadings: whole,
		devicesConnected: z.looseObject({ ...quantiles, count: whole, neverConnected: whole }),
		devicesConnectedBound: z.looseObject(quantiles),
		peakOfferedPerSecond: amount,
		peakAdmittedPerSecond: amount,
		capacityPerSecond: amount,
		utilisation: amount,
		attemptsPerConnect: amount,
		liveLatencyMicros: latency,
		liveLatencyBeforeMicros: latency,
		liveLatencyRecoveryMicros: latency,
		backfillAgeSeconds: z.looseObject({ p50: amount, p99: amount, max: amount }),
		jainFairness: amount,
		overshoot: amount.nullable().optional(),
		settlingSeconds: amount.nullable().optional(),
		peakSinkQueueReadings: whole,
		forecast: z.null(),
		takeovers: z.array(takeover).readonly().optional(),
		swarm: z.looseObject(swarmFields).optional(),
		attack: z
			.looseObject({ devices: whole, frames: whole, sessions: whole, readingsStored: whole })
			.optional(),
		drops: z.record(z.string(), whole),
		work: z.looseObject({ events: whole, frames: whole, hellos: whole, slices: whole }),
	})
	.describe("Exact: the same on every machine for the same scenario, seed and version");

const series = z
	.looseObject({
		bucketSeconds: z.number().positive(),
		timeSeconds: column,
		offeredPerSecond: column,
		admittedPerSecond: column,
		durablePerSecond: column,
		duplicatesPerSecond: column,
		helloPerSecond: column,
		deferredPerSecond: column,
		droppedPerSecond: column,
		reachable: column,
		online: column,
		backlogReadings: column,
		backlogBoundReadings: column,
		liveP99Micros: z.array(amount.nullable()).readonly(),
	})
	.describe("Columns of equal length, one row per bucket of virtual time")
	.superRefine(equalColumns("timeSeconds"));

const percentiles = z
	.looseObject({
		percents: z.array(z.number().positive().lt(100)).readonly(),
		liveBeforeMicros: column,
		liveRecoveryMicros: column,
		connectedSeconds: column,
		connectedBoundSeconds: column,
	})
	.describe("Distributions: columns of equal length, one row a percentage")
	.superRefine(equalColumns("percents"));

const wall = z
	.looseObject({
		seconds: amount,
		events: whole,
		eventsPerSecond: amount,
		peakRssBytes: whole,
		phases: z.record(z.string(), amount),
	})
	.describe("Noisy: differs from run to run, never compared exactly");

const run = z.looseObject({
	scenario: text.min(1),
	policy: text.min(1),
	seed: text,
	devices: whole,
	workers: whole,
	input: text
		.exactOptional()
		.describe("Hash of the resolved scenario, to the last cohort, and of the policy"),
	parameters: z.record(z.string(), text).exactOptional().describe("In a sweep: the value of each parameter"),
	config: z.unknown(),
	digest: text,
	complete: z.boolean(),
	ledger,
	virtual,
	series,
	percentiles: percentiles.exactOptional(),
	decisions: z.array(decision).readonly().exactOptional(),
	wall,
});

const bench = z.looseObject({
	name: text,
	unit: text,
	better: z.enum(["higher", "lower"]),
	samples: z.array(z.number()).readonly(),
	environment: z.record(z.string(), text),
});

/** The zod schema of a results file. */
export const resultsSchema = z.looseObject({
	schema: z.literal(RESULTS_SCHEMA),
	tool: z.looseObject({ version: text, commit: text, dirty: z.boolean() }),
	host,
	command: text.describe("The command that repeats this file"),
	partial: z.boolean(),
	runs: z.array(run).readonly(),
	bench: z.array(bench).readonly(),
	live: z.array(liveSchema).readonly(),
	shard: shardSchema.exactOptional(),
	sweep: sweepSectionSchema.exactOptional(),
});

/** `klais.results/1` as JSON Schema (draft 2020-12), for readers in other languages. */
export function resultsJsonSchema(): Record<string, unknown> {
	const schema = z.toJSONSchema(resultsSchema, {
		target: "draft-2020-12",
		io: "input",
		override: ({ jsonSchema }) => {
			// Ours by TypeScript's meaning; in JSON Schema it would say that a client must not send the value.
			delete jsonSchema.readOnly;
		},
	});
	return { ...schema, $id: "urn:klais:results:1", title: RESULTS_SCHEMA };
}

/** Checks the text of a results file. `file` is only named in errors. */
export function parseResults(source: string, file: string): Result<ResultsFile, UserError> {
	const json = source.charCodeAt(0) === 0xfeff ? source.slice(1) : source;
	let value: unknown;
	try {
		value = JSON.parse(json);
	} catch (error) {
		return err(syntaxError(error, json, file));
	}
	const found = schemaName(value);
	if (found !== RESULTS_SCHEMA) {
		return err(wrongSchema(found, file));
	}
	const parsed = resultsSchema.safeParse(value);
	if (parsed.success) {
		return ok(parsed.data satisfies ResultsFile);
	}
	return err(schemaError(parsed.error, json, file));
}

/** Reads and checks a stored results file. */
export async function readResults(file: string): Promise<Result<ResultsFile, UserError>> {
	let bytes: Buffer;
	try {
		const handle = await open(file, "r");
		try {
			const { size } = await handle.stat();
			if (size > RESULTS_BYTES_MAX) {
				const message = `a results file may have ${RESULTS_BYTES_MAX} bytes at most, this one has ${size}`;
				return err({ kind: "limit", message, file });
			}
			bytes = await handle.readFile();
		} finally {
			await handle.close();
		}
	} catch (error) {
		return err(readError(error, file));
	}
	try {
		return parseResults(new TextDecoder("utf-8", { fatal: true }).decode(bytes), file);
	} catch {
		return err({ kind: "unreadable", message: "not UTF-8 text: expected a klais results.json", file });
	}
}

function readError(error: unknown, file: string): UserError {
	const code = (error as NodeJS.ErrnoException).code ?? "unknown error";
	if (code === "ENOENT") {
		return { kind: "not-found", message: "no such file: expected a results.json that klais wrote", file };
	}
	if (code === "EISDIR") {
		return { kind: "unreadable", message: "a folder: name the results.json inside it", file };
	}
	return { kind: "unreadable", message: `cannot be read (${code})`, file };
}

function schemaName(value: unknown): unknown {
	return typeof value === "object" && value !== null ? (value as { schema?: unknown }).schema : undefined;
}

function wrongSchema(found: unknown, file: string): UserError {
	const is = typeof found === "string" ? `"${found.slice(0, 80)}"` : "missing";
	const message =
		`expected schema "${RESULTS_SCHEMA}", which is ${is} here: ` +
		"the file is no klais record, or another version of klais wrote it";
	return { kind: "schema", message, file, key: "schema" };
}

function syntaxError(error: unknown, json: string, file: string): UserError {
	const reason = error instanceof Error ? error.message : String(error);
	const end = json.trimEnd().length;
	const match = /position (\d+)/.exec(reason);
	// V8 names no position when the text just stops.
	const offset = match?.[1] === undefined ? end : Number(match[1]);
	const before = json.slice(0, offset);
	const line = before.split("\n").length;
	const column = offset - before.lastIndexOf("\n");
	const cut = offset >= end ? "; the file seems cut short" : "";
	return {
		kind: "syntax",
		message: `not valid JSON: ${reason.split(" in JSON")[0]}${cut}`,
		file,
		line,
		column,
	};
}

function schemaError(error: z.ZodError, json: string, file: string): UserError {
	const issue = error.issues[0];
	const path = issue?.path ?? [];
	const key = path.map((part, i) =>
		typeof part === "number" ? `[${part}]` : `${i > 0 ? "." : ""}${String(part)}`,
	);
	const more = error.issues.length > 1 ? ` (and ${error.issues.length - 1} more)` : "";
	const message = `${issue?.message ?? "does not match the schema"}${more}`;
	return { kind: "schema", message, file, key: key.join(""), ...locate(json, path) };
}

/** Line and column of the deepest part of `path` that exists. */
function locate(json: string, path: readonly PropertyKey[]): { line: number; column: number } | undefined {
	if (json.length > LOCATE_BYTES_MAX) {
		return undefined;
	}
	const lines = new LineCounter();
	const document = parseDocument(json, { lineCounter: lines, uniqueKeys: false });
	for (let length = path.length; length >= 0; length--) {
		const node = document.getIn(path.slice(0, length), true) as
			| { range?: [number, number, number] }
			| undefined;
		if (node?.range) {
			const place = lines.linePos(node.range[0]);
			return { line: place.line, column: place.col };
		}
	}
	return undefined;
}
