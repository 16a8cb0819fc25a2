import { z } from "zod";
import type { BenchRecord } from "../../record/run-record.js";
import { runToEnd } from "./children.js";
import { machine } from "./environment.js";
import { at } from "./places.js";
import { best, middle } from "./samples.js";
import { RECORD_HEAD, recordRow } from "./table.js";

const schema = z.strictObject({
	name: z.string().min(1),
	unit: z.string().min(1),
	better: z.enum(["higher", "lower"]),
	samples: z.array(z.number()).min(1),
	/** At most so much is wanted, in the line's unit; left out where nothing is, and in quick runs. */
	wanted: z.number().optional(),
	/** Which sample is held against it. */
	judged: z.enum(["best", "median"]).default("best"),
	environment: z.record(z.string(), z.string()),
});

/** A figure that a Rust program took, and what is wanted of it. */
export interface RustFigure {
	readonly record: BenchRecord;
	readonly wanted: number | undefined;
	readonly judged: "best" | "median";
}

/**
 * The figures in what a Rust program printed, one JSON object a line, named after their group. Throws when there is none, or
 * a line that is none.
 */
export function parseRustLines(group: string, stdout: string): RustFigure[] {
	const lines = stdout.split("\n").filter((text) => text.trim() !== "");
	if (lines.length === 0) {
		throw new Error("the program printed no record");
	}
	return lines.map((text, n) => {
		const parsed = schema.safeParse(jsonOf(text));
		if (!parsed.success) {
			const issue = parsed.error.issues[0];
			throw new Error(`line ${n + 1} is no record: ${issue?.path.join(".")}: ${issue?.message}`);
		}
		const { name, unit, better, samples, environment, wanted, judged } = parsed.data;
		const bar = wanted === undefined ? {} : { wanted: String(wanted), judged };
		const record = {
			name: `${group}, ${name}`,
			unit,
			better,
			samples,
			environment: { ...machine(), ...environment, ...bar },
		};
		return { record, wanted, judged };
	});
}

function jsonOf(text: string): unknown {
	try {
		return JSON.parse(text);
	} catch {
		return undefined;
	}
}

/** Columns of a table of figures. */
export const FIGURE_HEAD = [...RECORD_HEAD, "wanted", ""] as const;

/** A row of such a table, its name without the group's. */
export function figureRow({ record, wanted, judged }: RustFigure): string[] {
	const row = recordRow(record, record.name.replace(/^[\w-]+, /, ""));
	if (wanted === undefined) {
		return [...row, "", ""];
	}
	const figure = judged === "best" ? best(record) : middle(record);
	return [
		...row,
		`at most ${Number(wanted.toPrecision(3))} (${judged})`,
		figure <= wanted ? "met" : "MISSED",
	];
}

/** Runs a benchmark of a Rust crate, with `--json`: what it printed. Throws, with the complaint, when it fails. */
export function cargoBench(
	crate: string,
	name: string,
	quick: boolean,
	args: readonly string[] = [],
): Promise<string> {
	return runToEnd("cargo", [
		...["bench", "--quiet", "--locked", "--manifest-path", at("native/Cargo.toml")],
		...["--target-dir", at("native/target"), "-p", crate, "--bench", name, "--", "--json"],
		...(quick ? ["--quick"] : []),
		...args,
	]);
}
