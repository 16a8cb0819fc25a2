import { type CsvError, parse } from "csv-parse/sync";
import { err, ok, type Result } from "../units/result.js";
import type { UserError } from "../units/user-error.js";

/** A CSV file with a header line: comma, semicolon or tab between the cells. */
export interface Table {
	readonly file: string;
	readonly columns: readonly string[];
	readonly rows: readonly TableRow[];
	/** Where a cell stands, for an error: file, line, column and, as the key, the column's name. */
	placeOf(row: TableRow, column: number): Pick<UserError, "file" | "line" | "column" | "key">;
}

export interface TableRow {
	/** Counts from 1, the header included. */
	readonly line: number;
	readonly cells: readonly string[];
}

/** Longest record. An unclosed quote would otherwise swallow the file into one cell. */
const MAX_RECORD_BYTES = 65_536;

interface RecordWithInfo {
	readonly record: string[];
	readonly info: { readonly lines: number };
}

/**
 * Splits CSV text. CRLF and a byte-order mark are taken as they come. Every row has a cell for each column.
 * Errors: syntax (no header, no rows, a row too short or too long, an unclosed quote).
 */
export function parseTable(text: string, file: string): Result<Table, UserError> {
	const source = text.startsWith("\uFEFF") ? text.slice(1) : text;
	const records = splitRecords(source, file);
	if (!records.ok) {
		return records;
	}
	const [header, ...rest] = records.value;
	if (header === undefined) {
		return err({ kind: "syntax", file, message: "is empty: expected a header line and rows" });
	}
	const columns = header.record.map((name) => name.trim());
	const twice = columns.find((name, index) => columns.indexOf(name) !== index);
	if (twice !== undefined) {
		return err({ kind: "syntax", file, line: 1, message: `the column "${twice}" is there twice` });
	}
	const rows: TableRow[] = [];
	for (const [index, { record, info }] of rest.entries()) {
		if (record.length !== columns.length) {
			const isLast = index === rest.length - 1;
			const message = wrongLength(record.length, columns.length, isLast);
			return err({ kind: "syntax", file, line: info.lines, message });
		}
		rows.push({ line: info.lines, cells: record });
	}
	if (rows.length === 0) {
		return err({ kind: "syntax", file, line: 1, message: "holds a header line and no rows" });
	}
	const placeOf: Table["placeOf"] = (row, column) => ({
		file,
		line: row.line,
		column: cellStart(source, row.line, column),
		key: columns[column] ?? "",
	});
	return ok({ file, columns, rows, placeOf });
}

function splitRecords(source: string, file: string): Result<RecordWithInfo[], UserError> {
	try {
		const records = parse(source, {
			delimiter: delimiterOf(source),
			record_delimiter: ["\r\n", "\n", "\r"],
			info: true,
			relax_column_count: true,
			skip_empty_lines: true,
			trim: true,
			max_record_size: MAX_RECORD_BYTES,
		});
		return ok(records as unknown as RecordWithInfo[]);
	} catch (error) {
		const { message, code } = error as CsvError;
		const told = Number(/line (\d+)/.exec(message)?.[1] ?? 1);
		const line = code === "CSV_QUOTE_NOT_CLOSED" ? openQuoteLine(source) : told;
		return err({ kind: "syntax", file, line, message: `is not a CSV file: ${message}` });
	}
}

/** The line of the quote that never closes; the parser only knows the line where the file ended. */
function openQuoteLine(source: string): number {
	let open = false;
	let line = 1;
	let openedAt = 1;
	for (const character of source) {
		if (character === '"') {
			open = !open;
			openedAt = line;
		}
		line += character === "\n" ? 1 : 0;
	}
	return openedAt;
}

function wrongLength(found: number, expected: number, isLast: boolean): string {
	const cutShort = isLast && found < expected ? "the last line is cut short: " : "";
	return `${cutShort}expected ${expected} cells, found ${found}`;
}

/** The separator that the header line holds most of; comma when it holds none. */
function delimiterOf(source: string): string {
	const header = source.slice(0, MAX_RECORD_BYTES).split(/[\r\n]/, 1)[0] ?? "";
	const counts = [",", ";", "\t"].map((separator) => ({ separator, count: header.split(separator).length }));
	return counts.reduce((best, each) => (each.count > best.count ? each : best)).separator;
}

/** Looked up only for errors, so that the parser need not keep the text of every record. */
function cellStart(source: string, line: number, column: number): number {
	const text = source.split(/\r\n|\n|\r/, line)[line - 1] ?? "";
	const delimiter = delimiterOf(source);
	let quoted = false;
	let separators = 0;
	for (let index = 0; index < text.length && separators < column; index += 1) {
		quoted = text[index] === '"' ? !quoted : quoted;
		if (!quoted && text[index] === delimiter) {
			separators += 1;
			if (separators === column) {
				return index + 2;
			}
		}
	}
	return 1;
}
