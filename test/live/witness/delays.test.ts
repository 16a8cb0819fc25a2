import { describe, expect, test } from "vitest";
import { DelayWatch, delayQuantile, joinedDelays } from "../../../src/live/witness/delays.js";
import type { LogRecord } from "../../../src/live/witness/open-transactions.js";

const ORIGIN = 1_000_000;

const u32 = (value: number) => {
	const bytes = Buffer.alloc(4);
	bytes.writeUInt32BE(value);
	return bytes;
};

/** A record of reading `index` of `device`, written at `at`. */
function data(offset: number, at: number, device: number, index: number, inTransaction = false): LogRecord {
	return {
		offset: String(offset),
		timestamp: String(ORIGIN + at),
		key: Buffer.alloc(5),
		headers: { d: u32(device), s: u32(index) },
		batchContext: { producerId: "1", producerEpoch: 0, inTransaction },
	};
}

function end(offset: number, at: number, isCommit: boolean): LogRecord {
	return {
		offset: String(offset),
		timestamp: String(ORIGIN + at),
		key: Buffer.from([0, 0, 0, isCommit ? 1 : 0]),
		isControlRecord: true,
		batchContext: { producerId: "1", producerEpoch: 0, inTransaction: true },
	};
}

/** Device 0 takes readings at 0, 1,000, … ms, device 1 at 500, 1,500, … */
function watch(...records: readonly LogRecord[]) {
	const setup = { originMillis: ORIGIN, readingMillis: 1_000, firstMillis: [0, 500], lateMillis: 2_000 };
	const made = new DelayWatch({ ...setup, heldMax: 2 }, 10);
	made.take(0, records);
	// A client that joins its group again reads from the beginning.
	made.take(0, records);
	return made.results();
}

describe("how long readings took", () => {
	test("from taken to written, where there are no transactions; each reading once", () => {
		const found = watch(data(0, 40, 0, 0), data(1, 1_120, 0, 1), data(2, 9_000, 0, 1), data(3, 1_655, 1, 1));
		expect(found).toEqual({
			steps: [
				[4, 1],
				[12, 1],
				[15, 1],
			],
			lateUntilMillis: null,
		});
	});

	test("in a transaction, to its end; what was aborted was not stored", () => {
		const found = watch(
			data(0, 40, 0, 0, true),
			end(1, 300, false),
			data(2, 400, 0, 0, true),
			end(3, 2_600, true),
		);
		expect(found).toEqual({ steps: [[260, 1]], lateUntilMillis: 2_600 });
	});

	test("records of no device of the fleet are left out, and parts are joined", () => {
		const found = watch(data(0, 40, 7, 0), data(1, 40, 0, 99), data(2, 50, 0, 0));
		const part = { ...found, devicesBehind: 1 };
		const joined = joinedDelays([part, { steps: [[5, 2]], lateUntilMillis: 700, devicesBehind: 2 }]);
		expect(joined).toEqual({ steps: [[5, 3]], lateUntilMillis: 700, devicesBehind: 3 });
		expect(delayQuantile(joined.steps, 0.99)).toBe(0.06);
		expect(delayQuantile([], 0.99)).toBeNull();
	});
});
