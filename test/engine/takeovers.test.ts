import { describe, expect, it } from "vitest";
import { Takeovers } from "../../src/engine/takeovers.js";
import { SECOND } from "./support.js";

const owned = (...shards: number[]) => shards.map((shard) => ({ shard, generation: 0 }));

describe("takeovers", () => {
	it("are timed from the fault to the first commit by another initialisation, shard by shard", () => {
		const takeovers = new Takeovers();
		takeovers.begin("gateway", 2, 10 * SECOND, owned(2, 6));
		// What the dead gateway had asked for is no takeover; nor is what happens to shards that it did not own.
		takeovers.committed(2, 0, 10.1 * SECOND);
		takeovers.committed(3, 5, 10.2 * SECOND);
		takeovers.committed(6, 7, 11.5 * SECOND);
		takeovers.committed(6, 7, 11.7 * SECOND);
		takeovers.committed(2, 8, 12 * SECOND);
		takeovers.committed(2, 9, 13 * SECOND);
		expect(takeovers.rows()).toEqual([
			{
				kind: "gateway",
				gateway: 2,
				atSeconds: 10,
				shards: 2,
				shardsTaken: 2,
				firstCommitSeconds: 1.5,
				lastCommitSeconds: 2,
				readingsDelayed: 0,
				delayP99Seconds: null,
			},
		]);
	});

	it("delay the readings that were due while nobody could commit", () => {
		const takeovers = new Takeovers();
		takeovers.begin("gateway-freeze", 0, 10 * SECOND, owned(0));
		takeovers.durable(0, 5, 9 * SECOND, SECOND, 11 * SECOND);
		takeovers.committed(0, 3, 12 * SECOND);
		// Due at 9 to 13 s: three of them from 10 s on and before 12 s, no: at 10 and 11 s.
		takeovers.durable(0, 5, 9 * SECOND, SECOND, 15 * SECOND);
		// A report of live readings, due all at once.
		takeovers.durable(0, 4, 11.5 * SECOND, 0, 15 * SECOND);
		takeovers.durable(0, 4, 12 * SECOND, 0, 15 * SECOND);
		takeovers.durable(1, 4, 11 * SECOND, 0, 15 * SECOND);
		const [row] = takeovers.rows();
		expect(row).toMatchObject({ readingsDelayed: 6, delayP99Seconds: 5 });
	});

	it("that do not happen say so", () => {
		const takeovers = new Takeovers();
		takeovers.begin("gateway-cut", 1, 0, owned(1));
		expect(takeovers.rows()).toMatchObject([
			{ shards: 1, shardsTaken: 0, firstCommitSeconds: null, lastCommitSeconds: null },
		]);
	});

	it("belong to the last fault of a shard", () => {
		const takeovers = new Takeovers();
		takeovers.begin("gateway", 0, SECOND, owned(0, 4));
		takeovers.committed(0, 1, 2 * SECOND);
		takeovers.begin("gateway", 1, 3 * SECOND, [{ shard: 0, generation: 1 }]);
		takeovers.committed(0, 2, 5 * SECOND);
		takeovers.committed(4, 3, 6 * SECOND);
		expect(
			takeovers
				.rows()
				.map(({ firstCommitSeconds, lastCommitSeconds }) => [firstCommitSeconds, lastCommitSeconds]),
		).toEqual([
			[1, 5],
			[2, 2],
		]);
	});
});
