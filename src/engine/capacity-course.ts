import type { Broker, Outage } from "../scenarios/scenario.js";
import { brokerSlowdowns, speedAt } from "./broker-slowdowns.js";

interface Loss {
	readonly nodes: number;
	readonly outAtMicros: number;
	readonly backAtMicros: number;
}

/**
 * What the broker takes, as the scenario has it: pairs of a time in microseconds and readings per second from then on. It is
 * the truth, for the policy `oracle` alone.
 */
export function capacityCourse(broker: Broker, outages: readonly Outage[]): number[] {
	const losses = outages.flatMap((outage): Loss[] => {
		if (outage.kind === "broker") {
			return [{ ...outage, nodes: broker.nodes }];
		}
		return outage.kind === "leader-loss" ? [outage] : [];
	});
	const slowdowns = brokerSlowdowns(outages);
	const times = [
		0,
		...losses.flatMap(({ outAtMicros, backAtMicros }) => [outAtMicros, backAtMicros]),
		...slowdowns.flatMap(({ from, to }) => [from, to]),
	];
	return [...new Set<number>(times)]
		.sort((x, y) => x - y)
		.flatMap((time) => {
			const away = losses
				.filter(({ outAtMicros, backAtMicros }) => outAtMicros <= time && time < backAtMicros)
				.reduce((most, { nodes }) => Math.max(most, nodes), 0);
			const share = Math.max(0, 1 - away / broker.nodes) * speedAt(slowdowns, time).factor;
			return [time, Math.floor(broker.capacityPerSecond * share)];
		});
}
