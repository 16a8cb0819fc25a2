import type { Micros } from "../units/micros.js";
import type { Cohort, Outage } from "./scenario.js";

/** Most devices out at one moment, and the first moment at which they are. */
export interface OutagePeak {
	readonly devices: number;
	readonly atMicros: Micros;
}

/**
 * What an outage takes from a device: its power or its network. One device can lack both at once, but neither twice, so
 * the sums of cohorts are limited for each of the two.
 */
export const OUTAGE_TAKES = ["power", "network"] as const;
export type OutageTakes = (typeof OUTAGE_TAKES)[number];

/** The cohorts of the outages that take power, or network, from devices (those of gateways and brokers take neither). */
export function cohortsOf(outages: readonly Outage[], taken: OutageTakes): Cohort[] {
	return outages.flatMap((outage) => (takes(outage, taken) ? outage.cohorts : []));
}

/** Whether an outage takes just that. */
export function takes(
	outage: Outage,
	taken: OutageTakes,
): outage is Extract<Outage, { cohorts: readonly Cohort[] }> {
	return "cohorts" in outage && (outage.kind === "power") === (taken === "power");
}

/** When the last device of a cohort is back; infinity: not before the end. */
export function lastBackMicros({ backAtMicros, spreadMicros }: Cohort): number {
	return backAtMicros === null ? Number.POSITIVE_INFINITY : backAtMicros + spreadMicros;
}

/** The peak over all cohorts. A cohort counts whole until its last device is back; a return makes room at its own instant. */
export function outagePeak(cohorts: readonly Cohort[]): OutagePeak {
	const losses = [...cohorts].sort((a, b) => a.outAtMicros - b.outAtMicros);
	const returns = [...cohorts].sort((a, b) => compareTimes(lastBackMicros(a), lastBackMicros(b)));
	let out = 0;
	let returned = 0;
	let peak: OutagePeak = { devices: 0, atMicros: 0 as Micros };
	for (const loss of losses) {
		for (
			let next = returns[returned];
			next && lastBackMicros(next) <= loss.outAtMicros;
			next = returns[returned]
		) {
			out -= next.devices;
			returned += 1;
		}
		out += loss.devices;
		if (out > peak.devices) {
			peak = { devices: out, atMicros: loss.outAtMicros };
		}
	}
	return peak;
}

/** Infinity minus infinity is no number, so no subtraction. */
export function compareTimes(a: number, b: number): number {
	return a === b ? 0 : a < b ? -1 : 1;
}
