import { z } from "zod";
import type { BenchRecord } from "../../record/run-record.js";
import { machine } from "./environment.js";
import type { Group, GroupResult, TableSpec } from "./group.js";
import { cargoBench } from "./rust-lines.js";
import { best } from "./samples.js";
import { amount, RECORD_HEAD, recordRow } from "./table.js";

const line = z.looseObject({
	name: z.string().min(1),
	unit: z.string().min(1),
	better: z.enum(["higher", "lower"]),
	samples: z.array(z.number()).min(1),
	environment: z.looseObject({ timeSource: z.string(), passShare: z.number() }),
});

const BUCKET_PASS = "dam, bucket: pass";
const KEYS_PASSES = "dam, dam, 3 layers, 10 M random keys, batches of 32";
const WANTED_NANOS = 5;
const WANTED_PASSES_PER_SECOND = 44_300_000;

/** The dam alone, in Rust, with `governor` beside it. */
export const dam: Group = async ({ quick, say }) => {
	say("building and running the Rust benchmark of native/dam");
	return damResult(parseDamLines(await cargoBench("klais-dam", "dam", quick)));
};

/** The records in what the Rust benchmark prints, one JSON object a line. Throws when there is none, or a bad one. */
export function parseDamLines(stdout: string): BenchRecord[] {
	const lines = stdout.split("\n").filter((text) => text.startsWith("{"));
	if (lines.length === 0) {
		throw new Error("the Rust benchmark printed no record");
	}
	return lines.map((text) => {
		const { name, unit, better, samples, environment } = line.parse(JSON.parse(text));
		const said = Object.entries(environment).map(([key, value]) => [key, String(value)]);
		return {
			name: `dam, ${name}`,
			unit,
			better,
			samples,
			environment: { ...machine(), ...Object.fromEntries(said) },
		};
	});
}

/** Passes and refusals never share a table: a refusal is cheap, and says nothing about what a pass costs. */
export function damResult(records: readonly BenchRecord[]): GroupResult {
	const passes = records.filter((record) => record.environment["passShare"] === "1");
	const refusals = records.filter((record) => record.environment["passShare"] === "0");
	const mixed = records.filter((record) => !passes.includes(record) && !refusals.includes(record));
	return {
		records,
		tables: [
			table("The dam: passes, every operation", passes),
			table("The dam: refusals, every operation", refusals),
		].filter(({ rows }) => rows.length > 0),
		notes: [
			"One thread unless said. Wall time; each row asserts, operation by operation, that all of them passed or all were refused.",
			...wanted(records),
		],
		failures: mixed.map(({ name }) => `${name}: mixes passes and refusals`),
	};
}

function table(title: string, records: readonly BenchRecord[]): TableSpec {
	return {
		title,
		head: [...RECORD_HEAD, "time source"],
		rows: records.map((record) => [
			...recordRow(record, record.name.replace(/^dam, /, "")),
			record.environment["timeSource"] ?? "",
		]),
	};
}

function wanted(records: readonly BenchRecord[]): string[] {
	const notes: string[] = [];
	const bucket = records.find(({ name }) => name === BUCKET_PASS);
	if (bucket !== undefined) {
		const verdict = best(bucket) <= WANTED_NANOS ? "met" : "MISSED";
		notes.push(
			`Wanted: at most ${WANTED_NANOS} ns per pass on one bucket; it is ${amount(best(bucket))}: ${verdict}.`,
		);
	}
	const keys = records.find(({ name }) => name === KEYS_PASSES);
	if (keys !== undefined) {
		const verdict = best(keys) >= WANTED_PASSES_PER_SECOND ? "met" : "MISSED";
		notes.push(
			`Wanted: ${amount(WANTED_PASSES_PER_SECOND)} passes/s over 10 M random keys, three layers; it is ${amount(best(keys))}: ${verdict}.`,
		);
	}
	return notes;
}
