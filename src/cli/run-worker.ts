// The entry of a worker thread: simulates one job and posts its record.
import { performance } from "node:perf_hooks";
import { parentPort, workerData } from "node:worker_threads";
import { prepareHistograms } from "../engine/collector.js";
import { Simulation } from "../engine/simulation.js";
import type { RunRecord } from "../record/run-record.js";
import { type JobOrder, writeProgress } from "./job-order.js";

async function simulate({ scenario, policy, stop, progress }: JobOrder): Promise<RunRecord> {
	await prepareHistograms();
	const started = performance.now();
	const elapsedSeconds = () => (performance.now() - started) / 1_000;
	const simulation = new Simulation(scenario, policy);
	const setup = elapsedSeconds();
	let simulated = setup;
	const control = {
		progress: (atMicros: number, events: number) => writeProgress(progress, { atMicros, events }),
		stopped: () => Atomics.load(stop, 0) !== 0,
	};
	const record = simulation.run(control, () => {
		simulated = elapsedSeconds();
		return simulated;
	});
	const phases = { ...record.wall.phases, setup, simulate: simulated - setup };
	return { ...record, wall: { ...record.wall, phases } };
}

parentPort?.postMessage(await simulate(workerData as JobOrder));
