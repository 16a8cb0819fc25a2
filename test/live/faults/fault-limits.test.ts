import { describe, expect, test } from "vitest";
import { faultRefusals } from "../../../src/live/faults/fault-limits.js";
import { faultRows, shardsHit } from "../../../src/live/faults/fault-rows.js";
import type { DoneFault } from "../../../src/live/faults/fault-runner.js";
import { ownerOf, shardsOf } from "../../../src/live/faults/owner-of.js";
import { parseFault } from "../../../src/live/faults/parse-fault.js";
import type { PlannedFault } from "../../../src/live/faults/planned-fault.js";

function fault(text: string): PlannedFault {
	const parsed = parseFault(text);
	if (!parsed.ok) {
		throw new Error(parsed.error);
	}
	return parsed.value;
}

const wordsOf = (...texts: readonly string[]) =>
	faultRefusals(texts.map(fault), { gateways: 3, durationMicros: 60_000_000 }).map(({ message }) => message);

describe("faults that a run cannot have", () => {
	test("none of those that it can", () => {
		expect(
			wordsOf(
				"kill-gateway@10s:gateway=1",
				"freeze-gateway@10s:gateway=2",
				"kill-broker@10s:for=5s",
				"stop-broker@15s:for=5s",
				"cut-link@30s:link=fleet",
			),
		).toEqual([]);
	});

	test.each([
		[["kill-gateway@10s:gateway=3"], "there is no gateway 3 of 3"],
		[["kill-gateway@60s"], "not over before the run is"],
		[["freeze-gateway@55s"], "not over before the run is"],
		[["freeze-gateway@10s", "kill-gateway@15s"], "kill-gateway@15s begins while freeze-gateway@10s lasts"],
		[["kill-gateway@10s", "cut-link@40s"], "begins while kill-gateway@10s lasts"],
		[["kill-broker@10s", "fill-quota@11s"], "fill-quota@11s begins while kill-broker@10s lasts"],
		[["kill-gateway@1s", "kill-gateway@2s:gateway=1", "kill-gateway@3s:gateway=2"], "no gateway is left"],
	])("%j: %s", (texts, words) => {
		expect(wordsOf(...texts)).toEqual([expect.stringContaining(words)]);
	});
});

describe("who owns a shard", () => {
	test("its home while that lives, else another one that depends on the shard, else nobody", () => {
		const without =
			(...dead: readonly number[]) =>
			(gateway: number) =>
				!dead.includes(gateway);
		const owners = (isAlive: (gateway: number) => boolean) =>
			[0, 1, 2, 3, 4, 5, 6].map((shard) => ownerOf(shard, 3, isAlive));
		expect(owners(without())).toEqual([0, 1, 2, 0, 1, 2, 0]);
		expect(owners(without(0))).toEqual([1, 1, 2, 2, 1, 2, 1]);
		expect(owners(without(0, 1))).toEqual([2, 2, 2, 2, 2, 2, 2]);
		expect(owners(without(0, 1, 2))).toEqual([null, null, null, null, null, null, null]);
		expect([ownerOf(5, 1, without()), ownerOf(5, 1, without(0))]).toEqual([0, null]);
		expect(shardsOf(1, { shards: 7, gateways: 3 }, without(0))).toEqual([0, 1, 4, 6]);
	});
});

describe("the shards that a fault has hit", () => {
	const layout = { shards: 4, gateways: 2 };
	const done = (text: string, atMillis: number, endMillis: number | null): DoneFault => ({
		fault: fault(text),
		atMillis,
		endMillis,
	});

	test("are those of the gateway at that time, or all", () => {
		const killed = done("kill-gateway@1s", 1_000, 3_000);
		const soon = done("freeze-gateway@4s:gateway=1", 4_000, 9_000);
		const later = done("freeze-gateway@20s:gateway=1", 20_000, 25_000);
		const all = [killed, soon, later];
		expect(shardsHit(killed, all, layout)).toEqual([0, 2]);
		expect(shardsHit(soon, all, layout)).toEqual([0, 1, 2, 3]);
		expect(shardsHit(later, all, layout)).toEqual([1, 3]);
		expect(shardsHit(done("kill-broker@1s", 1_000, 2_000), all, layout)).toEqual([0, 1, 2, 3]);
	});

	test("with what became of them", () => {
		const killed = done("kill-gateway@1s", 1_500, null);
		const handover = {
			taken: 2,
			kept: 0,
			firstMillis: 700,
			lastMillis: 900,
			delays: [
				[10, 99],
				[120, 1],
			] as [number, number][],
		};
		const commits = { ...handover, firstMillis: 300, lastMillis: 400, delays: [] };
		expect(faultRows([killed], [{ commits, readings: handover }], { ...layout, originMillis: 500 })).toEqual([
			{
				kind: "kill-gateway",
				text: "kill-gateway@1s",
				gateway: 0,
				atSeconds: 1,
				lastedSeconds: null,
				shards: 2,
				shardsTaken: 2,
				shardsKept: 0,
				firstCommitSeconds: 0.3,
				lastCommitSeconds: 0.4,
				firstReadingSeconds: 0.7,
				lastReadingSeconds: 0.9,
				readingsDelayed: 100,
				delayP99Seconds: 0.11,
				delayMaxSeconds: 1.21,
			},
		]);
	});
});
