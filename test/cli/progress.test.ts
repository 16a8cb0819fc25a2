import type { WriteStream } from "node:tty";
import { stripVTControlCharacters } from "node:util";
import { describe, expect, test, vi } from "vitest";
import { progressView } from "../../src/cli/progress.js";
import type { Job } from "../../src/cli/run-plan.js";

const JOB = {
	label: "tiny / klais",
	scenario: { durationMicros: 3_600_000_000, devices: { count: 1_000 } },
} as unknown as Job;

function streamOf(isTTY: boolean, columns = 100) {
	const written: string[] = [];
	const stream = { isTTY, columns, write: (text: string) => written.push(text) } as unknown as WriteStream;
	return { stream, written };
}

function watch(isTTY: boolean, seconds: number, env: Record<string, string> = {}, columns?: number): string {
	vi.useFakeTimers({ toFake: ["setInterval", "clearInterval", "performance"] });
	for (const [name, value] of Object.entries({ CI: "", TERM: "xterm", ...env })) {
		vi.stubEnv(name, value);
	}
	try {
		const { stream, written } = streamOf(isTTY, columns);
		const view = progressView(stream);
		view.started(JOB, () => ({ atMicros: 900_000_000, events: 5_000_000 }));
		vi.advanceTimersByTime(seconds * 1_000);
		view.note("a word");
		view.ended(JOB, { kind: "skipped" });
		view.close();
		return written.join("");
	} finally {
		vi.useRealTimers();
		vi.unstubAllEnvs();
	}
}

describe("progress", () => {
	test("is a bar on a terminal, redrawn in place", () => {
		const text = watch(true, 10);
		expect(text).toContain(
			"tiny / klais █████░░░░░░░░░░░░░░░  25 % (15 min), 500 k events/s, about 30 s left\n",
		);
		expect(text.split("\u001b[1A\u001b[J").length).toBeGreaterThan(30);
		expect(text).toContain("\u001b[Ja word\n");
		expect(text).toContain("tiny / klais: not started\n");
		// The cursor is hidden first and shown last.
		expect(text.startsWith("\u001b[?25l")).toBe(true);
		expect(text.endsWith("\u001b[?25h")).toBe(true);
	});

	test("never wraps a narrow terminal", () => {
		for (const columns of [20, 37, 60]) {
			const lines = watch(true, 10, {}, columns).split("\n");
			const bars = lines
				.map((line) => stripVTControlCharacters(line))
				.filter((line) => line.startsWith("tiny / klais "));
			expect(bars.length).toBeGreaterThan(10);
			expect(Math.max(...bars.map((line) => line.length))).toBeLessThan(columns);
		}
	});

	test("is a line every ten seconds elsewhere", () => {
		const expected = [
			"tiny / klais: started, 1,000 devices, 60 min of virtual time",
			"tiny / klais:  25 % (15 min), 500 k events/s, about 30 s left",
			"tiny / klais:  25 % (15 min), 250 k events/s, about 60 s left",
			"a word",
			"tiny / klais: not started",
			"",
		];
		const found = watch(false, 25).split("\n");
		expect(found.map((line) => line.replaceAll(/ +/g, " "))).toEqual(
			expected.map((line) => line.replaceAll(/ +/g, " ")),
		);
		expect(watch(true, 25, { CI: "true" })).toBe(found.join("\n"));
		expect(watch(true, 25, { TERM: "dumb" })).toBe(found.join("\n"));
	});
});
