import type { LiveFaultRow } from "../record/live-record.js";
import type { FleetReport } from "./fleet-report.js";
import type { FloodReport } from "./flood.js";
import type { GatewayStats } from "./gateway-stats.js";
import type { Tally } from "./witness/tally.js";

/** What a gateway's process had counted when the run began, and at its end, or just before it was killed. */
export interface GatewayMeasurement {
	/** Its number; in words, if it is not the first process under it. */
	readonly name: string;
	/** null: it began in mid-run, from nothing. */
	readonly before: GatewayStats | null;
	readonly after: GatewayStats;
}

/** What the witness found in Kafka, and what was done meanwhile. */
export interface KafkaMeasurement {
	readonly tally: Tally;
	readonly faults: readonly LiveFaultRow[];
	/** Ends of transactions that were held back. */
	readonly endsHeld: number;
}

/** Everything that a live run measured. */
export interface Measurement {
	readonly fleet: FleetReport;
	readonly gateways: readonly GatewayMeasurement[];
	readonly flood?: FloodReport;
	/** Where the sink was Kafka. */
	readonly kafka?: KafkaMeasurement;
	/** From the run's origin to the end of the fleet. */
	readonly wallSeconds: number;
}

/** A figure of every gateway, added up. */
export function sumOf({ gateways }: Measurement, of: (stats: GatewayStats) => number): number {
	return gateways.reduce((sum, { after }) => sum + of(after), 0);
}

/** Distinct readings that are stored: what the witness found, or what mock sinks hold, which count every copy. */
export function durableOf(measured: Measurement): number {
	return measured.kafka?.tally.stored ?? sumOf(measured, ({ sink }) => sink.readings - sink.duplicates);
}

/** Readings that are stored more than once, and such as came after a later one of their lane. */
export function faultsOf(measured: Measurement): { readonly twice: number; readonly outOfOrder: number } {
	return {
		twice: measured.kafka?.tally.twice ?? sumOf(measured, ({ sink }) => sink.duplicates),
		outOfOrder: measured.kafka?.tally.outOfOrder ?? sumOf(measured, ({ sink }) => sink.reordered),
	};
}

/** Counters of every gateway, added up by name, largest first. */
export function totalsOf(
	{ gateways }: Measurement,
	of: (stats: GatewayStats) => Readonly<Record<string, number>>,
): ReadonlyMap<string, number> {
	const totals = new Map<string, number>();
	for (const { after } of gateways) {
		for (const [name, count] of Object.entries(of(after))) {
			totals.set(name, (totals.get(name) ?? 0) + count);
		}
	}
	return new Map([...totals].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)));
}
