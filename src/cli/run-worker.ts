// The entry of a worker thread: simulates one job and posts its record.
import { parentPort, workerData } from "node:worker_threads";
import { type JobOrder, writeProgress } from "./job-order.js";
import { simulateJob } from "./simulate-job.js";

const { scenario, policy, stop, progress } = workerData as JobOrder;
const record = await simulateJob(scenario, policy, {
	progress: (atMicros, events) => writeProgress(progress, { atMicros, events }),
	stopped: () => Atomics.load(stop, 0) !== 0,
});
parentPort?.postMessage(record);
