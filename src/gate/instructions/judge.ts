import type { BenchRecord } from "../../record/run-record.js";
import type { Judged, PlaneReport } from "../gate-report.js";
import { type Counts, largestChanges } from "./callgrind.js";

/**
 * How far instruction counts may move when nobody gives a margin. The same build repeats within a millionth; another
 * build of the same source may order functions differently.
 */
export const DEFAULT_MARGIN = 0.005;
const FUNCTIONS_SHOWN = 5;

/** Units under which counts are stored in a record's `bench`. */
const INSTRUCTIONS = "instructions";
const ALLOCATIONS = "allocations";

export const COUNT_HEAD = ["count", "base", "candidate", "change", "margin", "verdict"] as const;

/** A count on both sides. */
interface CountPair {
	readonly name: string;
	readonly base: number;
	readonly candidate: number;
	/** More than this share above the base fails. */
	readonly margin: number;
	readonly details?: readonly string[];
}

/** Judges a count: fewer than in the base is good news, however many fewer. */
function judgeCount({ name, base, candidate, margin, details = [] }: CountPair): Judged {
	const change = base === 0 ? (candidate === 0 ? 0 : Number.POSITIVE_INFINITY) : candidate / base - 1;
	const verdict = change > margin ? "fail" : "pass";
	const moved = `${change >= 0 ? "+" : ""}${(change * 100).toFixed(3)} %`;
	return {
		name,
		verdict,
		message: `${count(base)} -> ${count(candidate)} (${moved}, margin ${percent(margin)})`,
		cells: [count(base), count(candidate), moved, percent(margin), verdict],
		details: change === 0 ? [] : details,
		figures: { base, candidate, margin },
	};
}

/** Judges what callgrind counted of one benchmark in both trees: instructions within the margin, allocations exactly. */
export function judgeCounts(name: string, base: Counts, candidate: Counts, margin: number): Judged[] {
	const details = largestChanges(base, candidate, FUNCTIONS_SHOWN).map((one) => {
		const more = one.candidate - one.base;
		return `${one.name}: ${count(one.base)} -> ${count(one.candidate)} (${more > 0 ? "+" : ""}${count(more)})`;
	});
	return [
		judgeCount({
			name: `${name}, instructions`,
			base: base.instructions,
			candidate: candidate.instructions,
			margin,
			details,
		}),
		judgeCount({
			name: `${name}, allocations`,
			base: base.allocations,
			candidate: candidate.allocations,
			margin: 0,
		}),
	];
}

/** The counts of one side, to be stored with its record. */
export function countRecords(
	name: string,
	counts: Counts,
	environment: Record<string, string>,
): BenchRecord[] {
	const record = (unit: string, value: number): BenchRecord => ({
		name: `${name}, ${unit}`,
		unit,
		better: "lower",
		samples: [value],
		environment,
	});
	return [record(INSTRUCTIONS, counts.instructions), record(ALLOCATIONS, counts.allocations)];
}

/** What a count depends on beside the code: another processor takes other paths through the C library. */
const CONDITIONS = ["cpu", "valgrind", "rustc"] as const;

/**
 * Compares counts that are stored in two records. Only where both were taken on the same model of processor, by the same
 * tools: the rest is left out, and said so. undefined: there is none.
 */
export function compareStoredCounts(
	base: readonly BenchRecord[],
	candidate: readonly BenchRecord[],
): PlaneReport | undefined {
	const isCount = ({ unit }: BenchRecord) => unit === INSTRUCTIONS || unit === ALLOCATIONS;
	const after = new Map(candidate.filter(isCount).map((record) => [record.name, record]));
	const notes: string[] = [];
	const judged = base.filter(isCount).flatMap((record): Judged[] => {
		const other = after.get(record.name);
		const [before, now] = [record.samples[0], other?.samples[0]];
		if (other === undefined || before === undefined || now === undefined) {
			return [missing(record.name)];
		}
		const apart = CONDITIONS.find((key) => record.environment[key] !== other.environment[key]);
		if (apart !== undefined) {
			const [x = "unknown", y = "unknown"] = [record.environment[apart], other.environment[apart]];
			notes.push(`${record.name}: not judged, ${apart} is ${x} in the base and ${y} in the candidate`);
			return [];
		}
		const margin = record.unit === ALLOCATIONS ? 0 : DEFAULT_MARGIN;
		return [judgeCount({ name: record.name, base: before, candidate: now, margin })];
	});
	return judged.length + notes.length === 0
		? undefined
		: { plane: "instructions", head: COUNT_HEAD, judged, notes };
}

function missing(name: string): Judged {
	const message = "the base has this count, the candidate has not";
	return {
		name,
		verdict: "inconclusive",
		message,
		cells: ["", "", "", "", "inconclusive"],
		details: [],
		figures: {},
	};
}

function count(value: number): string {
	return value.toLocaleString("en-US");
}

function percent(share: number): string {
	return `${Number((share * 100).toPrecision(3))} %`;
}
