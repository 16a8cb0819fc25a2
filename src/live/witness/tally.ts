import { z } from "zod";
import { delaysSchema, joinedDelays } from "./delays.js";
import { faultCourseSchema, joined } from "./handovers.js";

/** Examples of each kind that are worth naming. */
export const EXAMPLES_MAX = 5;

const whole = z.number().nonnegative();

/** What a witness, or a part of one, has found; readings unless said otherwise. */
export const tallySchema = z.object({
	/** Records of the data topic that are no control records, and not of an aborted transaction. */
	records: whole,
	/** Different readings among them. */
	stored: whole,
	/** Copies of a reading that was there before. */
	twice: whole,
	/** Behind what their lane, or their epoch, had reached. */
	outOfOrder: whole,
	/** Whose bytes are not what the device took. */
	altered: whole,
	/** Records that are no reading of this fleet: reason and count. */
	malformed: z.record(z.string(), whole),
	/** With a number that no device has reached. */
	beyond: whole,
	/** Acknowledged to their device, and not in Kafka. */
	missing: whole,
	/** In Kafka and neither acknowledged, nor held, nor lost by their device. */
	unexplained: whole,
	/** Devices whose own account does not balance. */
	unbalancedDevices: whole,
	/** Records that were deleted from the topic before the witness came. */
	deleted: whole,
	/** Records behind a transaction that was still open when the witness gave up waiting. */
	undecided: whole,
	/** The devices' own account. */
	fleet: z.object({
		produced: whole,
		acknowledged: whole,
		held: whole,
		lostOverflow: whole,
		lostVolatile: whole,
	}),
	/** Stored and not acknowledged: the answer was under way. */
	unacknowledged: whole,
	/** The first few of each kind, in words. */
	examples: z.record(z.string(), z.array(z.string())),
	/** What became of each fault that the witness was told of. */
	faults: z.array(faultCourseSchema),
	/** How long readings took, where the witness was asked. */
	delays: delaysSchema.exactOptional(),
	/** Longest part: seconds of consuming, without what comes before and after. */
	seconds: whole,
});

export type Tally = z.output<typeof tallySchema>;

/** The kinds of faults that are counted as a number. */
export type FaultKind =
	| "twice"
	| "outOfOrder"
	| "altered"
	| "beyond"
	| "missing"
	| "unexplained"
	| "unbalancedDevices";

export function emptyTally(): Tally {
	return {
		records: 0,
		stored: 0,
		twice: 0,
		outOfOrder: 0,
		altered: 0,
		malformed: {},
		beyond: 0,
		missing: 0,
		unexplained: 0,
		unbalancedDevices: 0,
		deleted: 0,
		undecided: 0,
		fleet: { produced: 0, acknowledged: 0, held: 0, lostOverflow: 0, lostVolatile: 0 },
		unacknowledged: 0,
		examples: {},
		faults: [],
		seconds: 0,
	};
}

/** Keeps the first few examples of a kind. `words` is asked only where there is room. */
export function addExample({ examples }: Tally, kind: string, words: () => string): void {
	const list = examples[kind] ?? [];
	if (list.length < EXAMPLES_MAX) {
		examples[kind] = [...list, words()];
	}
}

/** Counts a fault of a kind, and keeps an example. */
export function addFault(tally: Tally, kind: FaultKind, words: () => string, count = 1): void {
	tally[kind] += count;
	addExample(tally, kind, words);
}

/** Several parts as one. */
export function summed(parts: readonly Tally[]): Tally {
	const sum = emptyTally();
	for (const part of parts) {
		addNumbers(sum, part);
		addNumbers(sum.fleet, part.fleet);
		for (const [reason, count] of Object.entries(part.malformed)) {
			sum.malformed[reason] = (sum.malformed[reason] ?? 0) + count;
		}
		for (const [kind, list] of Object.entries(part.examples)) {
			for (const words of list) {
				addExample(sum, kind, () => words);
			}
		}
	}
	const faults = joined(parts.map((part) => part.faults));
	const delays = parts.flatMap((part) => part.delays ?? []);
	const took = delays.length === 0 ? {} : { delays: joinedDelays(delays) };
	return { ...sum, ...took, faults, seconds: Math.max(0, ...parts.map(({ seconds }) => seconds)) };
}

function addNumbers<T extends object>(sum: T, part: T): void {
	const into = sum as Record<string, unknown>;
	for (const [key, value] of Object.entries(part)) {
		if (typeof value === "number") {
			into[key] = Number(into[key]) + value;
		}
	}
}
