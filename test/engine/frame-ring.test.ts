import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FrameRing } from "../../src/engine/frame-ring.js";
import { RecordBuffer } from "../../src/engine/record-layout.js";
import { bufferOf, type Fields, fieldsOf } from "./support.js";

const LANES = 3;

/** A ring and plain lists, moved together. */
class Twin {
	readonly ring: FrameRing;
	readonly cells = new Map<string, Required<Fields>[]>();
	private readonly target = new RecordBuffer(100_000);
	private sent = 0;
	now = 0;

	constructor(readonly slots: number) {
		this.ring = new FrameRing(LANES, slots);
	}

	push(lane: number, ahead: number, copies = 1): void {
		const slice = this.now + (ahead % this.slots);
		for (let n = 0; n < copies; n++) {
			const id = ++this.sent;
			const record = { device: id, meta: -id, a: id * 3, b: 0x7fff_ffff, c: -1, d: id | 0x4000_0000 };
			// The time given to `push` counts, not the record's own.
			const source = bufferOf([
				{ time: 1, device: 0, meta: 0 },
				{ time: 2, ...record },
			]);
			this.ring.push(lane, slice, id + 0.5, source, 1);
			const cell = this.cells.get(`${lane}/${slice}`) ?? [];
			cell.push({ time: id + 0.5, ...record });
			this.cells.set(`${lane}/${slice}`, cell);
		}
	}

	take(lane: number): void {
		const expected = this.cells.get(`${lane}/${this.now}`) ?? [];
		expect(this.ring.count(lane, this.now)).toBe(expected.length);
		const at = expected.length % 7;
		expect(this.ring.take(lane, this.now, this.target, at)).toBe(expected.length);
		const taken = fieldsOf(this.target, at, at + expected.length);
		expect(taken.sort((x, y) => x.device - y.device)).toEqual(expected);
		this.cells.delete(`${lane}/${this.now}`);
		expect(this.ring.count(lane, this.now)).toBe(0);
	}

	/** The clock moves on; what is passed over would be lost, so it never passes a frame. */
	go(steps: number): void {
		for (let lane = 0; lane < LANES; lane++) {
			this.take(lane);
		}
		const next = Math.min(...Array.from({ length: LANES }, (_, lane) => this.nextOf(lane, this.now)));
		this.now = Math.min(this.now + steps, next);
	}

	check(): void {
		for (let lane = 0; lane < LANES; lane++) {
			expect(this.ring.nextSlice(lane, this.now)).toBe(this.nextOf(lane, this.now));
			// A slice that has been taken is one ring ahead from then on.
			if (!this.cells.has(`${lane}/${this.now}`)) {
				expect(this.ring.nextSlice(lane, this.now + 1)).toBe(this.nextOf(lane, this.now + 1));
			}
		}
	}

	private nextOf(lane: number, from: number): number {
		const slices = [...this.cells.keys()].map((key) => key.split("/").map(Number));
		const due = slices.filter(([l, slice]) => l === lane && (slice as number) >= from);
		return Math.min(...due.map(([, slice]) => slice as number));
	}
}

const step = fc.oneof(
	fc.record({
		kind: fc.constant("push" as const),
		lane: fc.integer({ min: 0, max: LANES - 1 }),
		ahead: fc.oneof(fc.integer({ min: 1, max: 5 }), fc.nat({ max: 255 })),
		copies: fc.constantFrom(1, 1, 2, 15, 16, 17, 40),
	}),
	fc.record({ kind: fc.constant("take" as const), lane: fc.integer({ min: 0, max: LANES - 1 }) }),
	fc.record({ kind: fc.constant("go" as const), steps: fc.integer({ min: 1, max: 40 }) }),
);

describe("the ring of frames in flight", () => {
	it("gives each frame back in its slice, once and whole, like plain lists", () => {
		fc.assert(
			fc.property(fc.constantFrom(32, 64, 256), fc.array(step, { maxLength: 80 }), (slots, steps) => {
				const twin = new Twin(slots);
				for (const s of steps) {
					if (s.kind === "push") {
						// The slice in progress has been taken: frames go to a later one, at most a ring ahead.
						twin.push(s.lane, 1 + (s.ahead % (slots - 1)), s.copies);
					} else if (s.kind === "take") {
						twin.take(s.lane);
					} else {
						twin.go(s.steps);
					}
					twin.check();
				}
			}),
			{ numRuns: 200, seed: 2 },
		);
	});

	it("wraps many times over", () => {
		const twin = new Twin(32);
		for (let n = 0; n < 500; n++) {
			twin.push(n % LANES, 1 + (n % 31), 1 + (n % 3));
			twin.check();
			twin.go(40);
		}
		expect(twin.now).toBeGreaterThan(32 * 3);
	});

	it("grows over several segments, and uses the room again", () => {
		const ring = new FrameRing(2, 32);
		const source = bufferOf([{ time: 0, device: 9, meta: 11, a: 1 }]);
		const many = 150_000;
		const target = new RecordBuffer(many);
		for (let round = 0; round < 2; round++) {
			for (let n = 0; n < many; n++) {
				ring.push(n % 2, 5 + (n % 4), n, source, 0);
			}
			const times = new Set<number>();
			let broken = 0;
			for (let slice = 5; slice < 9; slice++) {
				for (let lane = 0; lane < 2; lane++) {
					const count = ring.take(lane, slice, target, 0);
					for (const { time, device, a } of fieldsOf(target, 0, count)) {
						broken += device + a === 10 && time % 2 === lane ? 0 : 1;
						times.add(time);
					}
				}
			}
			expect([times.size, broken]).toEqual([many, 0]);
			expect(ring.nextSlice(0, 5)).toBe(Number.POSITIVE_INFINITY);
		}
	});
});
