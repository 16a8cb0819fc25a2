import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { LocalBroker } from "../../../src/live/broker/local-broker.js";
import type { WitnessOrder } from "../../../src/live/witness/order.js";
import type { Tally } from "../../../src/live/witness/tally.js";
import { testify } from "../../../src/live/witness/testify.js";
import { newFolder, PROJECT } from "../../cli/support.js";
import { NOTHING_WRONG } from "../../fixtures/live-witness.js";
import { kafkaHere, NO_KAFKA } from "../broker/support.js";
import { because } from "../support.js";
import {
	DEVICES,
	type DeviceWords,
	everything,
	Log,
	ledgerFile,
	type Planted,
	placeOf,
	READINGS,
	record,
} from "./support.js";

const ALL = DEVICES * READINGS;

let broker: LocalBroker | undefined;
let logs = 0;

async function newLog(): Promise<Log> {
	logs += 1;
	return Log.make(broker?.bootstrap ?? "", `readings-${logs}`);
}

/** What a witness finds where this was stored, and devices say that. Without patience where something is to be missing. */
async function found(
	planted: readonly Planted[],
	words: Readonly<Record<number, DeviceWords>> = {},
	more: Partial<WitnessOrder> = {},
): Promise<Tally> {
	const log = await newLog();
	await log.write(planted);
	return testify(log.order({ ledger: ledgerFile(words), ...more }), () => undefined);
}

function changed(device: number, index: number, change: (was: Planted) => readonly Planted[]): Planted[] {
	const all = everything();
	const place = placeOf(device, index);
	all.splice(place, 1, ...change(all[place] as Planted));
	return all;
}

beforeAll(async () => {
	if (NO_KAFKA === "") {
		const started = await LocalBroker.start(kafkaHere());
		broker = started.ok ? started.value : undefined;
	}
});
afterAll(() => broker?.remove());

describe.skipIf(NO_KAFKA !== "")(`the witness of a real broker${because(NO_KAFKA)}`, () => {
	test("finds nothing wrong where nothing is", async () => {
		const tally = await found(everything());
		expect(tally).toMatchObject({ ...NOTHING_WRONG, records: ALL, stored: ALL, examples: {} });
		expect(tally.fleet).toEqual({
			produced: ALL,
			acknowledged: ALL,
			held: 0,
			lostOverflow: 0,
			lostVolatile: 0,
		});
	});

	test("finds a reading that is there twice, also on the other lane, also in another epoch", async () => {
		const again = (more: Partial<Planted>) => (was: Planted) => [was, { ...was, ...more }];
		expect(await found(changed(4, 7, again({})))).toMatchObject({
			...NOTHING_WRONG,
			twice: 1,
			examples: {
				twice: [expect.stringMatching(/^device 4, epoch 0, live, reading 7: partition 1, offset \d+$/)],
			},
		});
		expect(await found(changed(4, 7, again({ lane: 1 })))).toMatchObject({ ...NOTHING_WRONG, twice: 1 });
		// The last of its device: after it there is no more of the epoch before.
		expect(await found(changed(4, 19, again({ epoch: 1 })))).toMatchObject({ ...NOTHING_WRONG, twice: 1 });
	});

	test("finds a reading that was acknowledged and is not there, and no other", async () => {
		expect(
			await found(
				changed(5, 11, () => []),
				{},
				{ patienceMillis: 3_000 },
			),
		).toMatchObject({
			...NOTHING_WRONG,
			missing: 1,
			examples: { missing: ["device 5, reading 11 (acknowledged up to 10 live, 20 backfill)"] },
		});
		const others = [...Array(READINGS).keys()].filter((index) => index !== 11);
		const held = { 5: { acknowledged: others, held: 1 } };
		expect(
			await found(
				changed(5, 11, () => []),
				held,
			),
		).toMatchObject(NOTHING_WRONG);
		// Stored, and its device did not hear of it before the run ended.
		expect(await found(everything(), held)).toMatchObject({ ...NOTHING_WRONG, unacknowledged: 1 });
		const lost = { 5: { acknowledged: others, lostOverflow: 1 } };
		expect(await found(everything(), lost)).toMatchObject({ ...NOTHING_WRONG, unacknowledged: 1 });
	});

	test("finds two readings that have changed places, and an epoch that comes back", async () => {
		const swapped = everything();
		const [one, other] = [placeOf(3, 4), placeOf(3, 5)];
		[swapped[one], swapped[other]] = [swapped[other] as Planted, swapped[one] as Planted];
		expect(await found(swapped)).toMatchObject({
			...NOTHING_WRONG,
			outOfOrder: 1,
			examples: { outOfOrder: [expect.stringMatching(/^device 3, epoch 0, live, reading 4: /)] },
		});
		const raised = changed(3, 4, (was) => [{ ...was, epoch: 1 }]);
		expect(await found(raised)).toMatchObject({ ...NOTHING_WRONG, outOfOrder: READINGS - 5 });
	});

	test.each([0, 7, 8, 15, 16, 20])("finds an altered byte: %i", async (place) => {
		const altered = changed(9, 19, (was) => {
			const value = Buffer.from(record(was).value as Buffer);
			value[place] = (value[place] ?? 0) ^ 1;
			return [{ ...was, value }];
		});
		expect(await found(altered)).toMatchObject({ ...NOTHING_WRONG, altered: 1 });
	});

	test("finds a reading that is cut, longer, or another's", async () => {
		const values = (value: Buffer) => changed(9, 19, (was) => [{ ...was, value }]);
		const whole = record({ device: 9, index: 19 }).value as Buffer;
		for (const wrong of [
			whole.subarray(1),
			Buffer.concat([whole, whole]),
			Buffer.alloc(0),
			record({ device: 8, index: 19 }).value as Buffer,
			record({ device: 9, index: 18 }).value as Buffer,
		]) {
			expect(await found(values(wrong))).toMatchObject({ ...NOTHING_WRONG, altered: 1 });
		}
	});

	test("finds records that are no readings of this fleet", async () => {
		const wrong = [
			{ device: 1, index: 3, key: Buffer.from([0, 0, 0, 2, 0]) },
			{ device: 1, index: 3, key: Buffer.from([0, 0, 0, 1]) },
			{ device: 1, index: 3, headers: { e: Buffer.alloc(1) } },
			{ device: 1, index: 3, value: null },
			{ device: 1, index: 3, lane: 2 },
			{ device: 1, index: 3, partition: 2 },
			{ device: DEVICES, index: 3 },
		];
		expect(await found([...everything(), ...wrong])).toMatchObject({
			...NOTHING_WRONG,
			malformed: { key: 2, headers: 1, "no value": 1, lane: 1, partition: 1, device: 1 },
		});
		const beyond = [...everything(), { device: 1, index: READINGS }];
		expect(await found(beyond)).toMatchObject({ ...NOTHING_WRONG, beyond: 1 });
	});

	test("finds a device that cannot have sent what is there, and one whose account does not balance", async () => {
		const few = { 2: { produced: 4, acknowledged: [0, 1, 2], held: 1 } };
		expect(await found(everything(), few)).toMatchObject({ ...NOTHING_WRONG, unexplained: READINGS - 4 });
		const wrong = { 2: { produced: READINGS + 1 } };
		expect(await found(everything(), wrong)).toMatchObject({ ...NOTHING_WRONG, unbalancedDevices: 1 });
	});

	test("does not count what was aborted, of any device", async () => {
		const log = await newLog();
		for (let round = 0; round < 3; round += 1) {
			await log.write(everything(), (transaction) => transaction.abort());
		}
		await log.write(everything());
		await log.write(everything(), (transaction) => transaction.abort());
		expect(await testify(log.order(), () => undefined)).toMatchObject({ ...NOTHING_WRONG, records: ALL });
	});

	test("finds all of it missing where everything was aborted", async () => {
		const log = await newLog();
		await log.write(everything(), (transaction) => transaction.abort());
		const order = log.order({ patienceMillis: 1_000 });
		expect(await testify(order, () => undefined)).toMatchObject({ records: 0, missing: ALL });
	});

	test("waits for an open transaction, and says what is behind one that stays open", async () => {
		const log = await newLog();
		await log.write([{ device: 0, index: 0 }]);
		let commit = () => Promise.resolve();
		await log.write([{ device: 0, index: 1 }], async (transaction) => {
			commit = () => transaction.commit();
		});
		const order = log.order({ ledger: null, patienceMillis: 600 });
		expect(await testify(order, () => undefined)).toMatchObject({ records: 1, undecided: 1 });
		const patient = testify({ ...order, patienceMillis: 30_000 }, () => undefined);
		await commit();
		expect(await patient).toMatchObject({ records: 2, undecided: 0 });
	});

	test("shares the work between processes, and says in words what keeps it from looking", async () => {
		const log = await newLog();
		await log.write(everything());
		const tallies = await Promise.all([0, 1].map((part) => inChild(log.order({ part, parts: 2 }))));
		expect(tallies.map(({ tally }) => tally?.records)).toEqual([140, 60]);
		expect(await inChild({ ...log.order(), shards: 9 })).toEqual({
			error: `the topic ${log.topics.readings} has fewer partitions than there are shards`,
		});
		expect(await inChild({ ...log.order(), parts: "two" })).toEqual({
			error: expect.stringMatching(/order\.json: parts: .*expected/),
		});
		expect(await inChild({ ...log.order(), devices: 1_000_000, readings: 1_000_000 })).toEqual({
			error: expect.stringMatching(/^1000000 devices with 1000000 readings each are more than/),
		});
	});
});

/** The last line of a witness process. */
async function inChild(order: object): Promise<{ tally?: Tally; error?: string }> {
	const file = join(newFolder(), "order.json");
	writeFileSync(file, JSON.stringify(order));
	const child = spawn(process.execPath, [join(PROJECT, "dist/live/witness/witness-child.js"), file]);
	let text = "";
	child.stdout.on("data", (chunk) => {
		text += chunk;
	});
	await new Promise((resolve) => child.on("close", resolve));
	return JSON.parse(text.trim().split("\n").at(-1) ?? "") as { tally?: Tally; error?: string };
}
