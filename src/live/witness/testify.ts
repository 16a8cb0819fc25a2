import type { KafkaMessage } from "kafkajs";
import { readCommittedLog } from "./committed-log.js";
import { DelayWatch } from "./delays.js";
import { fleetLedger } from "./fleet-ledger.js";
import { type FaultCourse, Handovers } from "./handovers.js";
import type { WitnessOrder } from "./order.js";
import { ReadingBytes } from "./reading-bytes.js";
import { reconcile } from "./reconcile.js";
import { ShardAccount } from "./shard-account.js";
import { storedReading } from "./stored-reading.js";
import { addExample, addFault, emptyTally, summed, type Tally } from "./tally.js";

/** Bytes of bitmaps that one process may need. */
const ACCOUNT_BYTES_MAX = 1 << 30;

/**
 * Reads a part of the data topic, checks every reading, and holds all of it against the fleet's ledger. `progress` hears how
 * many records were read. Throws, in words, where it cannot do that at all.
 */
export async function testify(order: WitnessOrder, progress: (records: number) => void): Promise<Tally> {
	const { devices, shards, readings, parts, part } = order;
	if (ShardAccount.bytesOf({ devices, shards }, readings) / parts > ACCOUNT_BYTES_MAX) {
		throw new Error(
			`${devices} devices with ${readings} readings each are more than a witness can keep account of: ` +
				"fewer devices, or a shorter run",
		);
	}
	const partitions = Array.from({ length: shards }, (_, shard) => shard).filter(
		(shard) => shard % parts === part,
	);
	const accounts = new Map(
		partitions.map((shard) => [shard, new ShardAccount(shard, { devices, shards }, readings)]),
	);
	const tally = emptyTally();
	let complete: Tally | undefined;
	const check = checker(order, accounts, tally);
	const handovers = order.handovers === undefined ? undefined : new Handovers(order.handovers);
	const delays = order.delays === undefined ? undefined : new DelayWatch(order.delays, readings);
	const end = await readCommittedLog(
		{ ...order, partitions },
		{
			take: (partition, messages) => {
				for (const message of messages) {
					check(message, partition);
				}
				tally.records += messages.length;
				progress(tally.records);
			},
			takeRaw: (partition, records) => {
				handovers?.take(partition, records);
				delays?.take(partition, records);
			},
			isComplete: async () => {
				const held = await heldAgainst(order, accounts);
				complete = held.missing === 0 ? held : undefined;
				return complete !== undefined;
			},
		},
	);
	const faults = await faultCourses(order, partitions, handovers, () => progress(tally.records));
	const held = complete ?? (await heldAgainst(order, accounts));
	const took = delays === undefined ? {} : { delays: { ...delays.results(), devicesBehind: 0 } };
	return summed([{ ...tally, ...end, ...took, faults }, held]);
}

/** What became of the faults: by the readings, which were read already, and by every commit, of which the marks tell. */
async function faultCourses(
	{ bootstrap, handovers: setup }: WitnessOrder,
	partitions: readonly number[],
	readings: Handovers | undefined,
	alive: () => void,
): Promise<FaultCourse[]> {
	if (setup === undefined || readings === undefined || setup.faults.length === 0) {
		return [];
	}
	const commits = new Handovers(setup);
	await readCommittedLog(
		{ bootstrap, topic: setup.checkpoints, partitions },
		{
			take: alive,
			takeRaw: (partition, records) => commits.take(partition, records),
			isComplete: async () => true,
		},
	);
	const ofReadings = readings.results();
	return commits.results().flatMap((ofCommits, n) => {
		const of = ofReadings[n];
		return of === undefined ? [] : [{ commits: ofCommits, readings: of }];
	});
}

const FINDINGS = { twice: "twice", "out of order": "outOfOrder", beyond: "beyond" } as const;

function checker(order: WitnessOrder, accounts: ReadonlyMap<number, ShardAccount>, tally: Tally) {
	const bytes = new ReadingBytes(order.readingBytes);
	return (message: KafkaMessage, partition: number): void => {
		const reading = storedReading(message, partition, order);
		const place = () => `partition ${partition}, offset ${message.offset}`;
		if (typeof reading === "string") {
			tally.malformed[reading] = (tally.malformed[reading] ?? 0) + 1;
			addExample(tally, "malformed", () => `${reading}: ${place()}`);
			return;
		}
		const { device, epoch, lane, index, value } = reading;
		const words = () =>
			`device ${device}, epoch ${epoch}, ${lane === 0 ? "live" : "backfill"}, reading ${index}: ${place()}`;
		const finding = accounts.get(partition)?.take(reading) ?? "beyond";
		if (finding === "new" || finding === "out of order") {
			tally.stored += 1;
		}
		if (finding !== "new") {
			addFault(tally, FINDINGS[finding], words);
		}
		if (!bytes.matches(device, index, value)) {
			addFault(tally, "altered", words);
		}
	};
}

async function heldAgainst(
	{ ledger: file, shards, devices, readings, delays }: WitnessOrder,
	accounts: ReadonlyMap<number, ShardAccount>,
): Promise<Tally> {
	const tally = emptyTally();
	if (file === null) {
		return tally;
	}
	let devicesBehind = 0;
	for await (const ledger of fleetLedger(file, { devices, readings })) {
		const { device } = ledger;
		const account = accounts.get(device % shards);
		if (account !== undefined) {
			const { owed } = reconcile(ledger, account.storedOf(device), tally);
			devicesBehind += delays !== undefined && owed > delays.heldMax ? 1 : 0;
		}
	}
	return delays === undefined
		? tally
		: { ...tally, delays: { steps: [], lateUntilMillis: null, devicesBehind } };
}
