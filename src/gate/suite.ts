import { readFile } from "node:fs/promises";
import { LineCounter, parseDocument } from "yaml";
import { z } from "zod";
import { err, ok, type Result } from "../units/result.js";
import type { UserError } from "../units/user-error.js";

/** The schema's name, first key of every suite. */
const SUITE_SCHEMA = "klais.gate/1";

const SUITE_BYTES_MAX = 1_048_576;
const BENCHMARKS_MAX = 100;
const PERCENT = /^(\d{1,3}(?:\.\d{1,4})?)\s*%$/;

const name = z
	.string()
	.regex(/^[\w][\w .,:/()-]{0,79}$/, "expected a name of letters, digits and simple punctuation, 80 at most");
const command = z
	.array(z.string().min(1))
	.min(1)
	.describe("Program and arguments; run in the tree's folder, no shell");

/** `3%` as 0.03. */
const share = z.string().transform((text, context) => {
	const value = parsePercent(text);
	if (value === undefined) {
		context.addIssue({
			code: "custom",
			message: `expected a share such as 3%, found ${JSON.stringify(text)}`,
		});
		return z.NEVER;
	}
	return value;
});

const pattern = z.string().transform((text, context) => {
	try {
		return new RegExp(text);
	} catch {
		context.addIssue({
			code: "custom",
			message: `expected a regular expression, found ${JSON.stringify(text)}`,
		});
		return z.NEVER;
	}
});

/** A program given as such, or as a benchmark of a Rust crate, which is built in each tree. */
const program = {
	command: command.exactOptional(),
	cargo: z
		.strictObject({
			manifest: z.string().min(1).default("native/Cargo.toml"),
			package: z.string().min(1),
			bench: z.string().min(1),
			arguments: z.array(z.string()).default([]),
		})
		.exactOptional(),
};

const oneProgram = (value: { command?: unknown; cargo?: unknown }) =>
	(value.command === undefined) !== (value.cargo === undefined);
const ONE_PROGRAM = "expected either a command or a cargo benchmark";

const timed = z
	.strictObject({
		name,
		...program,
		margin: share.exactOptional().describe("Slower by more than this fails; the command line's when absent"),
		only: z
			.array(z.string().min(1))
			.min(1)
			.exactOptional()
			.describe("Metrics that are judged, by name; all when absent"),
	})
	.refine(oneProgram, ONE_PROGRAM);

const counted = z
	.strictObject({
		name,
		...program,
		margin: share.exactOptional(),
		ignore: z
			.array(pattern)
			.default([])
			.describe("Functions left out, such as those that depend on the time"),
	})
	.refine(oneProgram, ONE_PROGRAM);

const suiteSchema = z
	.strictObject({
		schema: z.literal(SUITE_SCHEMA),
		build: z
			.array(command)
			.default([])
			.describe("What makes a checkout ready; run in the base's tree once per commit"),
		exact: z
			.strictObject({
				command: command.describe("Writes a results.json into the folder {out}"),
				margins: z.record(z.string(), z.string()).default({}),
			})
			.exactOptional(),
		time: z.array(timed).max(BENCHMARKS_MAX).default([]),
		instructions: z.array(counted).max(BENCHMARKS_MAX).default([]),
	})
	.refine(
		({ exact, time, instructions }) => exact !== undefined || time.length + instructions.length > 0,
		"there is nothing to measure: expected exact, time or instructions",
	)
	.refine(
		({ time }) => new Set(time.map((each) => each.name)).size === time.length,
		"two benchmarks of time have one name",
	)
	.refine(
		({ instructions }) => new Set(instructions.map((each) => each.name)).size === instructions.length,
		"two benchmarks of instructions have one name",
	);

/** What `klais gate --base` builds and measures in both trees. */
export type Suite = z.output<typeof suiteSchema>;
export type TimedBenchmark = Suite["time"][number];
export type CountedBenchmark = Suite["instructions"][number];

/** Reads `3%`, up to 100 %, as 0.03; undefined for anything else. */
export function parsePercent(text: string): number | undefined {
	const [, digits] = PERCENT.exec(text.trim()) ?? [];
	const value = digits === undefined ? Number.NaN : Number(digits) / 100;
	return value <= 1 ? value : undefined;
}

/** Checks the text of a suite. `file` is only named in errors. */
export function parseSuite(text: string, file: string): Result<Suite, UserError> {
	const lines = new LineCounter();
	const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true });
	const place = (offset: number | undefined) => {
		const found = offset === undefined ? undefined : lines.linePos(offset);
		return found === undefined ? {} : { line: found.line, column: found.col };
	};
	const [broken] = document.errors;
	if (broken !== undefined) {
		return err({
			kind: "syntax",
			message: `not valid YAML: ${broken.message.split("\n")[0]}`,
			file,
			...place(broken.pos[0]),
		});
	}
	const parsed = suiteSchema.safeParse(document.toJS());
	if (parsed.success) {
		return ok(parsed.data);
	}
	const issue = parsed.error.issues[0];
	const path = issue?.path ?? [];
	const node = nodeAt(document, path);
	return err({
		kind: "schema",
		message: issue?.message ?? "is no suite of the gate",
		file,
		key: path.map(String).join("."),
		...place(node?.range?.[0]),
	});
}

function nodeAt(document: ReturnType<typeof parseDocument>, path: readonly PropertyKey[]) {
	for (let length = path.length; length >= 0; length--) {
		const node = document.getIn(path.slice(0, length), true) as
			| { range?: [number, number, number] }
			| undefined;
		if (node?.range) {
			return node;
		}
	}
	return undefined;
}

/** Reads and checks a suite. */
export async function readSuite(file: string): Promise<Result<Suite, UserError>> {
	let text: string;
	try {
		const bytes = await readFile(file);
		if (bytes.length > SUITE_BYTES_MAX) {
			return err({ kind: "limit", message: `a suite may have ${SUITE_BYTES_MAX} bytes at most`, file });
		}
		text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
	} catch (error) {
		const { code } = error as NodeJS.ErrnoException;
		if (code === "ENOENT") {
			const message = `no such file: it says what to build and measure (schema ${SUITE_SCHEMA}); name another one with --suite`;
			return err({ kind: "not-found", message, file });
		}
		return err({ kind: "unreadable", message: `cannot be read (${code ?? "not UTF-8 text"})`, file });
	}
	return parseSuite(text, file);
}
