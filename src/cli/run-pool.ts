import { Worker } from "node:worker_threads";
import type { RunRecord } from "../record/run-record.js";
import { type JobOrder, type JobProgress, newProgress, readProgress } from "./job-order.js";
import type { Job } from "./run-plan.js";

/** How a job ended. */
export type JobOutcome =
	| { readonly kind: "recorded"; readonly record: RunRecord }
	/** A bug: the worker threw, ran out of memory or went away. */
	| { readonly kind: "crashed"; readonly reason: string }
	/** The user stopped before its turn came. */
	| { readonly kind: "skipped" };

/** Is told what the pool does. */
export interface PoolWatcher {
	started(job: Job, progress: () => JobProgress): void;
	ended(job: Job, outcome: JobOutcome): void;
}

/**
 * Runs every job, each in a worker thread of its own, at most `size` at a time. Outcomes are in the order of the jobs,
 * whatever ends first. After a crash the others go on; once `stop` is set, those under way end early and the rest is skipped.
 */
export async function runJobs(
	jobs: readonly Job[],
	size: number,
	stop: Int32Array,
	watcher: PoolWatcher,
): Promise<readonly JobOutcome[]> {
	const outcomes: JobOutcome[] = jobs.map(() => ({ kind: "skipped" }));
	const waiting = jobs.entries();
	const takeTurns = async () => {
		for (const [index, job] of waiting) {
			if (Atomics.load(stop, 0) !== 0) {
				return;
			}
			const progress = newProgress();
			watcher.started(job, () => readProgress(progress));
			const outcome = await runJob({ scenario: job.scenario, policy: job.policy, stop, progress });
			outcomes[index] = outcome;
			watcher.ended(job, outcome);
		}
	};
	await Promise.all(Array.from({ length: Math.min(size, jobs.length) }, takeTurns));
	return outcomes;
}

function runJob(order: JobOrder): Promise<JobOutcome> {
	return new Promise((resolve) => {
		// A thread a job: when it ends, all of its memory goes, native and WebAssembly alike.
		const worker = new Worker(new URL("./run-worker.js", import.meta.url), { workerData: order });
		let outcome: JobOutcome | undefined;
		worker.once("message", (record: RunRecord) => {
			outcome = { kind: "recorded", record };
		});
		worker.once("error", (error) => {
			outcome = { kind: "crashed", reason: reasonOf(error) };
		});
		worker.once("exit", (code) => {
			resolve(outcome ?? { kind: "crashed", reason: `the worker ended with code ${code} and no record` });
		});
	});
}

function reasonOf(error: unknown): string {
	return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
