import { describe, expect, it } from "vitest";
import { sweepReport } from "../../src/reports/sweep.js";
import { sweepOf, withVirtual } from "./support.js";

const SWEEP = sweepOf(["20/s", "40/s"], "gateways.sessions");

describe("the report of a sweep", () => {
	it("is none where the record is no sweep's", () => {
		const { sweep: _sweep, ...rest } = SWEEP;
		expect(sweepReport(rest)).toBe(null);
	});

	it("has a row per combination and policy: the median of the seeds, and the range where they differ", () => {
		const report = sweepReport(SWEEP)!;
		const { table } = report;
		expect([table.corner, ...table.columns]).toEqual([
			"gateways.sessions",
			"policy",
			"Drain against the bound",
			"Attempts per connect",
		]);
		expect(table.rows.map(({ label, cells }) => [label, ...cells.map(({ text }) => text)])).toEqual([
			["20/s", "klais", "1.10x (1.00x to 1.20x)", "2"],
			["20/s", "none", "1.10x (1.00x to 1.20x)", "2"],
			["40/s", "klais", "2.10x (2.00x to 2.20x)", "2"],
			["40/s", "none", "2.10x (2.00x to 2.20x)", "2"],
		]);
		expect(report.outcome).toBe("2 combinations x 2 policies x 3 seeds: 12 runs, every one passed.");
		expect(report.extremes[0]).toBe(
			"`klais`: drain against the bound is best, 1.10x (1.00x to 1.20x) at `gateways.sessions=20/s`; " +
				"worst, 2.10x (2.00x to 2.20x) at `gateways.sessions=40/s`.",
		);
	});

	it("counts what never drained as worse than anything, and lets nobody overlook it", () => {
		const runs = SWEEP.runs.map((run) =>
			run.seed === "2"
				? withVirtual({ drainRatio: null, drainSeconds: null, undrainedReadings: 5 }, run)
				: run,
		);
		const [row] = sweepReport({ ...SWEEP, runs })!.table.rows;
		expect(row?.cells[1]).toEqual({ text: "1.20x (1.00x to never drained)", bad: true });
	});

	it("names what failed, with its place in the grid", () => {
		const runs = SWEEP.runs.map((run, index) =>
			index === 7 ? { ...run, ledger: { ...run.ledger, ackedLost: 3 } } : run,
		);
		const report = sweepReport({ ...SWEEP, runs })!;
		expect(report.passed).toBe(false);
		expect(report.outcome).toContain("12 runs, 1 failed.");
		expect(report.failures).toEqual([
			{
				label: "none, seed 1, gateways.sessions=40/s",
				message: "3 readings were acknowledged and then lost",
			},
		]);
	});
});
