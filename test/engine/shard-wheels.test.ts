import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { KIND_TIMER, RecordBuffer } from "../../src/engine/record-layout.js";
import { LAST_SLICE, SHARD_DEVICES, ShardWheels } from "../../src/engine/shard-wheels.js";
import { fieldsOf } from "./support.js";

const DEVICES = SHARD_DEVICES + 300;
/** Few devices that meet often, on both sides of the shards' border. */
const PICKED = [0, 1, 2, 77, SHARD_DEVICES - 1, SHARD_DEVICES, SHARD_DEVICES + 1, DEVICES - 1];

const device = fc.constantFrom(...PICKED);
/** Near and far, with the borders of all four levels. */
const ahead = fc.oneof(
	fc.integer({ min: 1, max: 4 }),
	fc.integer({ min: 1, max: 300 }),
	fc.integer({ min: 250, max: 260 }),
	fc.integer({ min: 65_000, max: 66_000 }),
	fc.integer({ min: 2 ** 24 - 300, max: 2 ** 24 + 300 }),
	fc.integer({ min: 1, max: 2 ** 30 }),
);
const step = fc.oneof(
	{ weight: 4, arbitrary: fc.record({ kind: fc.constant("arm" as const), device, ahead }) },
	{ weight: 1, arbitrary: fc.record({ kind: fc.constant("disarm" as const), device }) },
	// `share`: how far towards the next visit the clock moves; 1: all the way.
	{
		weight: 3,
		arbitrary: fc.record({
			kind: fc.constant("go" as const),
			share: fc.constantFrom(0, 0.3, 0.999, 1, 1, 1),
		}),
	},
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** The wheels and a plain map, moved together the way the run loop does it. */
class Twin {
	readonly wheels = new ShardWheels(DEVICES);
	readonly due = new Map<number, number>();
	private readonly target = new RecordBuffer(SHARD_DEVICES);
	now = 0;

	arm(id: number, slice: number): void {
		this.wheels.arm(id, slice);
		this.due.set(id, slice);
	}

	disarm(id: number): void {
		this.wheels.disarm(id);
		this.due.delete(id);
	}

	/** Visits shards that want attention, at the earliest such slice or (`share`) before it, as a frame would. */
	go(share: number): void {
		const next = Math.min(...this.wheels.attention);
		const until = next === Number.POSITIVE_INFINITY ? Math.min(this.now + 1_000, LAST_SLICE) : next;
		const slice = Math.min(until, this.now + 1 + Math.floor((until - this.now - 1) * share));
		this.now = Math.max(this.now, slice);
		for (let shard = 0; shard < this.wheels.shards; shard++) {
			const wanted = (this.wheels.attention[shard] as number) <= this.now;
			if (wanted || share < 1) {
				this.visit(shard);
			}
		}
	}

	visit(shard: number): void {
		const count = this.wheels.collect(shard, this.now, this.now * 10, this.target, 0);
		const fired = fieldsOf(this.target, 0, count);
		const expected = [...this.due].filter(([id, at]) => at === this.now && this.shardOf(id) === shard);
		expect(fired.map((r) => r.device).sort()).toEqual(expected.map(([id]) => id).sort());
		expect(fired.every((r) => r.meta === KIND_TIMER && r.time === this.now * 10)).toBe(true);
		for (const [id] of expected) {
			this.due.delete(id);
		}
		const next = this.wheels.nextSlice(shard);
		expect(next).toBeGreaterThan(this.now);
		this.wheels.attention[shard] = next;
	}

	/** Nothing may fall due in a shard before it is visited, and nothing may be overdue. */
	check(): void {
		for (const [id, at] of this.due) {
			expect(at).toBeGreaterThanOrEqual(this.now);
			expect(this.wheels.attention[this.shardOf(id)]).toBeLessThanOrEqual(at);
		}
	}

	private shardOf(id: number): number {
		return id < SHARD_DEVICES ? 0 : 1;
	}
}

function play(twin: Twin, steps: readonly Step[]): void {
	for (const s of steps) {
		if (s.kind === "arm") {
			twin.arm(s.device, Math.min(twin.now + s.ahead, LAST_SLICE));
		} else if (s.kind === "disarm") {
			twin.disarm(s.device);
		} else if (twin.now < LAST_SLICE) {
			twin.go(s.share);
		}
		twin.check();
	}
}

describe("the wheels of the shards", () => {
	it("fire each timer at its slice, like a plain map", () => {
		fc.assert(
			fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
				const twin = new Twin();
				play(twin, steps);
				// Everything left fires too, each in its own time.
				for (let visits = 0; twin.due.size > 0; visits++) {
					twin.go(1);
					twin.check();
					expect(visits).toBeLessThan(2_000);
				}
			}),
			{ numRuns: 300, seed: 1 },
		);
	});

	it("fire what is armed for the first slice, and all devices of a shard at once", () => {
		const twin = new Twin();
		for (let id = 0; id < DEVICES; id++) {
			twin.arm(id, id % 2 === 0 ? 0 : 70_000);
		}
		twin.visit(0);
		twin.visit(1);
		expect(twin.due.size).toBe(DEVICES / 2);
		while (twin.due.size > 0) {
			twin.go(1);
		}
		expect(twin.now).toBe(70_000);
	});

	it("reach the last slice that a word can name, and hold what lies beyond for ever", () => {
		const twin = new Twin();
		twin.arm(3, LAST_SLICE);
		twin.arm(SHARD_DEVICES, LAST_SLICE - 1);
		// A deadline after the longest scenario's end must not wrap round to an early one.
		twin.wheels.arm(4, LAST_SLICE + 10);
		twin.due.set(4, LAST_SLICE);
		twin.check();
		while (twin.due.size > 0) {
			twin.go(1);
			twin.check();
		}
		expect(twin.now).toBe(LAST_SLICE);
	});

	it("need few visits to reach a timer that is far away", () => {
		const twin = new Twin();
		twin.arm(0, 2 ** 31 + 12_345);
		let visits = 0;
		while (twin.due.size > 0) {
			twin.go(1);
			visits++;
		}
		expect(visits).toBeLessThanOrEqual(4);
	});

	it("say that a shard without timers needs no visit", () => {
		const wheels = new ShardWheels(DEVICES);
		wheels.arm(0, 500);
		wheels.disarm(0);
		expect(wheels.nextSlice(0)).toBe(Number.POSITIVE_INFINITY);
		expect(wheels.nextSlice(1)).toBe(Number.POSITIVE_INFINITY);
		expect(wheels.devicesOf(0)).toBe(SHARD_DEVICES);
		expect(wheels.devicesOf(1)).toBe(300);
	});
});
