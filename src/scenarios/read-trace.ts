import { err, ok, type Result } from "../units/result.js";
import type { UserError } from "../units/user-error.js";
import { didYouMean } from "./did-you-mean.js";
import { glitchFlags } from "./glitches.js";
import { fleetRefusal, MAX_REPORTED_ERRORS } from "./limits.js";
import { parseTable, type Table, type TableRow } from "./read-table.js";
import { parseMoment } from "./trace-time.js";

/** How many customers were out at one moment. */
export interface Snapshot {
	/** Seconds since 1970. */
	readonly epochSeconds: number;
	readonly customersOut: number;
	/** Line in the file. */
	readonly line: number;
}

export interface TraceOptions {
	/** The column with the time; guessed from its name when not given. */
	readonly timeColumn?: string;
	/** The column with the customers out; guessed from its name when not given. */
	readonly outColumn?: string;
	/** Find glitches where the file has no glitch column (see `glitchFlags`). */
	readonly detectGlitches?: boolean;
	/** Keep the rows that are marked as glitches. */
	readonly keepGlitches?: boolean;
}

/** A trace without its glitches, in the order of time. */
export interface Trace {
	readonly snapshots: readonly Snapshot[];
	readonly warnings: readonly string[];
}

const TIME_COLUMNS = [
	"epoch_s",
	"epoch_ms",
	"epoch",
	"timestamp",
	"time",
	"datetime",
	"date_time",
	"snapshot_utc",
	"utc",
	"run_start_time",
	"ts",
	"date",
];
const OUT_COLUMNS = ["customers_out", "customers_affected", "customers", "affected", "out", "value"];
const GLITCH_COLUMN = "glitch";

/** A step of more than this many median steps is worth a warning: what happened within it is unknown. */
const GAP_FACTOR = 6;

/**
 * Reads an outage trace. Errors: syntax; schema (a missing column, a cell that is no time or count, time that stands
 * still or runs backwards, nobody ever out); limit (more customers than a fleet can have). Gaps and dropped glitches are
 * warnings.
 */
export function readTrace(
	text: string,
	file: string,
	options: TraceOptions = {},
): Result<Trace, UserError[]> {
	const parsed = parseTable(text, file);
	if (!parsed.ok) {
		return err([parsed.error]);
	}
	const table = parsed.value;
	const time = findColumn(table, "time", options.timeColumn, TIME_COLUMNS, "--time-column");
	const out = findColumn(table, "customers-out", options.outColumn, OUT_COLUMNS, "--out-column");
	if (!time.ok || !out.ok) {
		return err([time, out].flatMap((column) => (column.ok ? [] : [column.error])));
	}
	const errors: UserError[] = [];
	const all = readSnapshots(table, time.value, out.value, errors);
	const flags = readGlitches(table, all, options, errors);
	if (errors.length > 0) {
		return err(errors.slice(0, MAX_REPORTED_ERRORS));
	}
	const snapshots = all.filter((_, index) => !flags[index]);
	const useless = uselessTrace(snapshots, file);
	if (useless !== undefined) {
		return err([useless]);
	}
	const dropped = all.length - snapshots.length;
	const warnings = dropped > 0 ? [`${dropped} of ${all.length} snapshots dropped as glitches`] : [];
	return ok({ snapshots, warnings: [...warnings, ...gapWarnings(snapshots)] });
}

function uselessTrace(snapshots: readonly Snapshot[], file: string): UserError | undefined {
	if (snapshots.length < 2) {
		return { kind: "schema", file, message: `expected at least two snapshots, found ${snapshots.length}` };
	}
	return snapshots.every(({ customersOut }) => customersOut === 0)
		? { kind: "schema", file, message: "nobody is ever out: there is nothing to simulate" }
		: undefined;
}

/** Finds the wanted column, by the name that the user gave or else by the likely names, in their order. */
export function findColumn(
	{ file, columns }: Table,
	what: string,
	given: string | undefined,
	likely: readonly string[],
	flag?: string,
): Result<number, UserError> {
	const there = `the file has ${columns.map((name) => `"${name}"`).join(", ")}`;
	if (given !== undefined) {
		const index = columns.indexOf(given);
		const message = `no column is called "${given}": ${there}.${didYouMean(given, columns)}`;
		return index === -1 ? err({ kind: "schema", file, line: 1, key: given, message }) : ok(index);
	}
	const folded = columns.map((name) => name.toLowerCase().replaceAll(/[\s-]+/g, "_"));
	const found = likely.find((name) => folded.includes(name));
	if (found === undefined) {
		const hint = flag === undefined ? "" : `. Name it with ${flag}`;
		const message = `no ${what} column, such as ${likely[0]}: ${there}${hint}`;
		return err({ kind: "schema", file, line: 1, key: String(likely[0]), message });
	}
	return ok(folded.indexOf(found));
}

function readSnapshots(table: Table, time: number, out: number, errors: UserError[]): Snapshot[] {
	const snapshots: Snapshot[] = [];
	for (const row of table.rows) {
		const snapshot = readSnapshot(table, row, time, out);
		const previous = snapshots.at(-1);
		if (!snapshot.ok) {
			errors.push(snapshot.error);
		} else if (previous !== undefined && snapshot.value.epochSeconds <= previous.epochSeconds) {
			const cell = `"${row.cells[time]}"`;
			const message =
				snapshot.value.epochSeconds === previous.epochSeconds
					? `the time ${cell} is there twice: line ${previous.line} has it too`
					: `time runs backwards: ${cell} comes after ${isoTime(previous.epochSeconds)} in line ${previous.line}`;
			errors.push({ kind: "schema", message, ...table.placeOf(row, time) });
			snapshots.push(snapshot.value);
		} else {
			snapshots.push(snapshot.value);
		}
		// Rows after the last reported error cannot matter, and a file may have a million of them.
		if (errors.length >= MAX_REPORTED_ERRORS) {
			return snapshots;
		}
	}
	return snapshots;
}

function readSnapshot(table: Table, row: TableRow, time: number, out: number): Result<Snapshot, UserError> {
	const timeCell = row.cells[time] ?? "";
	const epochSeconds = parseMoment(timeCell);
	if (epochSeconds === undefined) {
		const message = `expected a time in seconds or milliseconds since 1970 or in ISO 8601, found "${timeCell.slice(0, 60)}"`;
		return err({ kind: "schema", message, ...table.placeOf(row, time) });
	}
	const outCell = row.cells[out] ?? "";
	const place = table.placeOf;
	if (!/^-?\d{1,20}(\.0{1,6})?$/.test(outCell)) {
		const message = `expected a whole number of customers, found "${outCell.slice(0, 60)}"`;
		return err({ kind: "schema", message, ...place(row, out) });
	}
	const customersOut = Number(outCell);
	if (customersOut < 0) {
		return err({
			kind: "schema",
			message: `expected no negative number of customers, found ${outCell}`,
			...place(row, out),
		});
	}
	const refusal = fleetRefusal(customersOut);
	return refusal === undefined
		? ok({ epochSeconds, customersOut, line: row.line })
		: err({ kind: "limit", message: refusal, ...place(row, out) });
}

function readGlitches(
	table: Table,
	all: readonly Snapshot[],
	options: TraceOptions,
	errors: UserError[],
): boolean[] {
	if (options.keepGlitches === true) {
		return [];
	}
	const column = table.columns.findIndex((name) => name.toLowerCase() === GLITCH_COLUMN);
	if (column === -1) {
		return options.detectGlitches === true ? glitchFlags(all.map(({ customersOut }) => customersOut)) : [];
	}
	return table.rows.map((row) => {
		const cell = row.cells[column] ?? "";
		if (cell !== "0" && cell !== "1" && cell !== "" && errors.length < MAX_REPORTED_ERRORS) {
			errors.push({
				kind: "schema",
				message: `expected 0 or 1, found "${cell.slice(0, 60)}"`,
				...table.placeOf(row, column),
			});
		}
		return cell === "1";
	});
}

function gapWarnings(snapshots: readonly Snapshot[]): string[] {
	const steps = snapshots
		.slice(1)
		.map(({ epochSeconds }, index) => epochSeconds - (snapshots[index]?.epochSeconds ?? 0));
	const median = [...steps].sort((a, b) => a - b)[Math.floor(steps.length / 2)] ?? 0;
	return steps.flatMap((step, index) =>
		step > GAP_FACTOR * median
			? [`line ${snapshots[index + 1]?.line}: a gap of ${step} s, where the median step is ${median} s`]
			: [],
	);
}

function isoTime(epochSeconds: number): string {
	return new Date(epochSeconds * 1_000).toISOString().replace(".000Z", "Z");
}
