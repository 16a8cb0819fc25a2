import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, vi } from "vitest";
import { parseResults } from "../../src/record/results-schema.js";
import type { BenchRecord } from "../../src/record/run-record.js";

/** The present test's folder, and what was printed and said in it. */
export const run = { folder: "", printed: "", said: "" };

beforeEach(() => {
	run.folder = mkdtempSync(join(tmpdir(), "klais-bench-"));
	[run.printed, run.said] = ["", ""];
	vi.spyOn(process.stdout, "write").mockImplementation((text) => {
		run.printed += text;
		return true;
	});
	vi.spyOn(process.stderr, "write").mockImplementation((text) => {
		run.said += text;
		return true;
	});
});

afterEach(() => {
	vi.restoreAllMocks();
	rmSync(run.folder, { recursive: true, force: true });
});

/** The records that a benchmark has written. */
export function recordsOf(file: string): readonly BenchRecord[] {
	const results = parseResults(readFileSync(file, "utf8"), file);
	if (!results.ok) {
		throw new Error(results.error.message);
	}
	return results.value.bench;
}
