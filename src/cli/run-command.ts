import { availableParallelism } from "node:os";
import type { ResultsFile, RunRecord } from "../record/run-record.js";
import { EXIT, type ExitCode } from "./exit-codes.js";
import { hostFacts, usableMemoryBytes } from "./host-facts.js";
import { poolSize } from "./memory-need.js";
import { nativeProblem } from "./native-problem.js";
import { probeOutFolder } from "./out-folder.js";
import { progressView } from "./progress.js";
import { publish } from "./publish.js";
import { type RunFlags, type RunRequest, readRunFlags } from "./run-flags.js";
import { planRun, type RunPlan } from "./run-plan.js";
import { type JobOutcome, runJobs } from "./run-pool.js";
import { StopSignals } from "./stop-signals.js";
import { refuse, say, warn } from "./talk.js";
import { toolFacts } from "./tool-facts.js";

/** `klais run`: simulates every scenario under every policy, writes the reports, judges. */
export async function runCommand(names: readonly string[], flags: RunFlags): Promise<ExitCode> {
	const request = readRunFlags(names, flags);
	if (!request.ok) {
		return refuse(request.error);
	}
	const plan = planRun(request.value);
	if (!plan.ok) {
		return refuse(plan.error);
	}
	const unfit = nativeProblem() ?? (await probeOutFolder(request.value.out, plan.value.jobs.length));
	if (unfit !== undefined) {
		return refuse([unfit]);
	}
	for (const warning of plan.value.warnings) {
		warn(warning);
	}
	return simulate(request.value, plan.value);
}

async function simulate(request: RunRequest, plan: RunPlan): Promise<ExitCode> {
	const facts = Promise.all([toolFacts(), hostFacts()]);
	const { size, warning } = poolSize({
		workers: request.workers,
		cores: availableParallelism(),
		jobs: plan.jobs.length,
		devices: Math.max(...plan.jobs.map(({ scenario }) => scenario.devices.count)),
		freeBytes: usableMemoryBytes(),
	});
	if (warning !== undefined) {
		warn(warning);
	}
	const view = progressView(process.stderr);
	const signals = new StopSignals(
		() => view.note("stopping: the figures so far will be written; once more to quit at once"),
		() => view.close(),
	);
	const outcomes = await runJobs(plan.jobs, size, signals.flag, view).finally(() => view.close());
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
		host,
		command: plan.command,
		partial: runs.length < plan.jobs.length || runs.some((run) => !run.complete),
		runs,
		bench: [],
		live: [],
	};
	const code = await publish(results, {
		...request,
		repeatOf: (run) => plan.jobs[jobOf(outcomes, run)]?.repeat,
	});
	signals.release();
	return signals.exitCode ?? (code === EXIT.passed && crashes > 0 ? EXIT.failed : code);
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
