import { readFile } from "node:fs/promises";
import { z } from "zod";
import { readResults } from "../record/results-schema.js";
import { err, ok, type Result } from "../units/result.js";
import type { UserError } from "../units/user-error.js";

/** A history above this is refused before it is read. A line has a few hundred bytes. */
const HISTORY_BYTES_MAX = 67_108_864;

/** How long runs took before. */
export class RecordedDurations {
	readonly #millis = new Map<string, number>();

	/** Notes a run; a later one of the same kind takes the place of an earlier one. */
	add({ scenario, policy, devices, seconds }: RunDuration): void {
		this.#millis.set(keyOf(scenario, policy, devices), Math.max(1, Math.round(seconds * 1_000)));
	}

	/** Milliseconds, or undefined where no such run is known. */
	millisOf(scenario: string, policy: string, devices: number): number | undefined {
		return this.#millis.get(keyOf(scenario, policy, devices));
	}
}

export type RunDuration = z.infer<typeof lineSchema>;

const lineSchema = z.looseObject({
	scenario: z.string(),
	policy: z.string(),
	devices: z.int().nonnegative(),
	seconds: z.number().nonnegative(),
});

/** A line of a history: a run, or a published record with its runs. */
const historyLine = z.union([
	lineSchema.transform((run) => [run]),
	z.looseObject({ runs: z.array(lineSchema) }).transform(({ runs }) => runs),
]);

/** Reads a results.json, or a history where the file ends in .ndjson. */
export async function readDurations(file: string): Promise<Result<RecordedDurations, UserError>> {
	const recorded = new RecordedDurations();
	if (file.endsWith(".ndjson")) {
		return readHistory(file, recorded);
	}
	const results = await readResults(file);
	if (!results.ok) {
		return results;
	}
	for (const { scenario, policy, devices, complete, wall } of results.value.runs) {
		if (complete) {
			recorded.add({ scenario, policy, devices, seconds: wall.seconds });
		}
	}
	return ok(recorded);
}

async function readHistory(
	file: string,
	recorded: RecordedDurations,
): Promise<Result<RecordedDurations, UserError>> {
	let text: string;
	try {
		text = await readFile(file, "utf8");
	} catch (error) {
		const code = (error as NodeJS.ErrnoException).code ?? "unknown error";
		const message =
			code === "ENOENT" ? "no such file: expected a history of runs" : `cannot be read (${code})`;
		return err({ kind: code === "ENOENT" ? "not-found" : "unreadable", message, file });
	}
	if (text.length > HISTORY_BYTES_MAX) {
		const message = `a history may have ${HISTORY_BYTES_MAX} bytes at most, this one has ${text.length}`;
		return err({ kind: "limit", message, file });
	}
	for (const [index, line] of text.split("\n").entries()) {
		if (line.trim() === "") {
			continue;
		}
		const runs = parseLine(line);
		if (runs === undefined) {
			const message =
				"expected a run as JSON, with scenario, policy, devices and seconds, or a record's line";
			return err({ kind: "schema", message, file, line: index + 1 });
		}
		for (const run of runs) {
			recorded.add(run);
		}
	}
	return ok(recorded);
}

function parseLine(line: string): readonly RunDuration[] | undefined {
	try {
		return historyLine.safeParse(JSON.parse(line)).data;
	} catch {
		return undefined;
	}
}

function keyOf(scenario: string, policy: string, devices: number): string {
	return JSON.stringify([scenario, policy, devices]);
}
