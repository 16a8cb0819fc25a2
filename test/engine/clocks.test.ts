import { beforeAll, describe, expect, it } from "vitest";
import { Clocks } from "../../src/engine/clocks.js";
import { prepareHistograms } from "../../src/engine/collector.js";
import { Streams } from "../../src/engine/streams.js";
import type { RunRecord } from "../../src/record/run-record.js";
import { expectHonest } from "./honesty.js";
import { bufferOf, cohort, dies, fieldsOf, scenarioOf, simulate } from "./support.js";

beforeAll(prepareHistograms);

const NONE = { resetShare: 0, aheadShare: 0, driftingShare: 0, driftPpm: 0 };

/** What a device says when it is `millis`. */
function saidBy(clocks: Clocks, device: number, millis: number): number {
	const record = bufferOf([{ time: 0, device, meta: 11, d: millis }]);
	clocks.misstate(record, 0, device);
	return (fieldsOf(record, 0, 1)[0]?.d ?? 0) >>> 0;
}

describe("devices' clocks", () => {
	it("are wrong for the shares that the scenario says, each in its way", () => {
		const clocks = new Clocks(
			{ resetShare: 0.2, aheadShare: 0.1, driftingShare: 0.3, driftPpm: 1_000 },
			new Streams("clocks"),
		);
		const counts = { right: 0, reset: 0, ahead: 0, drifting: 0 };
		const at = 1_000_000_000;
		for (let device = 0; device < 20_000; device++) {
			clocks.powerOn(device, 400_000_000 * 1_000);
			const off = saidBy(clocks, device, at) - at;
			if (!clocks.isWrong(device)) {
				expect(off).toBe(0);
				counts.right++;
			} else if (off === -400_000_000) {
				counts.reset++;
			} else if (off === 30 * 86_400_000) {
				counts.ahead++;
			} else {
				expect(Math.abs(off)).toBeLessThanOrEqual(at / 1_000);
				counts.drifting++;
			}
		}
		const near = (count: number, share: number) => Math.abs(count / 20_000 - share) < 0.01;
		expect(near(counts.reset, 0.2) && near(counts.ahead, 0.1)).toBe(true);
		expect(near(counts.drifting, 0.3) && near(counts.right, 0.4)).toBe(true);
	});

	it("wrap where a time before power-on or after the last one has no place in 32 bits", () => {
		const clocks = new Clocks({ ...NONE, resetShare: 1 }, new Streams("clocks"));
		expect(saidBy(clocks, 3, 5_000)).toBe(5_000);
		clocks.powerOn(3, 9_000_000);
		expect(saidBy(clocks, 3, 5_000)).toBe(2 ** 32 - 4_000);
		const ahead = new Clocks({ ...NONE, aheadShare: 1 }, new Streams("clocks"));
		expect(saidBy(ahead, 3, 2 ** 32 - 1)).toBe(30 * 86_400_000 - 1);
	});

	it.each(["klais", "none"] as const)("change nothing but what devices say, under %s", (policy) => {
		const figures = (clocks: typeof NONE) => {
			const finished = simulate(
				scenarioOf({
					devices: 60,
					durationSeconds: 1_500,
					firmware: { bufferReadings: 9, overflow: "decimate" },
					link: { lossPpm: 20_000, duplicatePpm: 10_000 },
					outages: [{ kind: "power", cohorts: [cohort(40, 100, 700, 20)] }, dies(1, 720, 800)],
					clocks,
				}),
				policy,
			);
			expectHonest(finished);
			const { ledger, virtual, series } = finished.record as RunRecord;
			return { ledger, virtual, series };
		};
		const right = figures(NONE);
		expect(right.virtual.liveLatencyMicros.count).toBeGreaterThan(1_000);
		// All computed by the world from the sampling grid, with nothing said wrong; then everything said wrong.
		expect(figures({ ...NONE, driftingShare: 1 })).toEqual(right);
		expect(figures({ resetShare: 0.3, aheadShare: 0.3, driftingShare: 0.4, driftPpm: 10_000 })).toEqual(
			right,
		);
	});
});
