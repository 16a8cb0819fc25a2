import type { Reporter } from "../../reports/report-files.js";
import { parseDuration } from "../../units/duration.js";
import { err, ok, type Result } from "../../units/result.js";
import type { UserError } from "../../units/user-error.js";
import { FlagReader } from "../flags.js";
import { DEFAULT_REPORTERS, REPORTER_NAMES } from "../reporters.js";
import { MAX_WORKERS } from "../run-flags.js";
import { readShardFlags, type ShardFlags, type ShardRequest } from "../shard-flags.js";

/** The flags of `klais sweep` as the command line has them. */
export interface SweepFlags extends ShardFlags {
	readonly calibration?: string;
	readonly workers?: string;
	readonly queue?: string;
	readonly again?: boolean;
	readonly worker?: boolean;
	readonly idle?: string;
	readonly out: string;
	readonly reporter?: readonly string[];
}

/** A sweep, on the cores of this machine or, with a queue, by whoever works there. */
export interface SweepRequest {
	readonly kind: "sweep";
	readonly file: string;
	readonly calibration: string | undefined;
	/** undefined: as many as cores and memory allow. */
	readonly workers: number | undefined;
	/** The URL of a Redis. */
	readonly queue: string | undefined;
	readonly again: boolean;
	readonly out: string;
	/** Always with `json`. */
	readonly reporters: ReadonlySet<Reporter>;
	readonly shard: ShardRequest | undefined;
}

/** A worker at a queue. */
export interface WorkerRequest {
	readonly kind: "worker";
	readonly url: string;
	/** Runs at a time; undefined: one a core. */
	readonly workers: number | undefined;
	/** It ends after so long without a job; Infinity: never. */
	readonly idleMs: number;
}

/** Checks the flags, all of them. */
export function readSweepFlags(
	file: string | undefined,
	flags: SweepFlags,
): Result<SweepRequest | WorkerRequest, UserError[]> {
	const reader = new FlagReader();
	const workers = reader.whole("--workers", flags.workers, 1, MAX_WORKERS);
	const url = queueUrl(reader, flags.queue);
	const request =
		flags.worker === true
			? workerRequest(reader, file, flags, { workers, url })
			: sweepRequest(reader, file, flags, { workers, url });
	return reader.errors.length > 0 || request === undefined ? err(reader.errors) : ok(request);
}

interface Common {
	readonly workers: number | undefined;
	readonly url: string | undefined;
}

function workerRequest(
	reader: FlagReader,
	file: string | undefined,
	{ queue, shard, durations, again, calibration, idle }: SweepFlags,
	{ workers, url }: Common,
): WorkerRequest | undefined {
	if (file !== undefined) {
		reader.reject("--worker", "takes its runs from the queue: name no sweep file");
	}
	if (queue === undefined) {
		reader.reject("--worker", "expected --queue as well, such as redis://127.0.0.1:6379");
	}
	const others = {
		"--shard": shard,
		"--durations": durations,
		"--again": again,
		"--calibration": calibration,
	};
	for (const [key, value] of Object.entries(others)) {
		if (value !== undefined) {
			reader.reject(key, "is for whoever asks for the sweep, not for a worker");
		}
	}
	const micros = reader.number("--idle", idle, parseDuration);
	return url === undefined
		? undefined
		: {
				kind: "worker",
				url,
				workers,
				idleMs: micros === undefined ? Number.POSITIVE_INFINITY : micros / 1_000,
			};
}

function sweepRequest(
	reader: FlagReader,
	file: string | undefined,
	flags: SweepFlags,
	{ workers, url }: Common,
): SweepRequest | undefined {
	const reporters = reader.words("--reporter", flags.reporter, REPORTER_NAMES) ?? DEFAULT_REPORTERS;
	const out = reader.text("--out", flags.out, "a folder");
	const shard = readShardFlags(reader, flags);
	if (flags.idle !== undefined) {
		reader.reject("--idle", "is for workers: with --worker");
	}
	if (flags.queue === undefined && flags.again === true) {
		reader.reject("--again", "is about what a queue remembers: with --queue");
	}
	if (flags.queue !== undefined && workers !== undefined) {
		reader.reject("--workers", "with a queue, each worker has its own: give it to klais sweep --worker");
	}
	if (file === undefined) {
		reader.reject("file", "expected a sweep file, or --worker");
		return undefined;
	}
	const { calibration, again = false } = flags;
	const all = new Set<Reporter>([...reporters, "json"]);
	return { kind: "sweep", file, calibration, workers, queue: url, again, out, reporters: all, shard };
}

function queueUrl(reader: FlagReader, text: string | undefined): string | undefined {
	if (text === undefined) {
		return undefined;
	}
	const url = URL.canParse(text) ? new URL(text) : undefined;
	if (url === undefined || !/^rediss?:$/.test(url.protocol) || url.hostname === "") {
		// The text itself may hold a password.
		reader.reject("--queue", "expected the URL of a Redis, such as redis://127.0.0.1:6379");
		return undefined;
	}
	return text;
}
