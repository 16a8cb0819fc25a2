import Table from "cli-table3";
import type { BenchRecord } from "../../record/run-record.js";
import type { TableSpec } from "./group.js";
import { best, middle } from "./samples.js";

const MILLION = 1_000_000;

/** A table as text, without colour. */
export function renderTable({ title, head, rows }: TableSpec): string {
	const table = new Table({
		head: [...head],
		colAligns: head.map((_, column) => (column === 0 ? "left" : "right")),
		style: { head: [], border: [], compact: true },
	});
	table.push(...rows.map((row) => [...row]));
	return `${title}\n${table.toString()}`;
}

/** A number with three digits that matter, or whole where it is large. */
export function amount(value: number): string {
	if (Math.abs(value) >= MILLION) {
		return `${(value / MILLION).toLocaleString("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 2 })} M`;
	}
	const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
	return value.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** 100,000 as `100 k`, 10,000,000 as `10 M`. */
export function size(count: number): string {
	if (count >= MILLION) {
		return `${count / MILLION} M`;
	}
	return count >= 1_000 && count % 1_000 === 0 ? `${count / 1_000} k` : count.toLocaleString("en-US");
}

/** Columns that every table of records has. */
export const RECORD_HEAD = ["", "best", "median", "unit", "samples"] as const;

/** A row of a table of records. */
export function recordRow(record: BenchRecord, name = record.name): string[] {
	return [name, amount(best(record)), amount(middle(record)), record.unit, String(record.samples.length)];
}
