import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
	ACCESS_OPEN,
	ACCESS_REFUSED,
	ACCESS_SWALLOWED,
	endsSessions,
	GatewayStates,
} from "../../src/engine/gateway-states.js";
import { Membership } from "../../src/engine/membership.js";
import { Ownership } from "../../src/engine/ownership.js";
import { takeFree } from "../../src/engine/take-free.js";
import { TimeQueue } from "../../src/engine/time-queue.js";
import type { GatewayOutage } from "../../src/scenarios/scenario.js";
import { cutOff, dies, freezes } from "./support.js";

const MACHINE: GatewayOutage = { ...dies(1, 1, 2), down: "machine" };
const UNNOTICED: GatewayOutage = { ...dies(1, 1, 2), takeover: false };

describe("what devices meet at a gateway", () => {
	it.each([
		["a dead process", dies(1, 1, 2), ACCESS_REFUSED, true, true],
		["a dead machine", MACHINE, ACCESS_SWALLOWED, true, true],
		["a stopped process", freezes(1, 1, 2), ACCESS_OPEN, true, true],
		["a cut from devices", cutOff(1, 1, 2, ["devices"]), ACCESS_SWALLOWED, false, true],
		["nothing comes in", cutOff(1, 1, 2, ["devices"], "in"), ACCESS_SWALLOWED, true, true],
		["nothing gets out", cutOff(1, 1, 2, ["devices"], "out"), ACCESS_OPEN, false, true],
		["a cut from peers and broker", cutOff(1, 1, 2, ["peers", "broker"]), ACCESS_OPEN, true, false],
	] as const)("is as the fault has it, while it lasts: %s", (_, outage, access, isHeard, ends) => {
		const states = new GatewayStates(3);
		states.begin(outage, [1]);
		expect([0, 1, 2].map((g) => states.access(g))).toEqual([ACCESS_OPEN, access, ACCESS_OPEN]);
		expect([0, 1, 2].map((g) => states.isHeard(g))).toEqual([true, isHeard, true]);
		expect(endsSessions(outage)).toBe(ends);
		states.end(outage, [1]);
		expect([states.access(1), states.isHeard(1), states.isRunning(1)]).toEqual([ACCESS_OPEN, true, true]);
	});

	it("is another gateway, while there is one that takes them", () => {
		const states = new GatewayStates(2);
		const reachable = () => [0, 1].map((home) => states.isReachable(home, false));
		states.begin(dies(1, 1, 2), [0]);
		expect(reachable()).toEqual([true, true]);
		states.begin(freezes(1, 1, 2), [1]);
		expect(reachable()).toEqual([false, false]);
		expect(states.isReachable(0, true)).toBe(false);
		states.end(freezes(1, 1, 2), [1]);
		expect(reachable()).toEqual([true, true]);
		states.end(dies(1, 1, 2), [0]);
		states.begin(UNNOTICED, [0]);
		expect(reachable()).toEqual([false, true]);
		expect(states.isReachable(0, true)).toBe(true);
	});
});

describe("what gateways believe of each other", () => {
	const DETECT = 700;
	const listen = (membership: Membership, horizon: number) => {
		const heard: [number, number, number, boolean][] = [];
		membership.tell(horizon, (observer, member, time, isAlive) =>
			heard.push([observer, member, time, isAlive]),
		);
		return heard;
	};
	const make = () => {
		const states = new GatewayStates(3);
		return { states, membership: new Membership(states, DETECT) };
	};

	it("follows the truth, a while later", () => {
		const { states, membership } = make();
		states.begin(dies(1, 1, 2), [1]);
		membership.forget(1);
		membership.look(1, 1_000);
		expect(membership.nextTime()).toBe(1_700);
		expect(listen(membership, 1_700)).toEqual([]);
		expect(listen(membership, 1_701)).toEqual([
			[0, 1, 1_700, false],
			[2, 1, 1_700, false],
		]);
		states.end(dies(1, 1, 2), [1]);
		membership.look(1, 5_000);
		// The one that starts hears of the others before it takes part itself.
		expect(listen(membership, 9_000)).toEqual([
			[1, 0, 5_700, true],
			[0, 1, 5_700, true],
			[1, 2, 5_700, true],
			[2, 1, 5_700, true],
			[1, 1, 5_700, true],
		]);
	});

	it("does not change by what is over before it is noticed, nor by what is not to be noticed", () => {
		const { states, membership } = make();
		states.begin(freezes(1, 1, 2), [1]);
		membership.look(1, 1_000);
		states.end(freezes(1, 1, 2), [1]);
		membership.look(1, 1_600);
		expect(listen(membership, 9_000)).toEqual([]);
		states.begin(UNNOTICED, [2]);
		membership.forget(2);
		membership.look(2, 10_000);
		expect(listen(membership, 19_000)).toEqual([]);
	});

	it("is behind when a stopped gateway wakes", () => {
		const { states, membership } = make();
		states.begin(freezes(1, 1, 2), [1]);
		membership.look(1, 1_000);
		states.begin(dies(1, 1, 2), [2]);
		membership.forget(2);
		membership.look(2, 2_000);
		expect(listen(membership, 9_000)).toEqual([
			[0, 1, 1_700, false],
			[0, 2, 2_700, false],
		]);
		states.end(freezes(1, 1, 2), [1]);
		membership.look(1, 9_000);
		expect(listen(membership, 20_000)).toEqual([
			[0, 1, 9_700, true],
			[1, 2, 9_700, false],
		]);
	});

	it("may differ from side to side", () => {
		const { states, membership } = make();
		states.begin(cutOff(1, 1, 2, ["peers"], "out"), [0]);
		membership.look(0, 0);
		expect(listen(membership, 9_000)).toEqual([
			[1, 0, 700, false],
			[2, 0, 700, false],
		]);
		states.end(cutOff(1, 1, 2, ["peers"], "out"), [0]);
		states.begin(cutOff(1, 1, 2, ["peers"], "in"), [0]);
		membership.look(0, 10_000);
		expect(listen(membership, 19_000)).toEqual([
			[0, 1, 10_700, false],
			[1, 0, 10_700, true],
			[0, 2, 10_700, false],
			[2, 0, 10_700, true],
		]);
	});

	it("ends up true, whatever happens, once nothing happens any more", () => {
		const outages = [
			dies(1, 1, 2),
			UNNOTICED,
			freezes(1, 1, 2),
			cutOff(1, 1, 2, ["peers"]),
			cutOff(1, 1, 2, ["peers"], "in"),
		];
		const step = fc.tuple(fc.nat({ max: 3 }), fc.nat({ max: outages.length - 1 }), fc.nat({ max: 1_500 }));
		fc.assert(
			fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
				const states = new GatewayStates(4);
				const membership = new Membership(states, DETECT);
				const known = Array.from({ length: 4 }, () => [true, true, true, true]);
				const hit = new Map<number, GatewayOutage>();
				const tell = (horizon: number) => {
					for (const [observer, member, , isAlive] of listen(membership, horizon)) {
						expect(known[observer]?.[member]).toBe(!isAlive);
						expect(states.isRunning(observer)).toBe(true);
						(known[observer] as boolean[])[member] = isAlive;
					}
				};
				const toggle = (gateway: number, outage: GatewayOutage, now: number) => {
					const current = hit.get(gateway);
					if (current !== undefined) {
						states.end(current, [gateway]);
						hit.delete(gateway);
					} else {
						states.begin(outage, [gateway]);
						hit.set(gateway, outage);
						if (outage.kind === "gateway") {
							membership.forget(gateway);
							known[gateway] = [false, false, false, false];
						}
					}
					membership.look(gateway, now);
				};
				let now = 0;
				for (const [gateway, kind, gap] of steps) {
					now += gap;
					tell(now);
					toggle(gateway, outages[kind] as GatewayOutage, now);
				}
				for (const [gateway, outage] of [...hit]) {
					toggle(gateway, outage, now);
				}
				tell(Number.POSITIVE_INFINITY);
				expect(known.flat().every((isAlive) => isAlive)).toBe(true);
				expect(membership.nextTime()).toBe(Number.POSITIVE_INFINITY);
			}),
			{ numRuns: 300, seed: 21 },
		);
	});
});

describe("ownership", () => {
	it("deals every device to one shard and every shard to one home", () => {
		for (const [devices, shards, gateways] of [
			[200, 64, 3],
			[10, 64, 4],
			[1_000, 7, 9],
		] as const) {
			const ownership = new Ownership(devices, shards, gateways);
			const inShard = new Array<number>(shards).fill(0);
			const atHome = new Array<number>(gateways).fill(0);
			for (let device = 0; device < devices; device++) {
				inShard[ownership.shardOf(device)] = (inShard[ownership.shardOf(device)] as number) + 1;
				atHome[ownership.homeOf(device)] = (atHome[ownership.homeOf(device)] as number) + 1;
			}
			expect(inShard).toEqual(inShard.map((_, shard) => ownership.devicesIn(shard)));
			expect(atHome).toEqual(atHome.map((_, home) => ownership.devicesAt(home)));
		}
	});
});

describe("things to come", () => {
	it("come in time order, and of one moment in the order in which they were put in", () => {
		const action = fc.oneof(
			fc.record({ push: fc.nat({ max: 50 }) }),
			fc.record({ pop: fc.nat({ max: 60 }) }),
		);
		fc.assert(
			fc.property(fc.array(action, { maxLength: 200 }), (actions) => {
				const queue = new TimeQueue<number>();
				let model: { time: number; n: number }[] = [];
				for (const [n, step] of actions.entries()) {
					if ("push" in step) {
						queue.push(step.push, n);
						model.push({ time: step.push, n });
						model = model.sort((x, y) => x.time - y.time || x.n - y.n);
					} else {
						const first = model[0];
						const due = first !== undefined && first.time < step.pop ? model.shift()?.n : undefined;
						expect(queue.pop(step.pop)).toBe(due);
					}
					expect(queue.nextTime()).toBe(model[0]?.time ?? Number.POSITIVE_INFINITY);
				}
			}),
			{ numRuns: 300, seed: 22 },
		);
	});
});

describe("takings that overlap", () => {
	it("get different servers, as many as they want, and leave them to others when they are over", () => {
		const taking = fc.tuple(
			fc.nat({ max: 30 }),
			fc.integer({ min: 1, max: 10 }),
			fc.integer({ min: 1, max: 3 }),
		);
		fc.assert(
			fc.property(fc.array(taking, { maxLength: 10 }), (list) => {
				const takings = list.map(([from, length, servers]) => ({ from, to: from + length, servers }));
				const peak = Math.max(
					1,
					...takings.map(({ from }) =>
						takings.filter((o) => o.from <= from && from < o.to).reduce((sum, o) => sum + o.servers, 0),
					),
				);
				const taken = takeFree(takings, peak);
				for (const [n, x] of takings.entries()) {
					expect(new Set(taken[n]).size).toBe(x.servers);
					for (const [m, y] of takings.entries()) {
						if (n !== m && x.from < y.to && y.from < x.to) {
							expect(taken[n]?.filter((server) => taken[m]?.includes(server))).toEqual([]);
						}
					}
				}
				expect(taken.flat().every((server) => server >= 0 && server < peak)).toBe(true);
			}),
			{ numRuns: 300, seed: 23 },
		);
	});
});
