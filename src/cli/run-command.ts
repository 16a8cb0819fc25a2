import { executePlan, onThisMachine } from "./execute-plan.js";
import type { ExitCode } from "./exit-codes.js";
import { nativeProblem } from "./native-problem.js";
import { probeOutFolder } from "./out-folder.js";
import { progressView } from "./progress.js";
import { type RunFlags, readRunFlags } from "./run-flags.js";
import { planRun } from "./run-plan.js";
import { planShard } from "./shard-plan.js";
import { refuse, warn } from "./talk.js";

const ON_STOP = "stopping: the figures so far will be written; once more to quit at once";

/** `klais run`: simulates every scenario under every policy, or a shard of them, writes the reports, judges. */
export async function runCommand(names: readonly string[], flags: RunFlags): Promise<ExitCode> {
	const request = readRunFlags(names, flags);
	if (!request.ok) {
		return refuse(request.error);
	}
	const { out, reporters, workers, shard } = request.value;
	const whole = planRun(request.value);
	if (!whole.ok) {
		return refuse(whole.error);
	}
	const plan = await planShard(whole.value, shard);
	if (!plan.ok) {
		return refuse([plan.error]);
	}
	const unfit = nativeProblem() ?? (await probeOutFolder(out, plan.value.jobs.length));
	if (unfit !== undefined) {
		return refuse([unfit]);
	}
	for (const warning of plan.value.warnings) {
		warn(warning);
	}
	const view = progressView(process.stderr);
	return executePlan(plan.value, onThisMachine(workers), { out, reporters, view, onStop: ON_STOP });
}
