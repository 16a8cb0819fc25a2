import { z } from "zod";
import { delayQuantile, STEP_MILLIS } from "./delays.js";
import { type Committed, type LogRecord, OpenTransactions } from "./open-transactions.js";

/** A fault of the run, as far as a witness has to know it. Wall clock, milliseconds since 1970. */
export const watchedFaultSchema = z.strictObject({
	atMillis: z.number(),
	/** When it was undone; null: never. */
	endMillis: z.number().nullable(),
	/** The shards that it has hit. */
	shards: z.array(z.int().nonnegative()).readonly(),
});

type WatchedFault = z.output<typeof watchedFaultSchema>;

/** What became of a fault's shards, by one topic's partitions; of several witnesses, what each of them saw. */
const handoverSchema = z.object({
	/** Shards in which another producer has committed since: a new owner, or the same one after a fence. */
	taken: z.number(),
	/** Shards in which the same one went on when the fault was over. */
	kept: z.number(),
	/** Milliseconds from the fault until the first and the last of those shards had a commit of that kind; null: none had. */
	firstMillis: z.number().nullable(),
	lastMillis: z.number().nullable(),
	/** Readings that were due in between, by how long they took: steps of 10 ms, and readings. */
	delays: z.array(z.tuple([z.number(), z.number()])),
});

export type Handover = z.output<typeof handoverSchema>;

/** Of a fault: any commit, such as a claim, and commits that hold readings. */
export const faultCourseSchema = z.object({ commits: handoverSchema, readings: handoverSchema });

export type FaultCourse = z.output<typeof faultCourseSchema>;

/** The faults, and what it takes to tell when a reading was due. */
export interface HandoverSetup {
	readonly faults: readonly WatchedFault[];
	/** Wall clock at the instant that devices count from. */
	readonly originMillis: number;
	/** Between a device's readings. */
	readonly readingMillis: number;
}

/** Of a fault, one of its shards. */
interface Watch {
	/** Who committed last before the fault; undefined: nobody. */
	owner: string | undefined;
	/** When somebody else did, or the same one after the fault's end. */
	millis: number | undefined;
}

/** The first reading of each device's lane with the same time. */
type Runs = Map<number, { due: number; index: number }>;

interface Shard {
	/** What transactions hold: when each reading was due. */
	readonly transactions: OpenTransactions<number>;
	readonly watches: readonly (Watch | undefined)[];
}

/**
 * Watches how shards change hands: when a transaction of another producer, or of the same one after it was fenced, is committed
 * for the first time after a fault. The time is the one at which the broker wrote the end of the transaction into the partition.
 */
export class Handovers {
	private readonly shards = new Map<number, Shard>();
	private readonly found: {
		taken: number;
		kept: number;
		firstMillis: number | null;
		lastMillis: number | null;
		readonly delays: Map<number, number>;
	}[];

	constructor(private readonly setup: HandoverSetup) {
		this.found = setup.faults.map(() => ({
			taken: 0,
			kept: 0,
			firstMillis: null,
			lastMillis: null,
			delays: new Map(),
		}));
	}

	/** Takes the next records of a partition, in the order of the log. */
	take(partition: number, records: readonly LogRecord[]): void {
		if (this.setup.faults.length === 0) {
			return;
		}
		const shard = this.shardOf(partition);
		for (const record of records) {
			const committed = shard.transactions.take(record);
			if (committed !== undefined) {
				this.committed(shard, committed);
			}
		}
	}

	/** What became of each fault, in their order. */
	results(): Handover[] {
		return this.found.map(({ delays, ...found }) => ({ ...found, delays: [...delays] }));
	}

	private committed(shard: Shard, { owner, items: dues, atMillis }: Committed<number>): void {
		for (const [n, fault] of this.setup.faults.entries()) {
			const watch = shard.watches[n];
			const found = this.found[n];
			if (watch === undefined || found === undefined) {
				continue;
			}
			if (atMillis <= fault.atMillis) {
				watch.owner = owner;
				continue;
			}
			const isOther = watch.owner !== undefined && watch.owner !== owner;
			const isOver = fault.endMillis !== null && atMillis >= fault.endMillis;
			if (watch.millis === undefined && (isOther || isOver)) {
				watch.millis = atMillis;
				found[isOther ? "taken" : "kept"] += 1;
				const since = atMillis - fault.atMillis;
				found.firstMillis = Math.min(found.firstMillis ?? since, since);
				found.lastMillis = Math.max(found.lastMillis ?? since, since);
			}
			for (const due of dues) {
				if (due >= fault.atMillis && due < (watch.millis ?? Number.POSITIVE_INFINITY)) {
					const step = Math.floor((atMillis - due) / STEP_MILLIS);
					found.delays.set(step, (found.delays.get(step) ?? 0) + 1);
				}
			}
		}
	}

	/** Readings of a frame carry the time of its first: live ones are due together, of others each at its own instant. */
	private dueOf(runs: Runs, { headers = {} }: LogRecord): number | undefined {
		const { d, l, s, t } = headers;
		if (!Buffer.isBuffer(d) || !Buffer.isBuffer(l) || !Buffer.isBuffer(s) || !Buffer.isBuffer(t)) {
			return undefined;
		}
		const due = this.setup.originMillis + Number(t.readBigUInt64BE());
		if (l.readUInt8() === 0) {
			return due;
		}
		const index = s.readUInt32BE();
		const device = d.readUInt32BE();
		const run = runs.get(device);
		if (run === undefined || run.due !== due || index < run.index) {
			runs.set(device, { due, index });
			return due;
		}
		return due + (index - run.index) * this.setup.readingMillis;
	}

	private shardOf(partition: number): Shard {
		const known = this.shards.get(partition);
		if (known !== undefined) {
			return known;
		}
		const runs: Runs = new Map();
		const shard: Shard = {
			transactions: new OpenTransactions((record) => this.dueOf(runs, record)),
			watches: this.setup.faults.map(({ shards }) =>
				shards.includes(partition) ? { owner: undefined, millis: undefined } : undefined,
			),
		};
		this.shards.set(partition, shard);
		return shard;
	}
}

/** What several witnesses have seen of the same faults. */
export function joined(parts: readonly (readonly FaultCourse[])[]): FaultCourse[] {
	const faults = Math.max(0, ...parts.map(({ length }) => length));
	return Array.from({ length: faults }, (_, n) => {
		const each = parts.flatMap((part) => part[n] ?? []);
		return {
			commits: joinedHandover(each.map(({ commits }) => commits)),
			readings: joinedHandover(each.map(({ readings }) => readings)),
		};
	});
}

function joinedHandover(each: readonly Handover[]): Handover {
	const known = (pick: (handover: Handover) => number | null) =>
		each.map(pick).filter((millis) => millis !== null);
	const firsts = known(({ firstMillis }) => firstMillis);
	const lasts = known(({ lastMillis }) => lastMillis);
	const delays = new Map<number, number>();
	for (const [step, readings] of each.flatMap(({ delays: part }) => part)) {
		delays.set(step, (delays.get(step) ?? 0) + readings);
	}
	return {
		taken: each.reduce((sum, { taken }) => sum + taken, 0),
		kept: each.reduce((sum, { kept }) => sum + kept, 0),
		firstMillis: firsts.length === 0 ? null : Math.min(...firsts),
		lastMillis: lasts.length === 0 ? null : Math.max(...lasts),
		delays: [...delays],
	};
}

/** Readings that had to wait, and how long: seconds that a share of them does not exceed; null: there are none. */
export function delayOf({ delays }: Handover, share: number): number | null {
	return delayQuantile(delays, share);
}

/** Readings in a histogram of delays. */
export function readingsOf(delays: Handover["delays"]): number {
	return delays.reduce((sum, [, readings]) => sum + readings, 0);
}
