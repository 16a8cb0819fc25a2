import { z } from "zod";
import { delaySetupSchema } from "./delays.js";
import { watchedFaultSchema } from "./handovers.js";

/** What a witness is asked to look at. */
export const witnessOrderSchema = z.strictObject({
	bootstrap: z.string().min(1),
	/** The data topic. */
	topic: z.string().min(1),
	/** Its partitions. */
	shards: z.int().positive(),
	devices: z.int().positive(),
	/** Bytes of a reading. */
	readingBytes: z.int().positive(),
	/** No device takes more. */
	readings: z.int().positive(),
	/** The fleet's ledger; null: what is stored is held against nobody's account. */
	ledger: z.string().min(1).nullable(),
	/** How long to wait for what was acknowledged and is not there. */
	patienceMillis: z.int().nonnegative().exactOptional(),
	/** Faults of the run whose course the log tells, and when readings were due; absent: nobody asks. */
	handovers: z
		.strictObject({
			/** The topic of marks, whose partitions have every commit, also such as hold no reading. */
			checkpoints: z.string().min(1),
			faults: z.array(watchedFaultSchema).readonly(),
			originMillis: z.number(),
			readingMillis: z.number().positive(),
		})
		.exactOptional(),
	/** How long readings took; absent: nobody asks. */
	delays: delaySetupSchema.exactOptional(),
	/** Which part of the partitions, of how many. */
	part: z.int().nonnegative(),
	parts: z.int().positive(),
});

export type WitnessOrder = z.output<typeof witnessOrderSchema>;
