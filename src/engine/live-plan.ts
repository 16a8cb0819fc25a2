import type { PolicyName, Scenario } from "../scenarios/scenario.js";
import { type ClusterOptions, createFleet, type FleetOptions } from "./native.js";
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
	/** Of each device's reports; readings are on the same grid. */
	readonly phasesMicros: () => Float64Array;
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
	const fleet = fleetOptions(scenario, POLICIES[policy], streams);
	return {
		fleet,
		cluster: clusterOptions(scenario, POLICIES[policy], streams),
		powerChanges: () => powerSteps(scenario, plan, slice, streams),
		phasesMicros: () => phasesOf(fleet),
		bound: { startMicros, endMicros, epsilonReadings },
	};
}

/** The library has them, and nobody else. */
function phasesOf(options: FleetOptions): Float64Array {
	const fleet = createFleet(options);
	const phases = new Float64Array(options.devices);
	fleet.phases(0, phases);
	fleet.dispose();
	return phases;
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
