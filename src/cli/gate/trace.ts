import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import type { ChangedRun, ExactResult } from "../../gate/exact/compare.js";
import type { PlaneReport } from "../../gate/gate-report.js";
import { runProgram } from "../../gate/process.js";
import { loadScenario, type ScenarioOverrides } from "../../scenarios/load-scenario.js";
import type { Setting } from "../../scenarios/overrides.js";
import { err, ok, type Result } from "../../units/result.js";
import { say } from "../talk.js";
import { shellWords } from "./shell-words.js";
import { firstDifference } from "./trace-difference.js";
import { CHECKPOINT_CALLS, type TraceCall, type TraceHashes, type TraceTask } from "./trace-task.js";

const TRACE_SECONDS_MAX = 7_200;
const CHILD = fileURLToPath(new URL("./trace-child.js", import.meta.url));

/** A run as both builds can repeat it. */
type Task = Omit<TraceTask, "tree" | "want">;

/** Adds to a report where each changed run parts from its base. `command`: the one that made the candidate's record. */
export async function traceChanged(
	{ report, changed }: ExactResult,
	command: string,
	baseFolder: string,
	candidateFolder: string,
	stop: AbortSignal,
): Promise<PlaneReport> {
	const found = new Map<string, string>();
	for (const one of changed) {
		say(`${one.name}: looking for the first event that differs`);
		const task = taskOf(one, command);
		const trace = task.ok ? await parting(task.value, one, baseFolder, candidateFolder, stop) : task;
		found.set(
			one.name,
			trace.ok ? `first difference: ${trace.value}` : `no first difference found: ${trace.error}`,
		);
	}
	const judged = report.judged.map((one) => {
		const line = found.get(one.name);
		return line === undefined ? one : { ...one, details: [line, ...one.details] };
	});
	return { ...report, judged };
}

/** What the command of a record says about one of its runs. */
function taskOf({ pair }: ChangedRun, command: string): Result<Task, string> {
	const [program, verb, ...words] = shellWords(command);
	if (program !== "klais" || verb !== "run" || pair.candidate.parameters !== undefined) {
		return err(
			`the record was made by ${JSON.stringify(command)}, and only runs of klais run can be repeated`,
		);
	}
	const many = { type: "string", multiple: true } as const;
	const one = { type: "string" } as const;
	const options = { policy: many, seed: one, devices: one, set: many, calibration: one };
	const { values, positionals } = parseArgs({ args: words, options, allowPositionals: true, strict: false });
	const set = ((values["set"] ?? []) as string[]).map((text): Setting => {
		const equals = text.indexOf("=");
		return [text.slice(0, equals), text.slice(equals + 1)];
	});
	const { calibration } = values;
	const overrides: ScenarioOverrides = {
		seed: pair.candidate.seed,
		set,
		...(values["devices"] === undefined ? {} : { devices: pair.candidate.devices }),
		...(typeof calibration === "string" ? { calibration: resolve(calibration) } : {}),
	};
	const names = positionals.map((name) => (/\.ya?ml$/.test(name) ? resolve(name) : name));
	const scenario = names.find((name) => {
		const loaded = loadScenario(name, overrides);
		return loaded.ok && loaded.value.name === pair.candidate.scenario;
	});
	return scenario === undefined
		? err(`${names.join(", ")} cannot be loaded here as ${pair.candidate.scenario}`)
		: ok({ scenario, overrides, policy: pair.candidate.policy });
}

/** Where two builds part: checkpoints first, then the calls between two of them, then one call. */
async function parting(
	task: Task,
	{ pair }: ChangedRun,
	baseFolder: string,
	candidateFolder: string,
	stop: AbortSignal,
): Promise<Result<string, string>> {
	const both = async <T>(want: TraceTask["want"]): Promise<Result<readonly [T, T], string>> => {
		const base = await trace<T>({ ...task, tree: baseFolder, want }, stop);
		const candidate = base.ok ? await trace<T>({ ...task, tree: candidateFolder, want }, stop) : base;
		return base.ok && candidate.ok ? ok([base.value, candidate.value]) : (candidate as Result<never, string>);
	};
	const whole = await both<TraceHashes>({ what: "checkpoints" });
	if (!whole.ok) {
		return whole;
	}
	const [before, after] = whole.value;
	for (const [traced, run, side] of [
		[before, pair.base, "base"],
		[after, pair.candidate, "candidate"],
	] as const) {
		if (traced.digest !== run.digest) {
			return err(`the ${side}'s build gives the digest ${traced.digest}, its record has ${run.digest}`);
		}
	}
	const checkpoint = firstApart(before.hashes, after.hashes);
	if (checkpoint === undefined) {
		return ok(
			"none in what world and modules exchange: the digests differ by timers that had no effect, or by their own code",
		);
	}
	const from = checkpoint * CHECKPOINT_CALLS;
	const calls = await both<TraceHashes>({ what: "calls", from, to: from + CHECKPOINT_CALLS });
	if (!calls.ok) {
		return calls;
	}
	const call = from + (firstApart(calls.value[0].hashes, calls.value[1].hashes) ?? 0);
	const records = await both<TraceCall | null>({ what: "call", call });
	return records.ok ? ok(firstDifference(records.value[0], records.value[1], call)) : records;
}

/** The first pair of words that differs; a list that ends early differs there. */
function firstApart(base: readonly number[], candidate: readonly number[]): number | undefined {
	for (let n = 0; n < Math.max(base.length, candidate.length); n++) {
		if (base[n] !== candidate[n]) {
			return Math.floor(n / 2);
		}
	}
	return undefined;
}

async function trace<T>(task: TraceTask, stop: AbortSignal): Promise<Result<T, string>> {
	const ended = await runProgram(["node", CHILD, JSON.stringify(task)], {
		folder: task.tree,
		timeoutSeconds: TRACE_SECONDS_MAX,
		stop,
	});
	return ended.code === 0
		? ok(JSON.parse(ended.stdout) as T)
		: err(
				`the build in ${task.tree} cannot be traced: ${ended.complaint.split("\n").find((line) => /Error/.test(line)) ?? ended.complaint}`,
			);
}
