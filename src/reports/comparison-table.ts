import type { LiveRecord, LiveVariant, LiveWitness } from "../record/live-record.js";
import { formatExact, formatSeconds, NONE } from "./format.js";
import type { Table } from "./tables.js";

/** Plain devices that were handled later than this offered another load than was meant. */
const LATE_MILLIS_MAX = 20;

interface Column {
	readonly name: string;
	readonly text: (witness: LiveWitness) => string;
	/** What should not be. */
	readonly isBad?: (witness: LiveWitness) => boolean;
	/** Shown where there is little room. */
	readonly isShort?: boolean;
}

function count(name: string, of: (witness: LiveWitness) => number): Column {
	return { name, text: (witness) => formatExact(of(witness)) };
}

/** Of what there should be none. */
function fault(name: string, of: (witness: LiveWitness) => number, isShort = false): Column {
	return { ...count(name, of), isBad: (witness) => of(witness) > 0, isShort };
}

const COLUMNS: readonly Column[] = [
	count("Taken", ({ fleet }) => fleet.produced),
	count("Durable", ({ stored }) => stored),
	fault("Stored twice", ({ twice }) => twice, true),
	fault("Acknowledged and lost", ({ missing }) => missing, true),
	count("Lost by devices", ({ fleet }) => fleet.lostOverflow + fleet.lostVolatile),
	count("Held at the end, not durable", ({ fleet, unacknowledged }) =>
		Math.max(0, fleet.held - unacknowledged),
	),
	fault("Out of order", ({ outOfOrder }) => outOfOrder),
	fault("Damaged", ({ altered, malformed, beyond }) =>
		Object.values(malformed).reduce((sum, each) => sum + each, altered + beyond),
	),
	{
		name: "Backlog gone",
		text: backlogGone,
		isBad: ({ delays }) => (delays?.devicesBehind ?? 0) > 0,
		isShort: true,
	},
	{ name: "Delay p50", text: ({ delays }) => seconds(delays?.p50Seconds) },
	{ name: "Delay p99", text: ({ delays }) => seconds(delays?.p99Seconds), isShort: true },
	{ name: "Longest", text: ({ delays }) => seconds(delays?.maxSeconds) },
];

/** The run beside the same with plain producers, a variant a row. Null where there was no comparison. */
export function comparisonTable(live: LiveRecord): Table | null {
	return tableOf(live, COLUMNS);
}

/** The same with the columns that matter most. */
export function comparisonSummary(live: LiveRecord): Table | null {
	return tableOf(
		live,
		COLUMNS.filter(({ isShort }) => isShort === true),
	);
}

function tableOf({ policy, witness, comparison }: LiveRecord, columns: readonly Column[]): Table | null {
	if (comparison === undefined || witness === undefined) {
		return null;
	}
	return {
		caption: "The same outage with plain kafkajs producers in place of gateways and protocol, readings",
		corner: "Variant",
		columns: columns.map(({ name }) => name),
		rows: [{ name: policy, witness }, ...comparison].map((variant) => ({
			label: variant.name,
			cells: columns.map(({ text, isBad }) => ({
				text: text(variant.witness),
				bad: isBad?.(variant.witness) ?? false,
			})),
		})),
		textual: false,
	};
}

/** How the table is to be read, and what devices had to do. */
export function comparisonNotes({ comparison = [] }: LiveRecord): readonly string[] {
	if (comparison.length === 0) {
		return [];
	}
	return [
		"Backlog gone: since the run's beginning, when the last reading was committed that had been held up. Delay: from taken to committed for the first time, by the broker's clock.",
		...comparison.map(variantNote),
	];
}

function variantNote({ name, complete, requests, lateMillisP99 }: LiveVariant): string {
	const { requests: sent, timeouts, failures, sentAgain } = requests;
	return [
		`${name}: devices sent ${formatExact(sent)} requests`,
		`${formatExact(timeouts)} timed out and ${formatExact(failures)} failed`,
		`${formatExact(sentAgain)} readings were sent again`,
		...(lateMillisP99 > LATE_MILLIS_MAX
			? [`devices were handled ${lateMillisP99} ms late at p99, as the machine was busy`]
			: []),
		...(complete ? [] : ["stopped before its end"]),
	]
		.join(", ")
		.concat(".");
}

function backlogGone({ delays }: LiveWitness): string {
	if (delays === undefined) {
		return NONE;
	}
	if (delays.devicesBehind > 0) {
		return `not by the end (${formatExact(delays.devicesBehind)} devices)`;
	}
	return delays.lateUntilSeconds === null ? "never behind" : seconds(delays.lateUntilSeconds);
}

function seconds(value: number | null | undefined): string {
	return value === null || value === undefined ? NONE : formatSeconds(value);
}
