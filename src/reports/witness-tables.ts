import type { LiveFaultRow, LiveRecord, LiveWitness } from "../record/live-record.js";
import { formatExact, formatSeconds, NONE } from "./format.js";
import type { Table, TableRow } from "./tables.js";

/** A figure of a witness. */
interface WitnessRow {
	readonly label: string;
	readonly means: string;
	readonly of: (witness: LiveWitness) => number;
	/** Anything but 0 is a broken promise. */
	readonly promised?: boolean;
}

const ROWS: readonly WitnessRow[] = [
	{
		label: "Readings taken by devices",
		means: "by the world's own count",
		of: ({ fleet }) => fleet.produced,
	},
	{ label: "In Kafka", means: "different readings, committed", of: ({ stored }) => stored },
	{
		label: "Stored twice",
		means: "copies of a reading, on whatever lane, under whatever epoch",
		of: ({ twice }) => twice,
		promised: true,
	},
	{
		label: "Out of order",
		means: "behind what their lane, or their epoch, had reached",
		of: ({ outOfOrder }) => outOfOrder,
		promised: true,
	},
	{
		label: "Acknowledged, and not in Kafka",
		means: "lost",
		of: ({ missing }) => missing,
		promised: true,
	},
	{
		label: "Altered",
		means: "not byte for byte what their device took",
		of: ({ altered }) => altered,
		promised: true,
	},
	{
		label: "No reading of this fleet",
		means: "records with a wrong key, header, partition or number",
		of: ({ malformed, beyond }) => Object.values(malformed).reduce((sum, count) => sum + count, beyond),
		promised: true,
	},
	{
		label: "Sent by no device",
		means: "neither acknowledged, nor held, nor lost by their device",
		of: ({ unexplained }) => unexplained,
		promised: true,
	},
	{
		label: "Never decided",
		means: "offsets behind a transaction that stayed open",
		of: ({ undecided }) => undecided,
		promised: true,
	},
	{ label: "Held by devices at the end", means: "not yet acknowledged", of: ({ fleet }) => fleet.held },
	{
		label: "In Kafka, not yet acknowledged",
		means: "the answer was under way",
		of: ({ unacknowledged }) => unacknowledged,
	},
	{ label: "Lost by devices, full buffer", means: "and said so", of: ({ fleet }) => fleet.lostOverflow },
	{ label: "Lost by devices, power", means: "and said so", of: ({ fleet }) => fleet.lostVolatile },
];

/** What a client that trusts nobody found in Kafka. Null where there was none. */
export function witnessTable({ witness }: LiveRecord): Table | null {
	if (witness === undefined) {
		return null;
	}
	return {
		caption: "Witness: what an independent client found in Kafka",
		corner: "Readings",
		columns: ["Found"],
		rows: ROWS.map(({ label, means, of, promised = false }) => {
			const count = of(witness);
			return { label, means, cells: [{ text: formatExact(count), bad: promised && count > 0 }] };
		}),
		textual: false,
	};
}

/** The first few of each kind that the witness has named. */
export function witnessExamples({ witness }: LiveRecord): readonly string[] {
	return Object.entries(witness?.examples ?? {}).map(([kind, examples]) => {
		const words = kind.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
		return `${words}: ${examples.join("; ")}`;
	});
}

/** A fault a row. Null where none was done. */
export function faultTable({ faults = [] }: LiveRecord): Table | null {
	if (faults.length === 0) {
		return null;
	}
	return {
		caption:
			"Faults: until the shards that were hit had a commit of a new owner, or of the same one after it",
		corner: "Fault",
		columns: [
			"Lasted",
			"Shards",
			"Taken anew",
			"First commit",
			"In all shards",
			"First readings",
			"In all shards",
			"Readings delayed",
			"Delay p99",
			"Longest",
		],
		rows: faults.map(faultRow),
		textual: false,
	};
}

function faultRow(fault: LiveFaultRow): TableRow {
	const seconds = (value: number | null) => (value === null ? NONE : formatSeconds(value));
	const texts = [
		fault.lastedSeconds === null ? "for good" : formatSeconds(fault.lastedSeconds),
		formatExact(fault.shards),
		formatExact(fault.shardsTaken),
		seconds(fault.firstCommitSeconds),
		seconds(fault.lastCommitSeconds),
		seconds(fault.firstReadingSeconds),
		seconds(fault.lastReadingSeconds),
		formatExact(fault.readingsDelayed),
		seconds(fault.delayP99Seconds),
		seconds(fault.delayMaxSeconds),
	];
	return { label: fault.text, cells: texts.map((text) => ({ text, bad: false })) };
}
