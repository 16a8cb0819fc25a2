import type { PolicyName, Scenario } from "../scenarios/scenario.js";
import type { ClusterOptions, FleetOptions } from "./native.js";
import { CHANGE_POWER, OutagePlan } from "./outage-plan.js";
import { bootMicros, planFacts } from "./plan-facts.js";
import { clusterOptions, fleetOptions, POLICIES } from "./policies.js";
import { sliceMicrosOf } from "./simulation.js";
import { Streams } from "./streams.js";

/** A device loses its power, or gets it back. */
interface PowerStep {
	readonly atMicros: number;
	readonly device: number;
	readonly on: boolean;
	/** From power on until the modem is attached; 0 at a loss. */
	readonly bootMicros: number;
}

/** A run's facts for whoever carries it out elsewhere: the same as those of a simulation of the same input. */
export interface LivePlan {
	readonly fleet: FleetOptions;
	readonly cluster: ClusterOptions;
	readonly powerChanges: () => Iterable<PowerStep>;
	readonly bound: {
		readonly startMicros: number;
		readonly endMicros: number | null;
		readonly epsilonReadings: number;
	};
}

/** Derives the facts of `scenario` under `policy`; of its outages it lists those of power alone. */
export function livePlan(scenario: Scenario, policy: PolicyName): LivePlan {
	const streams = new Streams(scenario.seed);
	const slice = sliceMicrosOf(scenario);
	const plan = new OutagePlan(scenario, slice, streams);
	const { startMicros, endMicros, epsilonReadings } = planFacts(scenario, plan, slice, streams).bound;
	return {
		fleet: fleetOptions(scenario, POLICIES[policy], streams),
		cluster: clusterOptions(scenario, POLICIES[policy], streams),
		powerChanges: () => powerSteps(scenario, plan, slice, streams),
		bound: { startMicros, endMicros, epsilonReadings },
	};
}

function* powerSteps(
	scenario: Scenario,
	plan: OutagePlan,
	sliceMicros: number,
	streams: Streams,
): Iterable<PowerStep> {
	for (const { slice, back, change, first, count } of plan.transitions) {
		const atMicros = slice * sliceMicros;
		for (let n = 0; n < count && change === CHANGE_POWER; n++) {
			const device = plan.deviceAt(first + n);
			const boot = back ? bootMicros(scenario, streams, device, atMicros) : 0;
			yield { atMicros, device, on: back, bootMicros: boot };
		}
	}
}
