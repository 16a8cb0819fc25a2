import { z } from "zod";
import { type LogRecord, OpenTransactions } from "./open-transactions.js";
import { rowBytes } from "./shard-account.js";

/** Delays are told apart by this much. */
export const STEP_MILLIS = 10;

/** What it takes to tell how long readings took. */
export const delaySetupSchema = z.strictObject({
	/** Wall clock at the instant that devices count from, milliseconds since 1970. */
	originMillis: z.number(),
	/** Between a device's readings. */
	readingMillis: z.number().positive(),
	/** When each device takes its first reading, milliseconds since the run's beginning. */
	firstMillis: z.array(z.number()).readonly(),
	/** Readings that took longer were held up. */
	lateMillis: z.number().positive(),
	/** A device that holds more than it takes in this many readings has some that are late by now. */
	heldMax: z.int().positive(),
});

type DelaySetup = z.output<typeof delaySetupSchema>;

/** How long readings took, from the instant at which they were taken until they were committed, each counted once. */
export const delaysSchema = z.object({
	/** Steps of 10 ms, and readings. */
	steps: z.array(z.tuple([z.number(), z.number()])),
	/** When the last reading was committed that was late, milliseconds since the run's beginning; null: none was. */
	lateUntilMillis: z.number().nullable(),
	/** Devices that hold readings at the end which are late. */
	devicesBehind: z.number(),
});

export type Delays = z.output<typeof delaysSchema>;

interface Reading {
	readonly device: number;
	readonly index: number;
}

/** Watches when each reading was committed for the first time. */
export class DelayWatch {
	private readonly seen: Uint8Array;
	private readonly partitions = new Map<number, OpenTransactions<Reading>>();
	private readonly steps = new Map<number, number>();
	private lateUntilMillis: number | null = null;

	/** `readings`: no device takes more. */
	constructor(
		private readonly setup: DelaySetup,
		private readonly readings: number,
	) {
		this.seen = new Uint8Array(setup.firstMillis.length * rowBytes(readings));
	}

	/** Takes the next records of a partition, in the order of the log. */
	take(partition: number, records: readonly LogRecord[]): void {
		const known = this.partitions.get(partition);
		const open = known ?? new OpenTransactions((record) => this.readingOf(record));
		this.partitions.set(partition, open);
		for (const record of records) {
			const committed = open.take(record);
			for (const reading of committed?.items ?? []) {
				this.see(reading, committed?.atMillis ?? 0);
			}
		}
	}

	/** What it has seen; of the devices' accounts it knows nothing. */
	results(): Omit<Delays, "devicesBehind"> {
		return { steps: [...this.steps], lateUntilMillis: this.lateUntilMillis };
	}

	private see({ device, index }: Reading, atMillis: number): void {
		const at = device * rowBytes(this.readings) + (index >>> 3);
		const bit = 1 << (index & 7);
		const byte = this.seen[at] ?? 0;
		if ((byte & bit) !== 0) {
			return;
		}
		this.seen[at] = byte | bit;
		const { originMillis, readingMillis, firstMillis, lateMillis } = this.setup;
		const since = atMillis - originMillis;
		const delay = Math.max(0, since - ((firstMillis[device] ?? 0) + index * readingMillis));
		const step = Math.floor(delay / STEP_MILLIS);
		this.steps.set(step, (this.steps.get(step) ?? 0) + 1);
		if (delay > lateMillis) {
			this.lateUntilMillis = Math.max(this.lateUntilMillis ?? since, since);
		}
	}

	private readingOf({ headers = {} }: LogRecord): Reading | undefined {
		const { d, s } = headers;
		if (!Buffer.isBuffer(d) || !Buffer.isBuffer(s) || d.length !== 4 || s.length !== 4) {
			return undefined;
		}
		const [device, index] = [d.readUInt32BE(), s.readUInt32BE()];
		const isOurs = device < this.setup.firstMillis.length && index < this.readings;
		return isOurs ? { device, index } : undefined;
	}
}

/** What several witnesses have seen. */
export function joinedDelays(parts: readonly Delays[]): Delays {
	const steps = new Map<number, number>();
	for (const [step, readings] of parts.flatMap((part) => part.steps)) {
		steps.set(step, (steps.get(step) ?? 0) + readings);
	}
	const late = parts.map(({ lateUntilMillis }) => lateUntilMillis).filter((millis) => millis !== null);
	return {
		steps: [...steps],
		lateUntilMillis: late.length === 0 ? null : Math.max(...late),
		devicesBehind: parts.reduce((sum, { devicesBehind }) => sum + devicesBehind, 0),
	};
}

/** Seconds that a share of readings do not exceed; null: there are none. */
export function delayQuantile(steps: Delays["steps"], share: number): number | null {
	const total = steps.reduce((sum, [, readings]) => sum + readings, 0);
	let below = 0;
	for (const [step, readings] of [...steps].sort(([a], [b]) => a - b)) {
		below += readings;
		if (below >= total * share) {
			return ((step + 1) * STEP_MILLIS) / 1_000;
		}
	}
	return null;
}
