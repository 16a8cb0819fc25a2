import { describe, expect, it } from "vitest";
import { largestChanges, readCallgrind } from "../../src/gate/instructions/callgrind.js";
import { compareStoredCounts, countRecords, judgeCounts } from "../../src/gate/instructions/judge.js";

/** As callgrind writes it: names once, then by number; the line after `calls=` is the callee's, and counted there. */
const file = (work: number, mallocs: number) => `# callgrind format
version: 1
events: Ir
summary: 999

fl=(1) work.rs
fn=(1) klais_dam::admit
10 ${work}
+2 5
cfn=(2) malloc
calls=${mallocs} 0
* 300
fn=(2)
1 200
cfn=(3) core::slice::sort
calls=1 0
7 40
fn=(3)
9 40
`;

describe("a callgrind file", () => {
	it("is read by function, calls apart, allocations counted", () => {
		const counts = readCallgrind(file(100, 7), []);
		expect(counts?.instructions).toBe(345);
		expect(counts?.allocations).toBe(7);
		expect([...(counts?.byFunction ?? [])]).toEqual([
			["klais_dam::admit", 105],
			["malloc", 200],
			["core::slice::sort", 40],
		]);
	});

	it("leaves out what is to be ignored", () => {
		expect(readCallgrind(file(100, 7), [/^core::slice/])?.instructions).toBe(305);
	});

	it.each(["", "no such file", "events: Ir\n"])("that counted nothing is none: %j", (text) => {
		expect(readCallgrind(text, [])).toBeUndefined();
	});

	it("tells which functions changed", () => {
		const [before, after] = [readCallgrind(file(100, 7), []), readCallgrind(file(160, 7), [])];
		expect(largestChanges(before as never, after as never, 5)).toEqual([
			{ name: "klais_dam::admit", base: 105, candidate: 165 },
		]);
	});
});

describe("counts", () => {
	const counts = (work: number, mallocs = 7) =>
		readCallgrind(file(work, mallocs), []) as NonNullable<ReturnType<typeof readCallgrind>>;
	const verdicts = (work: number, mallocs: number) =>
		judgeCounts("dam", counts(10_000), counts(work, mallocs), 0.005).map(({ verdict }) => verdict);

	it("fail beyond the margin, allocations at once, and fewer is good", () => {
		expect(verdicts(10_000, 7)).toEqual(["pass", "pass"]);
		expect(verdicts(10_040, 7)).toEqual(["pass", "pass"]);
		expect(verdicts(10_100, 7)).toEqual(["fail", "pass"]);
		expect(verdicts(10_000, 8)).toEqual(["pass", "fail"]);
		expect(verdicts(5_000, 1)).toEqual(["pass", "pass"]);
	});

	const here = { cpu: "EPYC", valgrind: "3.19", rustc: "1.95" };
	const stored = (work: number, environment = here) => countRecords("dam", counts(work), environment);

	it("are compared with stored ones of the same processor and tools alone", () => {
		const judged = compareStoredCounts(stored(10_000), stored(10_100))?.judged;
		expect(judged?.map(({ name, verdict }) => `${name} ${verdict}`)).toEqual([
			"dam, instructions fail",
			"dam, allocations pass",
		]);
		const elsewhere = compareStoredCounts(stored(10_000), stored(10_100, { ...here, cpu: "Xeon" }));
		expect(elsewhere?.judged).toEqual([]);
		expect(elsewhere?.notes[0]).toBe(
			"dam, instructions: not judged, cpu is EPYC in the base and Xeon in the candidate",
		);
	});

	it("that are missing do not pass", () => {
		expect(compareStoredCounts(stored(10_000), [])?.judged.map(({ verdict }) => verdict)).toEqual([
			"inconclusive",
			"inconclusive",
		]);
		expect(compareStoredCounts([], [])).toBeUndefined();
	});
});
