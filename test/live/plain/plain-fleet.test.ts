import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { PlainFleet, type PlainPowerChange, type PlainRequest } from "../../../src/live/plain/plain-fleet.js";

const SECOND = 1_000_000;
const END_SECONDS = 40;
const READINGS = END_SECONDS + 1;
const FIRMWARE = {
	readingMicros: SECOND,
	reportMicros: 2 * SECOND,
	bufferReadings: 12,
	overflow: "drop-oldest",
	isVolatile: false,
	sensingBackup: true,
	frameReadings: 5,
	requestTimeoutMicros: 3 * SECOND,
	backoffBaseMicros: SECOND / 2,
	backoffCapMicros: 4 * SECOND,
	gateways: 2,
} as const;

const cuts = fc.array(
	fc.record({ device: fc.nat(2), at: fc.integer({ min: 1, max: 30 }), for: fc.integer({ min: 1, max: 9 }) }),
	{ maxLength: 4 },
);

function changesOf(list: readonly { device: number; at: number; for: number }[]): PlainPowerChange[] {
	const changes = list.flatMap(({ device, at, for: lasting }) => [
		{ atMicros: at * SECOND, device, on: false, bootMicros: 0 },
		{ atMicros: (at + lasting) * SECOND, device, on: true, bootMicros: SECOND / 4 },
	]);
	return changes.sort((a, b) => a.atMicros - b.atMicros);
}

/** Runs a fleet against a gateway that stores, and answers as `fates` say. What it has stored, device by device. */
function run(changes: PlainPowerChange[], fates: readonly ("ok" | "fails" | "silent" | "late")[]) {
	const stored: number[][] = [[], [], []];
	const due: { at: number; request: PlainRequest; isStored: boolean }[] = [];
	let now = 0;
	let sent = 0;
	const fleet = new PlainFleet(
		{
			firmware: FIRMWARE,
			phasesMicros: [0, 0.7 * SECOND, 1.9 * SECOND],
			homeOf: (device) => device % 2,
			changes,
			readings: READINGS,
		},
		(_, request) => {
			const fate = fates[sent % Math.max(1, fates.length)] ?? "ok";
			sent += 1;
			if (fate !== "fails") {
				stored[request.device]?.push(...request.readings);
			}
			if (fate !== "silent") {
				due.push({ at: now + (fate === "late" ? 5 : 0.02) * SECOND, request, isStored: fate !== "fails" });
			}
		},
		() => 0.5,
	);
	for (; now <= END_SECONDS * SECOND; now += 10_000) {
		fleet.runDue(now);
		for (const { request, isStored } of due.filter(({ at }) => at <= now).splice(0)) {
			fleet.answered(request.id, isStored, now);
		}
		due.splice(0, due.length, ...due.filter(({ at }) => at > now));
	}
	return { fleet, stored, accounts: fleet.accounts(END_SECONDS * SECOND) };
}

const bitsOf = (row: Uint8Array) =>
	Array.from({ length: READINGS }, (_, n) => n).filter((n) => ((row[n >> 3] ?? 0) & (1 << (n & 7))) !== 0);

describe("a plain fleet", () => {
	test("whatever becomes of requests and power, each account balances, and what was acknowledged is stored", () => {
		const fate = fc.constantFrom("ok", "fails", "silent", "late");
		fc.assert(
			fc.property(cuts, fc.array(fate, { maxLength: 6 }), (list, fates) => {
				const { accounts, stored } = run(changesOf(list), fates);
				for (const [device, account] of accounts.entries()) {
					const acknowledged = bitsOf(account.acknowledged);
					expect(account.taken).toBe(acknowledged.length + account.held + account.lostOverflow);
					expect(stored[device]).toEqual(expect.arrayContaining(acknowledged));
					expect(account.held).toBeLessThanOrEqual(FIRMWARE.bufferReadings);
				}
			}),
			{ numRuns: 60 },
		);
	});

	test("with gateways that answer, everything is stored once and in order, and after a cut the backlog goes", () => {
		const { accounts, stored, fleet } = run(changesOf([{ device: 1, at: 5, for: 7 }]), []);
		for (const [device, list] of stored.entries()) {
			expect(list).toEqual([...list].sort((a, b) => a - b));
			expect(new Set(list).size).toBe(list.length);
			expect(accounts[device]?.held).toBeLessThanOrEqual(2);
		}
		expect(fleet.timeouts).toBe(0);
	});

	test("an answer that is lost means a second copy", () => {
		const { stored, fleet } = run([], ["silent", "ok", "ok", "ok"]);
		expect(fleet.timeouts).toBeGreaterThan(0);
		const all = stored.flat();
		expect(new Set(stored[0]).size).toBeLessThan(stored[0]?.length ?? 0);
		expect(all.length).toBeGreaterThan(3 * END_SECONDS);
	});
});
