import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Balance, emptyBalance, Ledger, settleDevice } from "../../src/record/ledger.js";

const DEVICE = 2;

/** Stores `first` to `end` - 1 on a lane. */
function store(ledger: Ledger, backfill: boolean, first: number, end: number, device = DEVICE): void {
	ledger.store(device, backfill, first, end - first, 1, end);
}

function settle(ledger: Ledger, produced: number, held: number, live: number, backfill: number): Balance {
	const balance = emptyBalance();
	settleDevice(balance, ledger, DEVICE, produced, held, { live, backfill });
	return balance;
}

/** What must hold of every balance that calls itself balanced. */
function expectBalanced(balance: Balance, ledger: Ledger): void {
	expect(balance.imbalance).toBe(null);
	const { produced, buffered, lostOverflow, lostVolatile, ackedLost, reordered } = balance;
	expect(produced).toBe(ledger.durableTotal + buffered + lostOverflow + lostVolatile);
	expect([ackedLost, reordered]).toEqual([0, 0]);
}

describe("what the witness saw stored", () => {
	it("counts each reading once per lane, and what comes again as a duplicate", () => {
		const ledger = new Ledger(4, false);
		store(ledger, false, 0, 10);
		expect([ledger.fresh, ledger.duplicates]).toEqual([10, 0]);
		store(ledger, false, 0, 10);
		expect([ledger.fresh, ledger.duplicates]).toEqual([0, 10]);
		store(ledger, false, 6, 14);
		expect([ledger.fresh, ledger.duplicates]).toEqual([4, 14]);
		store(ledger, true, 20, 25);
		expect([ledger.durable(DEVICE), ledger.durableTotal]).toEqual([19, 19]);
		expect([ledger.mark(DEVICE, false), ledger.mark(DEVICE, true)]).toEqual([14, 25]);
		expect([ledger.durable(0), ledger.durable(1), ledger.durable(3)]).toEqual([0, 0, 0]);
	});

	it("knows the readings of a thinned run below the mark", () => {
		const ledger = new Ledger(4, false);
		// 0, 4, 8, 12: four readings, the mark one past the last.
		ledger.store(DEVICE, true, 0, 4, 4, 13);
		ledger.store(DEVICE, true, 8, 4, 4, 21);
		expect([ledger.fresh, ledger.duplicates]).toEqual([2, 2]);
		ledger.store(DEVICE, true, 8, 2, 8, 17);
		expect([ledger.fresh, ledger.duplicates]).toEqual([0, 4]);
	});

	it("has one mark where a device sends in one order", () => {
		const ledger = new Ledger(4, true);
		store(ledger, true, 0, 10);
		store(ledger, false, 10, 12);
		store(ledger, true, 0, 12);
		expect([ledger.duplicates, ledger.durableTotal]).toEqual([12, 12]);
	});

	it("agrees with a plain set of stored readings, for a lane whose runs come in order or again", () => {
		const run = fc.record({
			device: fc.integer({ min: 0, max: 2 }),
			backfill: fc.boolean(),
			again: fc.integer({ min: 0, max: 12 }),
			gap: fc.constantFrom(0, 0, 3),
			count: fc.integer({ min: 1, max: 9 }),
		});
		fc.assert(
			fc.property(fc.array(run, { maxLength: 60 }), (runs) => {
				const ledger = new Ledger(3, false);
				const sets = new Map<string, Set<number>>();
				let duplicates = 0;
				for (const { device, backfill, again, gap, count } of runs) {
					const mark = ledger.mark(device, backfill);
					// A run that begins again does so at a reading that was stored, as after a lost answer.
					const set = sets.get(`${device}/${backfill}`) ?? new Set<number>();
					sets.set(`${device}/${backfill}`, set);
					const first = set.has(mark - again) ? mark - again : mark + gap;
					const readings = Array.from({ length: count }, (_, n) => first + n);
					const known = readings.filter((r) => set.has(r) || r < mark).length;
					ledger.store(device, backfill, first, count, 1, first + count);
					duplicates += known;
					for (const r of readings) {
						set.add(r);
					}
					expect(ledger.fresh).toBe(count - known);
				}
				const distinct = (device: number) =>
					["true", "false"].reduce((sum, lane) => sum + (sets.get(`${device}/${lane}`)?.size ?? 0), 0);
				// What was skipped and then repeated below the mark counts as known: only in-order lanes are exact.
				if (runs.every(({ gap }) => gap === 0)) {
					expect([0, 1, 2].map((device) => ledger.durable(device))).toEqual([0, 1, 2].map(distinct));
					expect(ledger.duplicates).toBe(duplicates);
				}
				expect(ledger.durableTotal).toBe([0, 1, 2].reduce((sum, device) => sum + ledger.durable(device), 0));
			}),
			{ numRuns: 200, seed: 12 },
		);
	});
});

describe("the settlement of a device", () => {
	it("balances what is stored, held and lost", () => {
		const ledger = new Ledger(4, false);
		store(ledger, false, 0, 50);
		store(ledger, true, 60, 80);
		ledger.lose(DEVICE, 7, 0);
		ledger.lose(DEVICE, 1, 2);
		const balance = settle(ledger, 100, 20, 50, 80);
		expectBalanced(balance, ledger);
		expect([balance.buffered, balance.lostOverflow, balance.lostVolatile]).toEqual([20, 8, 2]);
	});

	it("counts what is stored and still held as stored", () => {
		const ledger = new Ledger(4, false);
		store(ledger, false, 0, 50);
		store(ledger, true, 60, 80);
		// 15 of the live lane and 5 of the backfill are not acknowledged yet: the device holds them too.
		const balance = settle(ledger, 80, 10 + 20, 35, 75);
		expectBalanced(balance, ledger);
		expect(balance.buffered).toBe(10);
	});

	it("believes no more of a loss than is missing: what was just stored may be called lost", () => {
		const ledger = new Ledger(4, false);
		store(ledger, false, 0, 50);
		ledger.lose(DEVICE, 5, 10);
		const balance = settle(ledger, 60, 0, 0, 0);
		expectBalanced(balance, ledger);
		expect([balance.lostOverflow, balance.lostVolatile]).toEqual([5, 5]);
	});

	const cases: readonly (readonly [string, (ledger: Ledger) => Balance, Partial<Balance>, RegExp])[] = [
		[
			"a reading that is nowhere",
			(ledger) => {
				store(ledger, false, 0, 50);
				return settle(ledger, 61, 10, 50, 0);
			},
			{ reordered: 1 },
			/device 2: took 61, stored 50, holds 10, says it lost 0/,
		],
		[
			"a loss that the device understates",
			(ledger) => {
				store(ledger, false, 0, 50);
				ledger.lose(DEVICE, 3, 1);
				return settle(ledger, 60, 5, 50, 0);
			},
			{ reordered: 1, lostOverflow: 3, lostVolatile: 1 },
			/stored 50, holds 5, says it lost 4/,
		],
		[
			"a reading stored on both lanes",
			(ledger) => {
				store(ledger, false, 0, 50);
				store(ledger, true, 49, 50);
				return settle(ledger, 50, 0, 50, 50);
			},
			{},
			/took 50, stored 51, holds 0/,
		],
		[
			"a reading stored, acknowledged and still held",
			(ledger) => {
				store(ledger, false, 0, 50);
				return settle(ledger, 50, 1, 50, 0);
			},
			{},
			/took 50, stored 50, holds 1/,
		],
		[
			"more held and stored than could be unacknowledged",
			(ledger) => {
				store(ledger, false, 0, 50);
				return settle(ledger, 50, 4, 47, 0);
			},
			{},
			/holds 4/,
		],
		[
			"a live reading acknowledged and not stored",
			(ledger) => {
				store(ledger, false, 0, 50);
				return settle(ledger, 52, 2, 52, 0);
			},
			{ ackedLost: 2 },
			/2 acknowledged and not stored/,
		],
		[
			"a backfill reading acknowledged and not stored, though as many are stored ahead on the other lane",
			(ledger) => {
				store(ledger, false, 0, 50);
				store(ledger, true, 60, 80);
				return settle(ledger, 70, 0, 45, 85);
			},
			{ ackedLost: 5 },
			/5 acknowledged and not stored; first open sequence 50/,
		],
	];

	it.each(cases)("detects %s, and names the device", (_, make, figures, words) => {
		const balance = make(new Ledger(4, false));
		expect(balance.imbalance).toMatch(words);
		expect(balance).toMatchObject(figures);
	});

	it("finds the fault whatever it is, in any honest account", () => {
		const account = fc.record({
			live: fc.integer({ min: 0, max: 200 }),
			backfill: fc.integer({ min: 0, max: 200 }),
			unackedLive: fc.integer({ min: 0, max: 20 }),
			unackedBackfill: fc.integer({ min: 0, max: 20 }),
			waiting: fc.integer({ min: 0, max: 50 }),
			overflow: fc.integer({ min: 0, max: 30 }),
			volatile: fc.integer({ min: 0, max: 30 }),
		});
		fc.assert(
			fc.property(account, fc.integer({ min: 1, max: 5 }), (a, n) => {
				const unacked = Math.min(a.unackedLive, a.live) + Math.min(a.unackedBackfill, a.backfill);
				const produced = a.live + a.backfill + a.waiting + a.overflow + a.volatile;
				const make = () => {
					const ledger = new Ledger(4, false);
					store(ledger, false, 0, a.live);
					ledger.store(DEVICE, true, 1_000, a.backfill, 1, 1_000 + a.backfill);
					ledger.lose(DEVICE, a.overflow, a.volatile);
					return ledger;
				};
				const live = Math.max(0, a.live - a.unackedLive);
				const mark = a.backfill === 0 ? 1_000 : 1_000 + Math.max(0, a.backfill - a.unackedBackfill);
				const held = a.waiting + unacked;
				const honest = make();
				expectBalanced(settle(honest, produced, held, live, mark), honest);
				// A reading taken more than accounted for is missed, unless one that was stored may have hidden it.
				const more = settle(make(), produced + unacked + n, held, live, mark);
				expect(more.imbalance).toMatch(/device 2/);
				// A reading held or stored beyond what was taken is one too many, unless a stated loss made room for it.
				const fewer = settle(make(), Math.max(0, produced - a.overflow - a.volatile) - n, held, live, mark);
				expect(fewer.imbalance).toMatch(/device 2/);
				expect(settle(make(), produced, held, a.live + n, mark).ackedLost).toBe(n);
			}),
			{ numRuns: 300, seed: 13 },
		);
	});

	it("sums over devices and keeps the first fault", () => {
		const ledger = new Ledger(4, false);
		const balance = emptyBalance();
		for (let device = 0; device < 4; device++) {
			store(ledger, false, 0, 10, device);
			settleDevice(balance, ledger, device, device < 2 ? 12 : 13, 2, { live: 10, backfill: 0 });
		}
		expect(balance).toMatchObject({ produced: 50, buffered: 8, reordered: 2 });
		expect(balance.imbalance).toMatch(/^device 2:/);
	});
});
