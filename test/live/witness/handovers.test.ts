import { describe, expect, test } from "vitest";
import { delayOf, Handovers, joined, readingsOf } from "../../../src/live/witness/handovers.js";
import type { LogRecord } from "../../../src/live/witness/open-transactions.js";

const ORIGIN = 1_000_000;
const PARTITION = 3;

const u32 = (value: number) => {
	const bytes = Buffer.alloc(4);
	bytes.writeUInt32BE(value);
	return bytes;
};
const u64 = (value: number) => {
	const bytes = Buffer.alloc(8);
	bytes.writeBigUInt64BE(BigInt(value));
	return bytes;
};

/** A partition's log, as somebody writes it. Times in milliseconds since the run's beginning. */
class Log {
	readonly records: LogRecord[] = [];

	/** Readings of a device in one frame, `due` at first. */
	data(epoch: number, due: number, { count = 1, lane = 0, index = 0, inTransaction = true } = {}): this {
		for (let n = 0; n < count; n += 1) {
			this.add({
				timestamp: String(ORIGIN + due),
				key: Buffer.alloc(5),
				headers: { d: u32(PARTITION), l: Buffer.from([lane]), s: u32(index + n), t: u64(due) },
				batchContext: { producerId: "7", producerEpoch: epoch, inTransaction },
			});
		}
		return this;
	}

	/** The end of the open transaction, at `at`. */
	end(epoch: number, at: number, kind: "commit" | "abort" = "commit"): this {
		this.add({
			timestamp: String(ORIGIN + at),
			key: Buffer.from([0, 0, 0, kind === "commit" ? 1 : 0]),
			isControlRecord: true,
			batchContext: { producerId: "7", producerEpoch: epoch, inTransaction: true },
		});
		return this;
	}

	private add(record: Omit<LogRecord, "offset">): void {
		this.records.push({ ...record, offset: String(this.records.length) });
	}
}

const handoverOf = (log: Log, at: number, end: number | null, shards = [PARTITION]) => {
	const fault = { atMillis: ORIGIN + at, endMillis: end === null ? null : ORIGIN + end, shards };
	const handovers = new Handovers({ faults: [fault], originMillis: ORIGIN, readingMillis: 100 });
	handovers.take(PARTITION, log.records);
	const [handover] = handovers.results();
	return handover;
};

describe("how a shard changes hands", () => {
	test("counts from the fault to the first commit of another producer, and readings due in between", () => {
		const log = new Log()
			.data(0, 900)
			.end(0, 950)
			.data(0, 980)
			.end(1, 1_600, "abort")
			.data(1, 980)
			.data(1, 1_200, { count: 3 })
			.end(1, 1_800)
			.data(1, 1_790)
			.data(1, 1_900)
			.end(1, 2_000);
		expect(handoverOf(log, 1_000, null)).toEqual({
			taken: 1,
			kept: 0,
			firstMillis: 800,
			lastMillis: 800,
			delays: [
				[60, 3],
				[21, 1],
			],
		});
	});

	test("a backfill's readings are due one after the other", () => {
		const log = new Log()
			.data(0, 500)
			.end(0, 600)
			.data(1, 900, { lane: 1, count: 5, index: 40 })
			.end(1, 2_000);
		// At 900 and 1,000 ms before the fault or with it; at 1,100, 1,200 and 1,300 after it.
		expect(handoverOf(log, 1_050, null)?.delays).toEqual([
			[90, 1],
			[80, 1],
			[70, 1],
		]);
	});

	test("the same producer counts once the fault is over, and not before", () => {
		const log = new Log().data(0, 500).end(0, 600).data(0, 1_100).end(0, 1_200).data(0, 1_300).end(0, 3_100);
		expect(handoverOf(log, 1_000, 3_000)).toEqual({
			taken: 0,
			kept: 1,
			firstMillis: 2_100,
			lastMillis: 2_100,
			delays: [
				[10, 1],
				[180, 1],
			],
		});
		expect(handoverOf(log, 1_000, null)).toMatchObject({ taken: 0, kept: 0, firstMillis: null });
	});

	test("without transactions each record is a commit", () => {
		const log = new Log().data(0, 500, { inTransaction: false }).data(1, 1_500, { inTransaction: false });
		expect(handoverOf(log, 1_000, null)).toMatchObject({ taken: 1, firstMillis: 500 });
	});

	test("records that come once more, and shards that were not hit, change nothing", () => {
		const log = new Log().data(0, 900).end(0, 950).data(1, 1_200).end(1, 1_800);
		const fault = { atMillis: ORIGIN + 1_000, endMillis: null, shards: [PARTITION] };
		const handovers = new Handovers({ faults: [fault], originMillis: ORIGIN, readingMillis: 100 });
		handovers.take(PARTITION, log.records);
		handovers.take(PARTITION, log.records);
		expect(readingsOf(handovers.results()[0]?.delays ?? [])).toBe(1);
		expect(handoverOf(log, 1_000, null, [PARTITION + 1])).toMatchObject({ taken: 0, delays: [] });
	});

	test("of several witnesses is put together", () => {
		const one = { taken: 1, kept: 0, firstMillis: 5, lastMillis: 9, delays: [[1, 98]] as [number, number][] };
		const other = {
			taken: 0,
			kept: 2,
			firstMillis: 3,
			lastMillis: 4,
			delays: [
				[1, 1],
				[7, 1],
			] as [number, number][],
		};
		const nothing = { taken: 0, kept: 0, firstMillis: null, lastMillis: null, delays: [] };
		const parts = [one, other, nothing].map((readings) => [{ commits: nothing, readings }]);
		const sum = joined(parts)[0]?.readings;
		expect(joined(parts)[0]?.commits).toEqual(nothing);
		expect(sum).toEqual({
			taken: 1,
			kept: 2,
			firstMillis: 3,
			lastMillis: 9,
			delays: [
				[1, 99],
				[7, 1],
			],
		});
		expect(sum === undefined ? [] : [delayOf(sum, 0.99), delayOf(sum, 1)]).toEqual([0.02, 0.08]);
		expect(delayOf(nothing, 0.99)).toBeNull();
		expect(joined([[], []])).toEqual([]);
	});
});
