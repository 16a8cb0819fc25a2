import { performance } from "node:perf_hooks";
import { prepareHistograms } from "../engine/collector.js";
import { Simulation } from "../engine/simulation.js";
import type { RunRecord } from "../record/run-record.js";
import type { PolicyName, Scenario } from "../scenarios/scenario.js";

/** How whoever simulates is told to stop, and tells how far it is. */
export interface JobControl {
	progress(atMicros: number, events: number): void;
	stopped(): boolean;
}

/** Simulates one job to its end, or until it is told to stop. Throws on bugs only. */
export async function simulateJob(
	scenario: Scenario,
	policy: PolicyName,
	control: JobControl,
): Promise<RunRecord> {
	await prepareHistograms();
	const started = performance.now();
	const elapsedSeconds = () => (performance.now() - started) / 1_000;
	const simulation = new Simulation(scenario, policy);
	const setup = elapsedSeconds();
	let simulated = setup;
	const record = simulation.run(control, () => {
		simulated = elapsedSeconds();
		return simulated;
	});
	const phases = { ...record.wall.phases, setup, simulate: simulated - setup };
	return { ...record, wall: { ...record.wall, phases } };
}
