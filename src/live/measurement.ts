import type { FleetReport } from "./fleet-report.js";
import type { FloodReport } from "./flood.js";
import type { GatewayStats } from "./gateway-stats.js";

/** What a gateway had counted when the run began, and at its end. */
export interface GatewayMeasurement {
	readonly before: GatewayStats;
	readonly after: GatewayStats;
}

/** Everything that a live run measured. */
export interface Measurement {
	readonly fleet: FleetReport;
	readonly gateways: readonly GatewayMeasurement[];
	readonly flood?: FloodReport;
	/** From the run's origin to the end of the fleet. */
	readonly wallSeconds: number;
}

/** A figure of every gateway, added up. */
export function sumOf({ gateways }: Measurement, of: (stats: GatewayStats) => number): number {
	return gateways.reduce((sum, { after }) => sum + of(after), 0);
}

/** Distinct readings that the sinks hold; they count every copy. */
export function durableOf(measured: Measurement): number {
	return sumOf(measured, ({ sink }) => sink.readings - sink.duplicates);
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
