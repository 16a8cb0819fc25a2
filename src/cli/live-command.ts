import { livePlan } from "../engine/live-plan.js";
import { runCompared } from "../live/comparison.js";
import { LiveFault } from "../live/live-fault.js";
import { liveRefusals, liveWarnings } from "../live/live-limits.js";
import type { LiveControl } from "../live/live-order.js";
import { machineRefusals } from "../live/machine.js";
import type { LiveRecord } from "../record/live-record.js";
import type { ResultsFile, RunRecord } from "../record/run-record.js";
import { EXIT, type ExitCode } from "./exit-codes.js";
import { hostFacts } from "./host-facts.js";
import { newProgress, readProgress, writeProgress } from "./job-order.js";
import { type LiveFlags, type LiveRequest, readLiveFlags } from "./live-flags.js";
import { nativeProblem } from "./native-problem.js";
import { programsFolder } from "./native-programs.js";
import { probeOutFolder } from "./out-folder.js";
import { pcapCommand } from "./pcap-command.js";
import { type ProgressView, progressView } from "./progress.js";
import { publish } from "./publish.js";
import { type Job, planRun } from "./run-plan.js";
import { runJobs } from "./run-pool.js";
import { shellCommand } from "./shell-command.js";
import { StopSignals } from "./stop-signals.js";
import { refuse, say, warn } from "./talk.js";
import { toolFacts } from "./tool-facts.js";

type ScenarioRequest = Extract<LiveRequest, { kind: "scenario" }>;

/** `klais live`: simulates a scenario for the prediction, then runs it as real packets, and writes both. */
export async function liveCommand(name: string | undefined, flags: LiveFlags): Promise<ExitCode> {
	const request = readLiveFlags(name, flags);
	if (!request.ok) {
		return refuse(request.error);
	}
	if (request.value.kind === "replay") {
		return pcapCommand(request.value);
	}
	const { run } = request.value;
	const plan = planRun(run);
	if (!plan.ok) {
		return refuse(plan.error);
	}
	const [job, other] = plan.value.jobs;
	if (job === undefined) {
		throw new Error("a live run has one job");
	}
	if (other !== undefined) {
		return refuse([
			{ kind: "usage", message: "a live run is of one scenario: expected its name, found a suite's" },
		]);
	}
	const refusals = [
		...liveRefusals(job.scenario, job.policy, request.value),
		...machineRefusals(programsFolder()),
	];
	if (refusals.length > 0) {
		return refuse(refusals);
	}
	const unfit = nativeProblem() ?? (await probeOutFolder(run.out, 1));
	if (unfit !== undefined) {
		return refuse([unfit]);
	}
	for (const warning of [...plan.value.warnings, ...liveWarnings(job.scenario, request.value.sink.kind)]) {
		warn(warning);
	}
	return carryOut(request.value, job);
}

async function carryOut(request: ScenarioRequest, job: Job): Promise<ExitCode> {
	const facts = Promise.all([toolFacts(), hostFacts()]);
	const view = progressView(process.stderr);
	const signals = new StopSignals(
		() => view.note("stopping: the figures so far will be written; once more to quit at once"),
		() => view.close(),
	);
	const outcome = await bothWorlds(request, job, signals, view).finally(() => view.close());
	const { prediction, live, fault } = outcome;
	if (fault?.stage === "setup") {
		const message = `the live run could not be set up: ${fault.message}${advice(request, fault)}`;
		return refuse([{ kind: "unsupported", message }]);
	}
	if (fault !== undefined) {
		say(`the live run broke: ${fault.message}`);
	}
	if (prediction === undefined) {
		say("nothing was recorded, so nothing is written");
		return signals.exitCode ?? EXIT.failed;
	}
	const [tool, host] = await facts;
	const results: ResultsFile = {
		schema: "klais.results/1",
		tool,
		host,
		command: commandOf(request, job),
		partial: !prediction.complete || live?.complete !== true,
		runs: [prediction],
		bench: [],
		live: live === undefined ? [] : [live],
	};
	const code = await publish(results, { ...request.run, repeatOf: () => job.repeat });
	signals.release();
	return signals.exitCode ?? (live === undefined && code === EXIT.passed ? EXIT.failed : code);
}

/** What to do where the filter cannot be attached. */
function advice({ xdp }: ScenarioRequest, { message }: LiveFault): string {
	return xdp !== "off" && /xdp|bpf|attach/i.test(message) ? " (--xdp generic or --xdp off may work)" : "";
}

/** What came of the two runs; each may be missing, the live one with or without a fault. */
interface Outcome {
	readonly prediction?: RunRecord;
	readonly live?: LiveRecord;
	readonly fault?: LiveFault;
}

async function bothWorlds(
	request: ScenarioRequest,
	job: Job,
	signals: StopSignals,
	view: ProgressView,
): Promise<Outcome> {
	const prediction = await predict(job, signals, view);
	// Without a whole prediction, a live run has nothing to be held against.
	if (prediction === undefined || signals.exitCode !== undefined) {
		return prediction === undefined ? {} : { prediction };
	}
	const liveJob = { ...job, label: `${job.label}, live` };
	try {
		const live = await goLive(request, liveJob, prediction, signals, view);
		view.finish(liveJob, `${liveJob.label}: ${live.complete ? "done" : "stopped"}`);
		return { prediction, live };
	} catch (error) {
		if (error instanceof LiveFault) {
			return { prediction, fault: error };
		}
		throw error;
	}
}

async function predict(job: Job, signals: StopSignals, view: ProgressView): Promise<RunRecord | undefined> {
	const [outcome] = await runJobs([job], 1, signals.flag, view);
	if (outcome?.kind === "crashed") {
		say(`${job.label} crashed, which is a fault of klais: ${outcome.reason}`);
		say(`  repeat it with: ${job.repeat}`);
	}
	return outcome?.kind === "recorded" ? outcome.record : undefined;
}

async function goLive(
	{ speed, xdp, flood, sink, faults, compare }: ScenarioRequest,
	liveJob: Job,
	prediction: RunRecord,
	signals: StopSignals,
	view: ProgressView,
): Promise<LiveRecord> {
	const { scenario, policy } = liveJob;
	const plan = livePlan(scenario, policy);
	const shared = newProgress();
	const control: LiveControl = {
		say: (text) => view.note(text),
		progress: (atMicros, events) => writeProgress(shared, { atMicros, events }),
		stopped: () => signals.exitCode !== undefined,
	};
	view.started(liveJob, () => readProgress(shared));
	const asked = { scenario, policy, speed, xdp, sink, faults, compare };
	const order = { ...asked, programs: programsFolder(), plan, prediction };
	return runCompared(flood === undefined ? order : { ...order, flood }, control);
}

/** The command that repeats both runs. */
function commandOf(
	{ run, speed, xdp, flood, sink, faults, compare }: ScenarioRequest,
	{ scenario, policy }: Job,
): string {
	const { devices, set = [], calibration } = run.overrides;
	return shellCommand([
		"klais",
		"live",
		...run.names,
		...["--policy", policy, "--seed", scenario.seed],
		...(devices === undefined ? [] : ["--devices", String(devices)]),
		...set.flatMap(([path, value]) => ["--set", `${path}=${value}`]),
		...(calibration === undefined ? [] : ["--calibration", calibration]),
		...(speed === 1 ? [] : ["--speed", String(speed)]),
		...(xdp === "native" ? [] : ["--xdp", xdp]),
		...(flood === undefined ? [] : ["--flood", flood === null ? "max" : String(flood)]),
		...(sink.kind === "mock" ? [] : ["--sink", sink.kind]),
		...(sink.kind === "kafka" && !sink.transactions ? ["--no-transactions"] : []),
		...faults.flatMap(({ text }) => ["--fault", text]),
		...(compare.length === 0 ? [] : ["--compare", compare.join(",")]),
	]);
}
