import { describe, expect, test } from "vitest";
import { turnaroundResult } from "../../src/cli/bench/turnaround.js";

const quantiles = (p99: number) => ({ p50: p99 / 4, p99, p999: p99 * 2, max: p99 * 9 });

function round(p99Nanos: number, acked = 1_000) {
	return {
		turnaroundNanos: { count: acked, ...quantiles(p99Nanos) },
		probe: {
			complete: true,
			achievedPerSecond: 50_000,
			sent: 1_000,
			acked,
			latencyMicros: quantiles(p99Nanos / 500),
			lagMicros: quantiles(3),
		},
		frameCpuNanos: 2_500,
		waitedShare: 0.01,
	};
}

const measured = (...rounds: ReturnType<typeof round>[]) => ({
	maxPerSecond: 100_000,
	loads: [
		{ part: 2, ratePerSecond: 50_000, rounds },
		{ part: 4, ratePerSecond: 25_000, rounds: [round(20_000)] },
	],
});

describe("the benchmark of the turnaround", () => {
	test("judges the middle round's p99, and records every round", () => {
		const met = turnaroundResult(measured(round(90_000), round(400_000), round(80_000)), false);
		expect(met.notes[0]).toMatch(/^met: p99 .*50,000 frames\/s.* 90\.0 us, worst 400 us/);
		const p99 = met.records.find(({ name }) => name === "turnaround, half of it, p99");
		expect(p99).toMatchObject({ samples: [90, 400, 80], unit: "us", better: "lower" });
		expect(met.failures).toEqual([]);
		const missed = turnaroundResult(measured(round(90_000), round(400_000), round(180_000)), false);
		expect(missed.notes[0]).toMatch(/^MISSED/);
	});

	test("fails when frames of a measured round were lost, and judges nothing when it is quick", () => {
		const { notes, failures } = turnaroundResult(measured(round(90_000, 990)), true);
		expect(failures).toEqual(["turnaround: 10 frames of the measured rounds were not acknowledged"]);
		expect(notes.join(" ")).not.toMatch(/met|MISSED/);
	});
});
