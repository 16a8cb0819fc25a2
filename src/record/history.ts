import { z } from "zod";
import { err, ok, type Result } from "../units/result.js";
import type { UserError } from "../units/user-error.js";
import type { ResultsFile } from "./run-record.js";
import { verdictOfResults } from "./verdict.js";

/** The schema's name, first key of every line. */
const HISTORY_SCHEMA = "klais.history/1";

const count = z.int().nonnegative();
const amount = z.number().nonnegative();

// Loose on purpose: a later klais may add figures under the same name.
const historyRun = z.looseObject({
	scenario: z.string(),
	policy: z.string(),
	seed: z.string(),
	devices: count,
	passed: z.boolean(),
	digest: z.string(),
	/** null: not drained. */
	drainRatio: amount.nullable(),
	liveRecoveryP99Micros: amount,
	attemptsPerConnect: amount,
	duplicates: count,
	ackedLost: count,
	/** Wall clock: noisy. */
	seconds: amount,
});

const historyEntry = z.looseObject({
	schema: z.literal(HISTORY_SCHEMA),
	date: z.iso.date(),
	version: z.string(),
	commit: z.string(),
	dirty: z.boolean(),
	/** The command whose record it was: what ran, and with which flags. */
	suite: z.string(),
	passed: z.boolean(),
	runs: z.array(historyRun).readonly(),
});

/** A published record in a line: its verdict, and the figures of each run that a trend is made of. */
export type HistoryEntry = z.output<typeof historyEntry>;

/** The record's line; `date` as `2026-11-25`. */
export function historyEntryOf(results: ResultsFile, date: string): HistoryEntry {
	const { passed, runs } = verdictOfResults(results);
	return {
		schema: HISTORY_SCHEMA,
		date,
		...results.tool,
		suite: results.command,
		passed: passed && !results.partial,
		runs: runs.map(({ run, verdict }) => ({
			scenario: run.scenario,
			policy: run.policy,
			seed: run.seed,
			devices: run.devices,
			passed: verdict.passed,
			digest: run.digest,
			drainRatio: run.virtual.drainRatio,
			liveRecoveryP99Micros: run.virtual.liveLatencyRecoveryMicros.p99,
			attemptsPerConnect: run.virtual.attemptsPerConnect,
			duplicates: run.ledger.duplicates,
			ackedLost: run.ledger.ackedLost,
			seconds: run.wall.seconds,
		})),
	};
}

/** The history with the entry in it. Published twice, a commit's suite still has one line, where it stood. */
export function withEntry(history: readonly HistoryEntry[], entry: HistoryEntry): readonly HistoryEntry[] {
	const place = history.findIndex(({ commit, suite }) => commit === entry.commit && suite === entry.suite);
	return place === -1 ? [...history, entry] : history.with(place, entry);
}

/** The text of a history: an entry a line, in the order in which they were published. */
export function serialiseHistory(history: readonly HistoryEntry[]): string {
	return history.map((entry) => `${JSON.stringify(entry)}\n`).join("");
}

/** Reads a history's text. `file` is only named in errors. */
export function parseHistory(text: string, file: string): Result<readonly HistoryEntry[], UserError> {
	const entries: HistoryEntry[] = [];
	for (const [index, line] of text.split("\n").entries()) {
		if (line.trim() === "") {
			continue;
		}
		const entry = parseEntry(line);
		if (typeof entry === "string") {
			const message = `expected a line that klais report --history wrote: ${entry}`;
			return err({ kind: "schema", message, file, line: index + 1 });
		}
		entries.push(entry);
	}
	return ok(entries);
}

/** The entry, or what is wrong with it. */
function parseEntry(line: string): HistoryEntry | string {
	let value: unknown;
	try {
		value = JSON.parse(line);
	} catch {
		return "it is not JSON";
	}
	const parsed = historyEntry.safeParse(value);
	if (parsed.success) {
		return parsed.data;
	}
	const [issue] = parsed.error.issues;
	return `${issue?.path.join(".") || "the line"}: ${issue?.message ?? "does not match"}`;
}
