import { MICROS_PER_SECOND, type Micros, micros } from "../units/micros.js";
import { err, ok, type Result } from "../units/result.js";
import type { UserError } from "../units/user-error.js";
import { didYouMean } from "./did-you-mean.js";
import { MAX_COHORTS, MAX_DEVICES } from "./limits.js";
import { parseTable, type Table, type TableRow } from "./read-table.js";
import type { Cohort } from "./scenario.js";

/** The columns of a cohort file. Times in seconds from the scenario's start; no `back_at_s`: not back before the end. */
const COHORT_COLUMNS = ["devices", "out_at_s", "back_at_s", "spread_s"] as const;

/** Times beyond this are mistakes of unit: 10 years. */
const MAX_SECONDS = 10 * 366 * 86_400;

/** Reads a cohort file. Errors: syntax, schema (a cell that is no number, a return before the loss), limit (rows). */
export function parseCohorts(text: string, file: string): Result<Cohort[], UserError[]> {
	const table = parseTable(text, file);
	if (!table.ok) {
		return err([table.error]);
	}
	const { columns, rows } = table.value;
	const missing = COHORT_COLUMNS.filter((name) => name !== "spread_s" && !columns.includes(name));
	const unknown = columns.filter((name) => !COHORT_COLUMNS.some((known) => known === name));
	if (missing.length > 0 || unknown.length > 0) {
		return err([...missing.map(missingColumn(table.value)), ...unknown.map(unknownColumn(table.value))]);
	}
	if (rows.length > MAX_COHORTS) {
		return err([{ kind: "limit", file, message: `holds ${rows.length} rows: the limit is ${MAX_COHORTS}` }]);
	}
	const cohorts: Cohort[] = [];
	for (const row of rows) {
		const cohort = readCohort(table.value, row);
		if (!cohort.ok) {
			return err([cohort.error]);
		}
		cohorts.push(cohort.value);
	}
	return ok(cohorts);
}

/** Writes a cohort file that `parseCohorts` reads back. */
export function formatCohorts(cohorts: readonly Cohort[]): string {
	const lines = cohorts.map(({ devices, outAtMicros, backAtMicros, spreadMicros }) =>
		[
			devices,
			seconds(outAtMicros),
			backAtMicros === null ? "" : seconds(backAtMicros),
			seconds(spreadMicros),
		].join(","),
	);
	return `${[COHORT_COLUMNS.join(","), ...lines].join("\n")}\n`;
}

function readCohort(table: Table, row: TableRow): Result<Cohort, UserError> {
	const cell = (name: (typeof COHORT_COLUMNS)[number]) => row.cells[table.columns.indexOf(name)] ?? "";
	const fail = (name: (typeof COHORT_COLUMNS)[number], message: string): Result<Cohort, UserError> =>
		err({ kind: "schema", message, ...table.placeOf(row, table.columns.indexOf(name)) });
	const devices = /^\d{1,9}$/.test(cell("devices")) ? Number(cell("devices")) : 0;
	if (devices < 1 || devices > MAX_DEVICES) {
		return fail(
			"devices",
			`expected a whole number of devices from 1 to ${MAX_DEVICES}, found "${cell("devices")}"`,
		);
	}
	const outAt = readSeconds(cell("out_at_s"));
	if (outAt === undefined) {
		return fail("out_at_s", `expected seconds from the scenario's start, found "${cell("out_at_s")}"`);
	}
	const backAt = cell("back_at_s") === "" ? null : readSeconds(cell("back_at_s"));
	if (backAt === undefined) {
		return fail(
			"back_at_s",
			`expected seconds from the scenario's start, or nothing, found "${cell("back_at_s")}"`,
		);
	}
	if (backAt !== null && backAt <= outAt) {
		return fail(
			"back_at_s",
			`the cohort is back at ${cell("back_at_s")} s, not after it went out at ${cell("out_at_s")} s`,
		);
	}
	const spread = cell("spread_s") === "" ? micros(0) : readSeconds(cell("spread_s"));
	if (spread === undefined) {
		return fail("spread_s", `expected seconds over which the cohort returns, found "${cell("spread_s")}"`);
	}
	return ok({
		devices,
		outAtMicros: outAt,
		backAtMicros: backAt,
		spreadMicros: backAt === null ? micros(0) : spread,
	});
}

function readSeconds(cell: string): Micros | undefined {
	if (!/^\d{1,9}(\.\d{1,6})?$/.test(cell) || Number(cell) > MAX_SECONDS) {
		return undefined;
	}
	return micros(Math.round(Number(cell) * MICROS_PER_SECOND));
}

function seconds(value: Micros): string {
	return String(value / MICROS_PER_SECOND);
}

function missingColumn({ file, columns }: Table): (name: string) => UserError {
	return (name) => ({
		kind: "schema",
		file,
		line: 1,
		key: name,
		message: `the column "${name}" is missing: the file has ${columns.join(", ")}`,
	});
}

function unknownColumn({ file }: Table): (name: string) => UserError {
	return (name) => ({
		kind: "unknown-key",
		file,
		line: 1,
		key: name,
		message: `unknown column "${name}".${didYouMean(name, COHORT_COLUMNS) || ` Known columns: ${COHORT_COLUMNS.join(", ")}.`}`,
	});
}
