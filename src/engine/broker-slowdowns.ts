import type { Outage } from "../scenarios/scenario.js";
import type { Interval } from "./gateway-plan.js";

/** A time during which all nodes of the broker work at a part of their speed. */
export interface Slowdown extends Interval {
	/** Above 0, at most 1. */
	readonly factor: number;
}

/** The slowdowns of a scenario. Those that overlap multiply. */
export function brokerSlowdowns(outages: readonly Outage[]): Slowdown[] {
	return outages.flatMap((outage) =>
		outage.kind === "broker-slow"
			? [{ from: outage.outAtMicros, to: outage.backAtMicros, factor: outage.factor }]
			: [],
	);
}

/** The part of its speed that the broker works at, and until when at least. */
export function speedAt(
	slowdowns: readonly Slowdown[],
	time: number,
): { readonly factor: number; readonly until: number } {
	let factor = 1;
	let until = Number.POSITIVE_INFINITY;
	for (const slowdown of slowdowns) {
		if (slowdown.from <= time && time < slowdown.to) {
			factor *= slowdown.factor;
			until = Math.min(until, slowdown.to);
		} else if (time < slowdown.from) {
			until = Math.min(until, slowdown.from);
		}
	}
	return { factor, until };
}

/** The part of its speed over a time, on average. */
export function meanSpeed(slowdowns: readonly Slowdown[], from: number, to: number): number {
	let sum = 0;
	let at = from;
	while (at < to) {
		const { factor, until } = speedAt(slowdowns, at);
		const end = Math.min(until, to);
		sum += factor * (end - at);
		at = end;
	}
	return to > from ? sum / (to - from) : speedAt(slowdowns, from).factor;
}
