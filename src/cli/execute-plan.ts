import { availableParallelism } from "node:os";
import { joinHosts } from "../record/join-hosts.js";
import type { Host, ResultsFile, RunRecord } from "../record/run-record.js";
import type { Reporter } from "../reports/report-files.js";
import { EXIT, type ExitCode } from "./exit-codes.js";
import { hostFacts, usableMemoryBytes } from "./host-facts.js";
import { jobIdentity } from "./job-identity.js";
import { poolSize } from "./memory-need.js";
import type { ProgressView } from "./progress.js";
import { publish } from "./publish.js";
import type { Job, RunPlan } from "./run-plan.js";
import { type JobOutcome, runJobs } from "./run-pool.js";
import { StopSignals } from "./stop-signals.js";
import { say, warn } from "./talk.js";
import { toolFacts } from "./tool-facts.js";

/** What the jobs of a plan came to, in the plan's order. */
export interface Executed {
	readonly outcomes: readonly JobOutcome[];
	/** The machines that ran them; left out: this one. */
	readonly hosts?: readonly Host[];
}

/** Runs the jobs of a plan. It ends early once `stop` is set. */
export type Executor = (plan: RunPlan, stop: Int32Array, view: ProgressView) => Promise<Executed>;

/** Where results go, as what, and who shows how far they are. */
export interface ExecuteOptions {
	readonly out: string;
	readonly reporters: ReadonlySet<Reporter>;
	readonly view: ProgressView;
	/** What a first Ctrl-C leads to, in words. */
	readonly onStop: string;
}

/** Runs a plan, writes its record and reports, and judges it. */
export async function executePlan(
	plan: RunPlan,
	execute: Executor,
	options: ExecuteOptions,
): Promise<ExitCode> {
	const { out, reporters, view, onStop } = options;
	const facts = Promise.all([toolFacts(), hostFacts()]);
	const signals = new StopSignals(
		() => view.note(onStop),
		() => view.close(),
	);
	const executed = await execute(plan, signals.flag, view).finally(() => view.close());
	const { hosts } = executed;
	const outcomes = executed.outcomes.map((outcome, index) => described(outcome, plan.jobs[index]));
	const crashes = reportCrashes(plan, outcomes);
	const runs = outcomes.flatMap((outcome) => (outcome.kind === "recorded" ? [outcome.record] : []));
	if (runs.length === 0) {
		say("nothing was recorded, so nothing is written");
		return signals.exitCode ?? EXIT.failed;
	}
	const [tool, host] = await facts;
	const results: ResultsFile = {
		schema: "klais.results/1",
		tool,
		host: joinHosts(hosts === undefined || hosts.length === 0 ? [host] : hosts),
		command: plan.command,
		partial: runs.length < plan.jobs.length || runs.some((run) => !run.complete),
		runs,
		bench: [],
		live: [],
		...plan.sections,
	};
	const code = await publish(results, {
		out,
		reporters,
		repeatOf: (run) => plan.jobs[jobOf(outcomes, run)]?.repeat,
	});
	signals.release();
	return signals.exitCode ?? (code === EXIT.passed && crashes > 0 ? EXIT.failed : code);
}

/** Runs the jobs on the cores of this machine: as many at a time as `workers` says, or as cores and memory allow. */
export function onThisMachine(workers: number | undefined): Executor {
	return async (plan, stop, view) => {
		const { size, warning } = poolSize({
			workers,
			cores: availableParallelism(),
			jobs: plan.jobs.length,
			devices: Math.max(...plan.jobs.map(({ scenario }) => scenario.devices.count)),
			freeBytes: usableMemoryBytes(),
		});
		if (warning !== undefined) {
			warn(warning);
		}
		return { outcomes: await runJobs(plan.jobs, size, stop, view) };
	};
}

/** What the engine does not know, the run gets here, before its configuration: what its input was, and in a sweep its place. */
function described(outcome: JobOutcome, job: Job | undefined): JobOutcome {
	if (outcome.kind !== "recorded" || job === undefined) {
		return outcome;
	}
	const { scenario, policy, seed, devices, workers, ...rest } = outcome.record;
	const parameters = job.parameters === undefined ? {} : { parameters: job.parameters };
	const input = jobIdentity(job);
	return {
		kind: "recorded",
		record: { scenario, policy, seed, devices, workers, input, ...parameters, ...rest },
	};
}

/** Says which runs crashed, and how many there are. A crash is a fault of ours, or of a machine out of memory. */
function reportCrashes({ jobs }: RunPlan, outcomes: readonly JobOutcome[]): number {
	let crashes = 0;
	for (const [index, outcome] of outcomes.entries()) {
		const job = jobs[index];
		if (outcome.kind === "crashed" && job !== undefined) {
			crashes += 1;
			say(`${job.label} crashed, which is a fault of klais: ${outcome.reason}`);
			say(`  repeat it with: ${job.repeat}`);
		}
	}
	return crashes;
}

function jobOf(outcomes: readonly JobOutcome[], run: RunRecord): number {
	return outcomes.findIndex((outcome) => outcome.kind === "recorded" && outcome.record === run);
}
