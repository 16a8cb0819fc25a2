import type { LiveAssertion, LiveRecord } from "../record/live-record.js";
import type { PlannedFault } from "./faults/planned-fault.js";
import { durableOf, type Measurement, sumOf } from "./measurement.js";
import { witnessChecks } from "./witness-checks.js";

/** A generator this late at the 99th percentile, in real time, offers another load than it was meant to. */
export const LATE_MICROS_MAX = 20_000;

/** What a live run was asked to be. */
export interface LivePromises {
	/** Nothing is stored twice. */
	readonly exactlyOnce: boolean;
	readonly xdp: LiveRecord["xdp"];
	readonly faults: readonly PlannedFault[];
}

/** What must hold of a live run. */
export function liveChecks(measured: Measurement, promises: LivePromises): readonly LiveAssertion[] {
	const { kafka, fleet } = measured;
	const stored =
		kafka === undefined
			? [ledger(measured), ...(promises.exactlyOnce ? [onceOnly(measured)] : [])]
			: witnessChecks(kafka, fleet, promises.faults);
	return [...stored, generator(measured), placement(promises.xdp)];
}

/** A run whose filter ran elsewhere measured something else. */
function placement({ asked, used, reason }: LiveRecord["xdp"]): LiveAssertion {
	const holds = used === asked;
	const found = holds ? `XDP ran as asked: ${asked}` : `XDP ran ${used}, not ${asked}: ${reason}`;
	return { name: "filter-as-asked", holds, message: found };
}

/**
 * Every reading that a device took is acknowledged to it, held by it, or lost by it; and the sink, which counts for
 * itself, has all that was acknowledged, and nothing that no device can have sent.
 */
function ledger(measured: Measurement): LiveAssertion {
	const { produced, acked, buffered, lostOverflow, lostVolatile } = measured.fleet;
	const durable = durableOf(measured);
	const lost = lostOverflow + lostVolatile;
	const missing = produced - acked - buffered - lost;
	const faults = [
		...(produced === 0 ? ["no device took a reading"] : []),
		...(missing > 0 ? [`${digits(missing)} readings are unaccounted for`] : []),
		...(missing < 0 ? [`${digits(-missing)} readings too many`] : []),
		...(acked > durable ? [`${digits(acked - durable)} readings were acknowledged and are not durable`] : []),
		...(durable > acked + buffered + lost
			? [`${digits(durable - acked - buffered - lost)} durable readings that no device sent`]
			: []),
	];
	const sums =
		`${digits(produced)} taken = ${digits(acked)} acknowledged + ${digits(buffered)} held + ${digits(lost)} lost by ` +
		`devices; ${digits(durable)} durable`;
	return {
		name: "ledger",
		holds: faults.length === 0,
		message: faults.length === 0 ? sums : `${faults.join(", ")} (${sums})`,
	};
}

function onceOnly(measured: Measurement): LiveAssertion {
	const duplicates = sumOf(measured, ({ sink }) => sink.duplicates);
	return {
		name: "exactly-once",
		holds: duplicates === 0,
		message: `${digits(duplicates)} readings were stored twice`,
	};
}

function generator({ fleet }: Measurement): LiveAssertion {
	const { p99, max } = fleet.lagMicros;
	const found = `devices sent ${millis(p99)} ms late at p99, ${millis(max)} ms at most`;
	const holds = p99 <= LATE_MICROS_MAX;
	const advice = `the generator was saturated, its load is not the scenario's: fewer devices, or a lower --speed (${found})`;
	return { name: "generator-keeps-up", holds, message: holds ? found : advice };
}

function millis(micros: number): string {
	return (micros / 1_000).toFixed(1);
}

function digits(value: number): string {
	return value.toLocaleString("en-US");
}
