import { type Executor, executePlan, onThisMachine } from "../execute-plan.js";
import type { ExitCode } from "../exit-codes.js";
import { nativeProblem } from "../native-problem.js";
import { probeOutFolder } from "../out-folder.js";
import { planShard } from "../shard-plan.js";
import { refuse, warn } from "../talk.js";
import { readSweepFlags, type SweepFlags, type SweepRequest } from "./flags.js";
import { planSweep } from "./plan.js";
import type { SweepQueue } from "./queue.js";
import { SweepView } from "./view.js";

const ON_STOP = "stopping: the figures so far will be written; once more to quit at once";
const ON_STOP_QUEUE =
	"stopping: the figures so far will be written. Runs under way end, and the same command finds them done";

/** `klais sweep`: simulates a grid of parameters, here or by the workers of a queue, or is such a worker. */
export async function sweepCommand(file: string | undefined, flags: SweepFlags): Promise<ExitCode> {
	const request = readSweepFlags(file, flags);
	if (!request.ok) {
		return refuse(request.error);
	}
	if (request.value.kind === "worker") {
		const { workerCommand } = await import("./worker-command.js");
		return workerCommand(request.value);
	}
	return sweep(request.value);
}

async function sweep(request: SweepRequest): Promise<ExitCode> {
	const { out, reporters, workers } = request;
	const whole = planSweep(request.file, request.calibration);
	if (!whole.ok) {
		return refuse(whole.error);
	}
	const plan = await planShard(whole.value, request.shard);
	if (!plan.ok) {
		return refuse([plan.error]);
	}
	const here = request.queue === undefined;
	const unfit = (here ? nativeProblem() : undefined) ?? (await probeOutFolder(out, plan.value.jobs.length));
	if (unfit !== undefined) {
		return refuse([unfit]);
	}
	for (const warning of plan.value.warnings) {
		warn(warning);
	}
	const view = new SweepView(process.stderr, plan.value.jobs.length);
	const options = { out, reporters, view };
	if (request.queue === undefined) {
		return executePlan(plan.value, onThisMachine(workers), { ...options, onStop: ON_STOP });
	}
	const [{ SweepQueue: Queues, leave }, { onQueue }] = await Promise.all([
		import("./queue.js"),
		import("./collector.js"),
	]);
	const queue = await Queues.open(request.queue, (text) => view.note(text));
	if (!queue.ok) {
		view.close();
		return refuse([queue.error]);
	}
	const execute = onQueue(queue.value, view, request.again);
	const code = await executePlan(plan.value, closing(execute, queue.value), {
		...options,
		onStop: ON_STOP_QUEUE,
	});
	leave(code);
	return code;
}

/** The same, and then the connection ends: the reports need none. */
function closing(execute: Executor, queue: SweepQueue): Executor {
	return async (...args) => execute(...args).finally(() => queue.close());
}
