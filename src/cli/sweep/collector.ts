import { setTimeout as sleep } from "node:timers/promises";
import { Queue, QueueEvents, Job as QueueJob } from "bullmq";
import type { Host } from "../../record/run-record.js";
import type { Executed, Executor } from "../execute-plan.js";
import type { Job } from "../run-plan.js";
import type { JobOutcome } from "../run-pool.js";
import { endOf, type SweepQueue } from "./queue.js";
import { type JobPayload, jobId, packJob } from "./queue-jobs.js";
import type { SweepView } from "./view.js";

const POLL_MS = 200;
/** Events say at once what ends; this finds what they missed, and what a Redis that was emptied has lost. */
const RECONCILE_MS = 5_000;
/** Jobs added in one go. */
const CHUNK = 100;
/** A crash may be the machine's, out of memory for instance: another attempt, on another machine perhaps, will tell. */
const ATTEMPTS = 2;
const RETRY_MS = 1_000;
const FAILURE_SECONDS = 86_400;
/** How long whoever stops waits for a Redis, which may be gone, before the figures so far are written. */
const GRACE_MS = 5_000;
/** When to say that nobody works. */
const PATIENCE_MS = 10_000;

/** A run that the sweep waits for. Combinations that mean the same share one. */
interface Wanted {
	readonly job: Job;
	/** Positions in the plan. */
	readonly places: number[];
}

/** Has the jobs of a plan done by the workers of a queue. `again`: also those whose records are there already. */
export function onQueue(queue: SweepQueue, view: SweepView, again: boolean): Executor {
	return async ({ jobs }, stop) => {
		const collector = new Collector(queue, view, jobs);
		try {
			await Promise.race([collector.collect(stop, again), stoppedFor(stop, GRACE_MS)]);
			return collector.executed();
		} finally {
			await collector.close();
		}
	};
}

/** Resolves when the user has wanted to stop for so long. */
async function stoppedFor(stop: Int32Array, graceMs: number): Promise<void> {
	while (Atomics.load(stop, 0) === 0) {
		await sleep(POLL_MS, undefined, { ref: false });
	}
	await sleep(graceMs, undefined, { ref: false });
}

class Collector {
	readonly #jobs: Queue<JobPayload>;
	readonly #events: QueueEvents;
	readonly #wanted = new Map<string, Wanted>();
	readonly #pending: Set<string>;
	/** What events say has ended. */
	readonly #ended = new Set<string>();
	readonly #outcomes: JobOutcome[];
	readonly #hosts = new Map<string, Host>();
	#saidNobody = false;

	constructor(
		private readonly queue: SweepQueue,
		private readonly view: SweepView,
		jobs: readonly Job[],
	) {
		const { name, options, build } = queue;
		this.#jobs = new Queue(name, options);
		this.#events = new QueueEvents(name, options);
		// The connection itself tells of its troubles, once.
		this.#jobs.on("error", () => undefined);
		this.#events.on("error", () => undefined);
		for (const event of ["completed", "failed"] as const) {
			this.#events.on(event, ({ jobId: id }: { jobId: string }) => this.#ended.add(id));
		}
		this.#outcomes = jobs.map(() => ({ kind: "skipped" }));
		for (const [place, job] of jobs.entries()) {
			const id = jobId(job, build);
			const known = this.#wanted.get(id);
			if (known === undefined) {
				this.#wanted.set(id, { job, places: [place] });
			} else {
				known.places.push(place);
			}
		}
		this.#pending = new Set(this.#wanted.keys());
	}

	async collect(stop: Int32Array, again: boolean): Promise<void> {
		// Listens before anything is asked for.
		await this.#events.waitUntilReady();
		await this.#clear(again);
		const started = performance.now();
		let reconcileAt = 0;
		while (this.#pending.size > 0 && Atomics.load(stop, 0) === 0) {
			if (performance.now() >= reconcileAt) {
				await this.#reconcile();
				await this.#tellWhoWorks(performance.now() - started);
				reconcileAt = performance.now() + RECONCILE_MS;
			}
			const ended = [...this.#ended].filter((id) => this.#pending.has(id));
			this.#ended.clear();
			for (const id of ended) {
				await this.#settle(id);
			}
			if (this.#pending.size > 0) {
				await sleep(POLL_MS);
			}
		}
		await this.#takeDelivered();
		await this.#heedConflicts();
		// What nobody has begun is taken back; what is under way ends, and its record waits for the next time.
		await Promise.all([...this.#pending].map((id) => this.#jobs.remove(id).catch(() => 0)));
	}

	executed(): Executed {
		return { outcomes: this.#outcomes, hosts: [...this.#hosts.values()] };
	}

	async close(): Promise<void> {
		await endOf(Promise.all([this.#events.close(), this.#jobs.close()]));
	}

	/** Failures of an earlier time are tried again, and with `again` everything is. */
	async #clear(again: boolean): Promise<void> {
		const ids = [...this.#pending];
		if (again) {
			await this.queue.forget(ids);
		}
		const states = await this.#statesOf(ids);
		const failed = ids.filter((id) => states.get(id) === "failed");
		await Promise.all(failed.map((id) => this.#jobs.remove(id)));
		const known = await this.queue.delivered(ids);
		if (known.size > 0) {
			this.view.note(
				`${known.size.toLocaleString("en-US")} of them were done before (--again does them again)`,
			);
		}
	}

	/** Takes what is there, and adds what the queue does not know: all of it at first, and what a lost Redis has forgotten. */
	async #reconcile(): Promise<void> {
		await this.#takeDelivered();
		const ids = [...this.#pending];
		const states = await this.#statesOf(ids);
		for (const id of ids) {
			if (states.get(id) === "failed") {
				await this.#settle(id);
			}
		}
		await this.#add(ids.filter((id) => states.get(id) === "unknown"));
	}

	async #takeDelivered(): Promise<void> {
		for (const id of await this.queue.delivered([...this.#pending])) {
			await this.#settle(id);
		}
	}

	async #statesOf(ids: readonly string[]): Promise<Map<string, string>> {
		const states = await Promise.all(ids.map((id) => this.#jobs.getJobState(id)));
		return new Map(ids.map((id, index) => [id, states[index] ?? "unknown"]));
	}

	async #add(ids: readonly string[]): Promise<void> {
		for (let from = 0; from < ids.length; from += CHUNK) {
			const chunk = ids.slice(from, from + CHUNK);
			const bulk = chunk.map(async (id) => ({
				name: "run",
				data: await packJob((this.#wanted.get(id) as Wanted).job),
				opts: {
					jobId: id,
					attempts: ATTEMPTS,
					backoff: { type: "fixed", delay: RETRY_MS },
					// The record lies on its shelf.
					removeOnComplete: true,
					removeOnFail: { age: FAILURE_SECONDS },
				},
			}));
			await this.#jobs.addBulk(await Promise.all(bulk));
		}
	}

	/** Notes how a run ended. One that has neither record nor failure goes on, in another attempt for instance. */
	async #settle(id: string): Promise<void> {
		const delivery = await this.queue.take(id);
		if (delivery !== undefined) {
			const { record, host } = delivery;
			this.#hosts.set(JSON.stringify(host), host);
			this.#end(id, { kind: "recorded", record });
			return;
		}
		const failed = await QueueJob.fromId(this.#jobs, id);
		if (failed !== undefined && (await failed.isFailed())) {
			this.#end(id, { kind: "crashed", reason: failed.failedReason });
		}
	}

	#end(id: string, outcome: JobOutcome): void {
		this.#pending.delete(id);
		const { job, places } = this.#wanted.get(id) as Wanted;
		for (const place of places) {
			this.#outcomes[place] = outcome;
			this.view.ended(job, outcome);
		}
	}

	/** A run whose attempts contradict each other has no record that one could believe. */
	async #heedConflicts(): Promise<void> {
		for (const [id, reason] of await this.queue.conflicts([...this.#wanted.keys()])) {
			for (const place of (this.#wanted.get(id) as Wanted).places) {
				this.#outcomes[place] = { kind: "crashed", reason };
			}
		}
	}

	async #tellWhoWorks(waitedMs: number): Promise<void> {
		const working = await this.#jobs.getActiveCount();
		this.view.atWork(working);
		if (working > 0 || waitedMs < PATIENCE_MS || this.#saidNobody || this.#pending.size === 0) {
			return;
		}
		const { build, shownUrl } = this.queue;
		// A Redis that does not list its clients leaves the count at 0.
		if ((await this.#jobs.getWorkersCount().catch(() => 0)) === 0) {
			this.#saidNobody = true;
			const command = `klais sweep --worker --queue ${shownUrl}`;
			this.view.note(`nobody works at this queue yet; on any machine with klais ${build}: ${command}`);
		}
	}
}
