import { err, ok, type Result } from "../units/result.js";
import type { UserError } from "../units/user-error.js";
import { fleetRefusal, MAX_REPORTED_ERRORS } from "./limits.js";
import { parseTable, type Table, type TableRow } from "./read-table.js";
import { findColumn } from "./read-trace.js";
import type { ListedOutage } from "./restoration-cohorts.js";
import { parseMoment } from "./trace-time.js";

const FIRST_SEEN = ["first_seen_epoch_s", "first_seen", "start_epoch_s", "start", "start_time"];
const LAST_SEEN = ["last_seen_epoch_s", "last_seen", "end_epoch_s", "end", "end_time"];
const MAX_CUSTOMERS = ["max_customers", "customers"];
const LAST_CUSTOMERS = ["last_customers", "max_customers", "customers"];

/**
 * Reads a utility's list of outages, one row each, of which only sizes and the snapshots of first and last sight count.
 * Errors: syntax; schema (a missing column, a cell that is no time or count, last seen before first seen); limit.
 */
export function readOutageList(text: string, file: string): Result<ListedOutage[], UserError[]> {
	const table = parseTable(text, file);
	if (!table.ok) {
		return err([table.error]);
	}
	const wanted = [
		findColumn(table.value, "first-seen", undefined, FIRST_SEEN),
		findColumn(table.value, "last-seen", undefined, LAST_SEEN),
		findColumn(table.value, "customers", undefined, MAX_CUSTOMERS),
		findColumn(table.value, "customers", undefined, LAST_CUSTOMERS),
	];
	const columns = wanted.flatMap((column) => (column.ok ? [column.value] : []));
	const missing = wanted.flatMap((column) => (column.ok ? [] : [column.error]));
	if (missing.length > 0) {
		return err(missing);
	}
	const listed: ListedOutage[] = [];
	const errors: UserError[] = [];
	for (const row of table.value.rows) {
		const outage = readListedOutage(table.value, row, columns);
		if (outage.ok) {
			listed.push(outage.value);
		} else {
			errors.push(outage.error);
		}
		if (errors.length >= MAX_REPORTED_ERRORS) {
			break;
		}
	}
	return errors.length > 0 ? err(errors) : ok(listed);
}

function readListedOutage(
	table: Table,
	row: TableRow,
	columns: readonly number[],
): Result<ListedOutage, UserError> {
	const [first = 0, last = 0, most = 0, latest = 0] = columns;
	const cell = (column: number): string => row.cells[column] ?? "";
	const fail = (column: number, message: string): Result<ListedOutage, UserError> =>
		err({
			kind: "schema",
			message: `${message}, found "${cell(column).slice(0, 60)}"`,
			...table.placeOf(row, column),
		});
	const firstSeenSeconds = parseMoment(cell(first));
	const lastSeenSeconds = parseMoment(cell(last));
	if (firstSeenSeconds === undefined || lastSeenSeconds === undefined) {
		return fail(
			firstSeenSeconds === undefined ? first : last,
			"expected a time in seconds since 1970 or in ISO 8601",
		);
	}
	if (lastSeenSeconds < firstSeenSeconds) {
		return fail(last, "expected a time no earlier than the first sight");
	}
	for (const column of [most, latest]) {
		if (!/^\d{1,15}$/.test(cell(column))) {
			return fail(column, "expected a whole number of customers");
		}
		const refusal = fleetRefusal(Number(cell(column)));
		if (refusal !== undefined) {
			return err({ kind: "limit", message: refusal, ...table.placeOf(row, column) });
		}
	}
	return ok({
		firstSeenSeconds,
		lastSeenSeconds,
		maxCustomers: Number(cell(most)),
		lastCustomers: Number(cell(latest)),
	});
}
