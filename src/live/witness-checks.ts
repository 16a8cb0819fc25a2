import type { LiveAssertion } from "../record/live-record.js";
import type { PlannedFault } from "./faults/planned-fault.js";
import type { FleetReport } from "./fleet-report.js";
import type { KafkaMeasurement } from "./measurement.js";
import type { Tally } from "./witness/tally.js";

/** What must hold of what a witness has found in Kafka. */
export function witnessChecks(
	{ tally, faults, endsHeld }: KafkaMeasurement,
	fleet: FleetReport,
	ordered: readonly PlannedFault[],
): readonly LiveAssertion[] {
	return [
		ledger(tally, fleet),
		none("nothing-lost", tally, {
			"acknowledged readings are not there": tally.missing,
			"offsets were deleted": tally.deleted,
			"offsets are behind a transaction that stays open": tally.undecided,
		}),
		none("exactly-once", tally, { "readings were stored twice": tally.twice }),
		none("order-kept", tally, { "readings are behind their lane": tally.outOfOrder }),
		none("content-kept", tally, {
			"readings are not what their device took": tally.altered,
			"readings have numbers that no device has reached": tally.beyond,
			"records are no readings": sum(Object.values(tally.malformed)),
		}),
		...(ordered.length === 0 ? [] : [carriedOut(ordered, faults, endsHeld)]),
	];
}

/** The devices' account balances, one by one and in sum, and the witness finds nothing that it does not explain. */
function ledger(tally: Tally, report: FleetReport): LiveAssertion {
	const { produced, acknowledged, held, lostOverflow, lostVolatile } = tally.fleet;
	const lost = lostOverflow + lostVolatile;
	const isSame =
		report.produced === produced &&
		report.acked === acknowledged &&
		report.buffered === held &&
		report.lostOverflow + report.lostVolatile === lost;
	const faults = [
		...(produced === 0 ? ["no device took a reading"] : []),
		...(tally.unbalancedDevices > 0
			? [`${digits(tally.unbalancedDevices)} devices' accounts do not balance`]
			: []),
		...(tally.unexplained > 0 ? [`${digits(tally.unexplained)} readings that no device has sent`] : []),
		...(isSame ? [] : ["the fleet's report says otherwise"]),
	];
	const sums =
		`${digits(produced)} taken = ${digits(acknowledged)} acknowledged + ${digits(held)} held + ${digits(lost)} lost by ` +
		`devices; ${digits(tally.stored)} in Kafka, ${digits(tally.unacknowledged)} of them not yet acknowledged`;
	return {
		name: "ledger",
		holds: faults.length === 0,
		message: faults.length === 0 ? sums : `${faults.join(", ")} (${sums})`,
	};
}

/** None of these may be; else the first that the witness has named. */
function none(name: string, { examples }: Tally, counts: Readonly<Record<string, number>>): LiveAssertion {
	const all = Object.entries(counts);
	const found = all.filter(([, count]) => count > 0);
	const words = (found.length > 0 ? found : all)
		.map(([what, count]) => `${digits(count)} ${what}`)
		.join(", ");
	const [example] =
		found.length > 0 ? (EXAMPLES_OF[name]?.flatMap((kind) => examples[kind] ?? []) ?? []) : [];
	return {
		name,
		holds: found.length === 0,
		message: example === undefined ? words : `${words}; such as ${example}`,
	};
}

/** The kinds that a witness names examples of, by what must hold. */
const EXAMPLES_OF: Readonly<Record<string, readonly string[]>> = {
	"nothing-lost": ["missing"],
	"exactly-once": ["twice"],
	"order-kept": ["outOfOrder"],
	"content-kept": ["altered", "beyond", "malformed"],
};

/** A fault that was not done, or has hit nothing, proves nothing. */
function carriedOut(
	ordered: readonly PlannedFault[],
	done: KafkaMeasurement["faults"],
	endsHeld: number,
): LiveAssertion {
	const missing = ordered.filter(({ text }) => !done.some((each) => each.text === text));
	const wasDelayed = ordered.some(({ kind }) => kind === "delay-endtxn");
	const faults = [
		...missing.map(({ text }) => `${text} was not done`),
		...(wasDelayed && endsHeld === 0 ? ["no end of a transaction came by that could be held back"] : []),
	];
	const words = `${done.length} of ${ordered.length} faults were done${wasDelayed ? `, ${endsHeld} ends of transactions held back` : ""}`;
	return {
		name: "faults-done",
		holds: faults.length === 0,
		message: faults.length === 0 ? words : faults.join(", "),
	};
}

function sum(counts: readonly number[]): number {
	return counts.reduce((all, count) => all + count, 0);
}

function digits(value: number): string {
	return value.toLocaleString("en-US");
}
