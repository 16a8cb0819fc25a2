import { describe, expect, it } from "vitest";
import { OUTCOME_COMMITTED, OUTCOME_FAILED, OUTCOME_FENCED } from "../../src/engine/broker-model.js";
import { brokerOf, GATEWAYS, NEVER, Play } from "./broker-support.js";
import { cutOff, freezes, SECOND } from "./support.js";

/** Commits take 100 ms to the microsecond, but for the tail. */
const STEADY = {
	commitMinMicros: 99_999,
	commitMedianMicros: 100_000,
	commitP99Micros: 100_001,
	nodes: 1,
	partitions: 8,
	capacityPerSecond: 1_000_000,
} as const;

describe("the broker's transactions", () => {
	it("commit through the producer that was initialised last", () => {
		const run = new Play(brokerOf(STEADY));
		run.send(1, 0, 0, 0);
		expect(run.fate(1)).toMatchObject({ outcome: OUTCOME_COMMITTED });
		expect(run.model.ownerOf(0)).toBe(0);
		run.model.open(1, 0, SECOND);
		run.until(2 * SECOND);
		const [{ gateway, shard, time, isOpen }] = run.opened as [(typeof run.opened)[number]];
		expect([gateway, shard, isOpen, run.model.ownerOf(0)]).toEqual([1, 0, true, 1]);
		// A round trip to fence, then the checkpoints of eight devices.
		expect(time).toBeGreaterThanOrEqual(SECOND + 99_999 + 3_000);
		expect(time).toBeLessThan(SECOND + 250_000);
		run.send(2, 0, 0, 2 * SECOND);
		run.send(3, 1, 0, 2 * SECOND);
		expect(run.fate(2)).toMatchObject({ outcome: OUTCOME_FENCED, storedAt: NEVER });
		expect(run.fate(3)).toMatchObject({ outcome: OUTCOME_COMMITTED });
		// Other shards are as they were.
		run.send(4, 0, 4, 3 * SECOND);
		expect(run.fate(4)).toMatchObject({ outcome: OUTCOME_COMMITTED });
	});

	it("are aborted by a fence that comes before they are logged, and not by one that comes after", () => {
		for (const [gap, outcome] of [
			[60_000, OUTCOME_FENCED],
			[-101_000, OUTCOME_COMMITTED],
		] as const) {
			const run = new Play(brokerOf(STEADY));
			run.model.open(1, 0, SECOND);
			run.send(7, 0, 0, SECOND + gap);
			expect(run.fate(7).outcome).toBe(outcome);
			expect(run.fate(7).storedAt === NEVER).toBe(outcome === OUTCOME_FENCED);
		}
	});

	it("of a gateway that has opened nothing are fenced; so are those of a shard that it has given up", () => {
		const run = new Play(brokerOf(STEADY));
		run.send(1, 3, 0, 0);
		run.model.close(0, 0);
		run.send(2, 0, 0, SECOND);
		expect([run.fate(1).outcome, run.fate(2).outcome]).toEqual([OUTCOME_FENCED, OUTCOME_FENCED]);
	});

	it("are logged after a gateway's death if it had asked for the commit", () => {
		const run = new Play(brokerOf(STEADY));
		run.send(1, 0, 0, 0);
		run.send(2, 0, 4, 60_000);
		run.model.die(0, 70_000);
		expect(run.fate(1)).toMatchObject({ outcome: null });
		expect(run.fate(1).storedAt).toBeLessThan(200_000);
		expect(run.fate(2)).toMatchObject({ outcome: null, storedAt: NEVER });
		// What it had opened it must open again.
		run.send(3, 0, 0, SECOND);
		expect(run.fate(3).outcome).toBe(OUTCOME_FENCED);
	});

	it("that time out are aborted, or logged late unless somebody has fenced them", () => {
		const down = [{ from: SECOND, to: 40 * SECOND }];
		const broker = brokerOf({ ...STEADY, partitions: 400 });
		const timesOut = (fenceAt: number | null) => {
			const run = new Play(broker, { outages: down });
			for (let id = 0; id < 400; id++) {
				run.send(id, id % GATEWAYS, id, 2 * SECOND);
				if (fenceAt !== null) {
					run.model.open((id + 1) % GATEWAYS, id, fenceAt);
				}
			}
			run.until(NEVER);
			const fates = [...run.fates.values()];
			expect(fates.every((fate) => fate.outcome === OUTCOME_FAILED)).toBe(true);
			expect(fates.every((fate) => fate.batch.heardAt === 32 * SECOND)).toBe(true);
			const stored = fates.filter(({ storedAt }) => storedAt !== NEVER);
			expect(stored.every(({ storedAt }) => storedAt >= 40 * SECOND)).toBe(true);
			return stored.length;
		};
		const late = timesOut(null);
		expect(late).toBeGreaterThan(150);
		expect(late).toBeLessThan(250);
		// Who opens the shard meanwhile races with them.
		const racing = timesOut(33 * SECOND);
		expect(racing).toBeGreaterThan(0);
		expect(racing).toBeLessThan(late);
	});

	it("are lost, logged late or logged without a word when their partition loses its leader", () => {
		const losses = [[{ from: 10 * SECOND, to: 15 * SECOND }]];
		const run = new Play(brokerOf({ ...STEADY, partitions: 400 }), { losses });
		for (let id = 0; id < 400; id++) {
			run.send(id, id % GATEWAYS, id, 10 * SECOND - 150_000 + id * 1_000);
		}
		run.until(NEVER);
		const fates = [...run.fates.values()];
		const torn = fates.filter(({ outcome }) => outcome === OUTCOME_FAILED);
		// Those on their way at the moment of the loss; who comes after it waits for the new leader.
		expect(torn.length).toBeGreaterThan(90);
		expect(torn.length).toBeLessThan(110);
		const times = torn.map(({ storedAt }) => storedAt);
		expect(times.filter((at) => at === NEVER).length).toBeGreaterThan(10);
		expect(times.filter((at) => at !== NEVER && at >= 15 * SECOND).length).toBeGreaterThan(10);
		expect(times.every((at) => at === NEVER || at >= 15 * SECOND || at === 10 * SECOND)).toBe(true);
		const waited = fates.filter(({ batch, outcome }) => outcome === 1 && batch.loggedAt > 10 * SECOND);
		expect(waited.length).toBeGreaterThan(200);
		expect(waited.every(({ storedAt }) => storedAt >= 15 * SECOND)).toBe(true);
	});
});

describe("the broker, when a gateway is frozen or cut off from it", () => {
	it("commits what a frozen gateway had asked for, and aborts the rest if it is fenced before it wakes", () => {
		const run = new Play(brokerOf(STEADY), { faults: [freezes(1, 10, 20)] });
		run.send(1, 0, 0, 10 * SECOND - 60_000);
		run.send(2, 0, 4, 10 * SECOND - 20_000);
		run.send(3, 0, 7, 10 * SECOND - 20_000);
		run.model.open(1, 4, 12 * SECOND);
		expect(run.fate(1)).toMatchObject({ outcome: OUTCOME_COMMITTED });
		expect(run.fate(1).storedAt).toBeLessThan(10 * SECOND + 50_000);
		expect(run.fate(1).batch.heardAt).toBe(20 * SECOND);
		expect(run.fate(2)).toMatchObject({ outcome: OUTCOME_FENCED, storedAt: NEVER });
		expect(run.opened).toMatchObject([{ gateway: 1, shard: 4, isOpen: true }]);
	});

	it("gets nothing while nothing gets out, and answers in vain while nothing gets in", () => {
		const limit = { ...STEADY, requestTimeoutMicros: 5 * SECOND };
		for (const [direction, from, storedBy] of [
			["in", ["broker"], 10 * SECOND + 300_000],
			["out", ["broker"], NEVER],
			["in", ["peers", "devices"], 10 * SECOND + 300_000],
		] as const) {
			const run = new Play(brokerOf(limit), { faults: [cutOff(1, 10, 30, from, direction)] });
			run.send(1, 0, 0, 10 * SECOND + 100_000);
			const { outcome, storedAt, batch } = run.fate(1);
			const isCut = (from as readonly string[]).includes("broker");
			expect(outcome).toBe(isCut ? OUTCOME_FAILED : OUTCOME_COMMITTED);
			expect(batch.heardAt === 15 * SECOND + 100_000).toBe(isCut);
			// What waits in the network may still be logged long after the gateway has given up.
			expect(direction === "out" ? storedAt >= 30 * SECOND : storedAt <= storedBy).toBe(true);
		}
	});

	it("says so when a shard cannot be opened, though the fence may come all the same", () => {
		const broker = brokerOf({ ...STEADY, requestTimeoutMicros: 5 * SECOND });
		const run = new Play(broker, { faults: [cutOff(1, 10, 30, ["broker"], "in")] });
		run.model.open(0, 1, 11 * SECOND);
		run.until(NEVER);
		expect(run.opened).toEqual([{ gateway: 0, shard: 1, time: 16 * SECOND, isOpen: false }]);
		expect(run.model.ownerOf(1)).toBe(0);
		run.send(1, 1, 1, 40 * SECOND);
		run.send(2, 0, 1, 40 * SECOND);
		expect([run.fate(1).outcome, run.fate(2).outcome]).toEqual([OUTCOME_FENCED, OUTCOME_FENCED]);
	});

	it("takes longer to restore a shard of many devices, and one shard after the other", () => {
		const openAll = (devices: number) => {
			const run = new Play(brokerOf(STEADY), { devices });
			for (const shard of [1, 2, 3]) {
				run.model.open(0, shard, 0);
			}
			run.until(NEVER);
			return run.opened.map(({ time }) => time);
		};
		const [few, many] = [openAll(8), openAll(8_000_000)];
		expect(Math.max(...few)).toBeLessThan(300_000);
		// A million devices a shard, two marks each, at 1.8 us.
		const steps = many.map((time, n) => time - (many[n - 1] ?? 100_000));
		expect(steps.every((step) => step > 3_500_000 && step < 3_800_000)).toBe(true);
	});
});
