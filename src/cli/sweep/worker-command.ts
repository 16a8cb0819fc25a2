import { availableParallelism } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { type Job as QueueJob, UnrecoverableError, Worker } from "bullmq";
import type { Host } from "../../record/run-record.js";
import { formatSeconds } from "../../reports/format.js";
import { EXIT, type ExitCode } from "../exit-codes.js";
import { hostFacts, usableMemoryBytes } from "../host-facts.js";
import { runBytes } from "../memory-need.js";
import { nativeProblem } from "../native-problem.js";
import { StopSignals } from "../stop-signals.js";
import { refuse, say } from "../talk.js";
import type { WorkerRequest } from "./flags.js";
import { simulateInChild } from "./in-child.js";
import { MemoryGate } from "./memory-gate.js";
import { DigestConflict, endOf, leave, SweepQueue } from "./queue.js";
import { type JobPayload, type UnpackedJob, unpackJob } from "./queue-jobs.js";

/** A lock that is not renewed for so long belongs to a worker that is gone. It is renewed twice as often. */
const LOCK_MS = 10_000;
/** How often workers look for such locks. */
const STALLED_CHECK_MS = 3_000;
/** A job that has taken so many workers with it does not get another one. */
const STALLED_MAX = 10;
const POLL_MS = 200;

/** `klais sweep --worker`: does the jobs of a queue until it is stopped, or has been idle for as long as it was told. */
export async function workerCommand({ url, workers, idleMs }: WorkerRequest): Promise<ExitCode> {
	const unfit = nativeProblem();
	if (unfit !== undefined) {
		return refuse([unfit]);
	}
	const signals = new StopSignals(
		() => say("stopping after the runs under way; once more to leave them to others"),
		() => undefined,
	);
	const opened = await SweepQueue.open(url, say);
	if (!opened.ok) {
		return refuse([opened.error]);
	}
	const queue = opened.value;
	const host = await hostFacts();
	const desk = new Desk(queue, host);
	const concurrency = workers ?? availableParallelism();
	say(`working for klais ${queue.build} at ${queue.shownUrl}, ${concurrency} at a time`);
	const worker = new Worker<JobPayload>(queue.name, (job) => desk.work(job), {
		...queue.options,
		concurrency,
		lockDuration: LOCK_MS,
		stalledInterval: STALLED_CHECK_MS,
		maxStalledCount: STALLED_MAX,
	});
	worker.on("error", () => undefined);
	while (Atomics.load(signals.flag, 0) === 0 && desk.idleForMs() < idleMs) {
		await sleep(POLL_MS);
	}
	// No further jobs; those under way are waited for below, Redis or no Redis.
	await endOf(worker.pause(true));
	await desk.allDone();
	await endOf(worker.close());
	await endOf(queue.close());
	signals.release();
	const code = signals.exitCode ?? EXIT.passed;
	leave(code);
	return code;
}

/** Where one worker's jobs are done. */
class Desk {
	readonly #gate = new MemoryGate(usableMemoryBytes());
	#atWork = 0;
	#idleSince = performance.now();

	constructor(
		private readonly queue: SweepQueue,
		private readonly host: Host,
	) {}

	idleForMs(): number {
		return this.#atWork > 0 ? 0 : performance.now() - this.#idleSince;
	}

	/** Resolves once nothing is under way. */
	async allDone(): Promise<void> {
		while (this.#atWork > 0) {
			await sleep(POLL_MS);
		}
	}

	async work(queued: QueueJob<JobPayload>): Promise<void> {
		this.#atWork += 1;
		try {
			await this.#simulate(queued.id ?? "", await unpackJob(queued.data));
		} catch (error) {
			say(`${queued.data.label}: ${error instanceof Error ? error.message : error}`);
			// Another attempt would not make two digests one.
			throw error instanceof DigestConflict ? new UnrecoverableError(error.message) : error;
		} finally {
			this.#atWork -= 1;
			this.#idleSince = performance.now();
		}
	}

	async #simulate(id: string, { scenario, policy, label }: UnpackedJob): Promise<void> {
		const need = runBytes(scenario.devices.count);
		const record = await this.#gate.within(need, () => simulateInChild({ scenario, policy }));
		await this.queue.deliver(id, { record, host: this.host });
		say(`${label}: done in ${formatSeconds(record.wall.seconds)}`);
	}
}
