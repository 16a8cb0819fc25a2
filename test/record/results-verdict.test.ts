import { describe, expect, it } from "vitest";
import type { LiveRecord } from "../../src/record/live-record.js";
import type { LedgerTotals, RunRecord } from "../../src/record/run-record.js";
import { verdictOf, verdictOfResults } from "../../src/record/verdict.js";
import { liveRun } from "../fixtures/live-run.js";
import { pspsResults, pspsRun } from "../fixtures/psps-results.js";

const klais = pspsRun("klais");
const withLedger = (run: RunRecord, change: Partial<LedgerTotals>): RunRecord => ({
	...run,
	ledger: { ...run.ledger, ...change },
});
const codes = (run: RunRecord, severity: string) =>
	verdictOf(run)
		.findings.filter((finding) => finding.severity === severity)
		.map((finding) => finding.code);

describe("verdictOf", () => {
	it("passes a clean run without findings", () => {
		expect(verdictOf(klais)).toEqual({ passed: true, findings: [] });
	});

	it.each([
		["acknowledged and lost", { ackedLost: 1 }, "acked-lost"],
		["stored twice", { duplicates: 1 }, "duplicates"],
		["an imbalance that the runner names", { imbalance: "device 7, sequence 3" }, "ledger-imbalance"],
		["a reading unaccounted for", { durable: klais.ledger.durable - 1 }, "ledger-imbalance"],
		["a reading too many", { buffered: klais.ledger.buffered + 1 }, "ledger-imbalance"],
		["nothing measured", { produced: 0, durable: 0, buffered: 0 }, "nothing-measured"],
	])("fails klais: %s", (_name, change, code) => {
		const run = withLedger(klais, change);
		expect(codes(run, "failure")).toContain(code);
		expect(verdictOf(run).passed).toBe(false);
	});

	it("reports what devices themselves lost, and passes", () => {
		const own = { lostOverflow: 5, lostVolatile: 7, durable: klais.ledger.durable - 12 };
		const run = withLedger(klais, own);
		expect(verdictOf(run).passed).toBe(true);
		expect(codes(run, "note")).toEqual(["device-loss"]);
	});

	it("takes a peer's duplicates and missing drain as findings", () => {
		const none = pspsRun("none");
		expect(verdictOf(none).passed).toBe(true);
		expect(codes(none, "warning")).toEqual(["duplicates", "not-drained", "never-connected"]);
	});

	it("fails any policy whose acknowledgement was a lie", () => {
		expect(verdictOf(withLedger(pspsRun("none"), { ackedLost: 2 })).passed).toBe(false);
	});

	it("does not call it 'not drained' when nothing had to drain", () => {
		const virtual = {
			...klais.virtual,
			drainSeconds: null,
			drainRatio: null,
			drainBoundSeconds: 0,
			undrainedReadings: 0,
		};
		expect(verdictOf({ ...klais, virtual }).findings).toEqual([]);
	});

	it("does not say 'never' of a run that was stopped before it could drain", () => {
		const virtual = { ...klais.virtual, drainSeconds: null, drainRatio: null, undrainedReadings: 9 };
		expect(codes({ ...klais, virtual, complete: false }, "warning")).toEqual(["incomplete"]);
		expect(codes({ ...klais, virtual }, "warning")).toEqual(["not-drained"]);
	});

	it("distrusts a drain faster than the bound, and an unfinished run", () => {
		const virtual = { ...klais.virtual, drainRatio: 0.9 };
		expect(codes({ ...klais, virtual }, "warning")).toEqual(["faster-than-bound"]);
		expect(codes({ ...klais, complete: false }, "warning")).toEqual(["incomplete"]);
	});
});

describe("verdictOfResults", () => {
	const results = pspsResults(["klais"]);

	it("fails when the same input gave two digests", () => {
		const runs = [klais, { ...klais, workers: 1, digest: "0000000000000000" }];
		const verdict = verdictOfResults({ ...results, runs });
		expect(verdict.passed).toBe(false);
		expect(verdict.runs[1]?.verdict.findings[0]?.code).toBe("digest-mismatch");
	});

	it("holds nothing against runs whose configurations only look alike: cohorts are summed up in them", () => {
		const runs = [
			{ ...klais, input: "a" },
			{ ...klais, input: "b", digest: "0000000000000000" },
		];
		expect(verdictOfResults({ ...pspsResults([]), runs }).passed).toBe(true);
		const [first, second] = runs.map((run) => ({ ...run, input: "a" }));
		expect(verdictOfResults({ ...pspsResults([]), runs: [first!, second!] }).passed).toBe(false);
	});

	it("accepts another digest for another seed, another configuration or a run cut short", () => {
		const other = { ...klais, digest: "0000000000000000" };
		const runs = [klais, { ...other, seed: "b8" }, { ...other, config: {} }, { ...other, complete: false }];
		expect(verdictOfResults({ ...results, runs }).passed).toBe(true);
	});
});

describe("verdicts of live runs", () => {
	const judge = (change: Partial<LiveRecord>) => {
		const { passed, live } = verdictOfResults({ ...pspsResults([]), live: [liveRun(change)] });
		return { passed, codes: live.flatMap(({ verdict }) => verdict.findings.map(({ code }) => code)) };
	};

	it("passes one whose promises hold", () => {
		expect(judge({})).toEqual({ passed: true, codes: [] });
	});

	it("fails the file for a promise that does not", () => {
		const assertions = [{ name: "ledger", holds: false, message: "7 readings are unaccounted for" }];
		expect(judge({ assertions })).toEqual({ passed: false, codes: ["live-broken"] });
	});

	it("fails one that checked nothing", () => {
		expect(judge({ assertions: [] })).toEqual({ passed: false, codes: ["nothing-measured"] });
	});

	it("warns of a missed target, and of a run that was stopped", () => {
		const figures = [
			{ group: "", name: "Time to drain", unit: "seconds", measured: 9, predicted: 1, verdict: "missed" },
		] as const;
		expect(judge({ figures })).toEqual({ passed: true, codes: ["live-target"] });
		expect(judge({ complete: false, assertions: [] })).toEqual({ passed: true, codes: ["incomplete"] });
	});
});
