import { err, ok, type Result } from "../units/result.js";
import type { UserError } from "../units/user-error.js";
import { jobIdentity } from "./job-identity.js";
import { RecordedDurations, readDurations } from "./recorded-durations.js";
import type { Job, RunPlan } from "./run-plan.js";
import type { ShardChoice, ShardRequest } from "./shard-flags.js";

/** CPU time that a report of a device costs, roughly; only its ratio to `START_MILLIS` matters. */
const MILLIS_PER_REPORT = 0.001;
/** What a run costs before its first event. */
const START_MILLIS = 300;

/**
 * How long each job takes, in whole milliseconds of at least 1: as recorded where it is known, else by the reports that its
 * devices send, at the speed of those that are known.
 */
export function jobCosts(jobs: readonly Job[], recorded: RecordedDurations): number[] {
	const known = jobs.map(({ scenario, policy }) =>
		recorded.millisOf(scenario.name, policy, scenario.devices.count),
	);
	const estimates = jobs.map(estimateMillis);
	let [measured, estimated] = [0, 0];
	for (const [index, millis] of known.entries()) {
		measured += millis ?? 0;
		estimated += millis === undefined ? 0 : (estimates[index] ?? 0);
	}
	const speed = measured > 0 ? measured / estimated : 1;
	return known.map((millis, index) => Math.max(1, Math.round(millis ?? (estimates[index] ?? 0) * speed)));
}

function estimateMillis({ scenario: { devices, durationMicros } }: Job): number {
	const reports = (devices.count * durationMicros) / devices.firmware.reportIntervalMicros;
	return START_MILLIS + reports * MILLIS_PER_REPORT;
}

/**
 * The shard, 1 to `count`, of each job: longest job first, each to the shard that has least so far (of equals the lowest), so
 * that the longest shard takes at most 4/3 of the best possible (Graham, Bounds on multiprocessing timing anomalies, 1969).
 * The same costs give the same shards everywhere. With at least `count` jobs no shard is empty.
 */
export function assignShards(costs: readonly number[], count: number): number[] {
	const loads = new Array<number>(count).fill(0);
	const shards = new Array<number>(costs.length).fill(1);
	const longestFirst = [...costs.keys()].sort((a, b) => (costs[b] ?? 0) - (costs[a] ?? 0) || a - b);
	for (const job of longestFirst) {
		const least = loads.indexOf(Math.min(...loads));
		shards[job] = least + 1;
		loads[least] = (loads[least] ?? 0) + (costs[job] ?? 0);
	}
	return shards;
}

/** The part of a plan that the request asks for: all of it without one. Errors: more shards than runs, no such durations. */
export async function planShard(
	whole: RunPlan,
	request: ShardRequest | undefined,
): Promise<Result<RunPlan, UserError>> {
	if (request === undefined) {
		return ok(whole);
	}
	const { durations, ...choice } = request;
	const runs = whole.jobs.length;
	if (choice.count > runs) {
		const found = runs === 1 ? "there is one run" : `there are ${runs} runs`;
		const message = `${found}: expected at most as many shards, found ${choice.count}`;
		return err({ kind: "usage", key: "--shard", message });
	}
	const recorded = durations === undefined ? ok(new RecordedDurations()) : await readDurations(durations);
	return recorded.ok ? ok(partOf(whole, choice, recorded.value)) : recorded;
}

function partOf(whole: RunPlan, { index, count }: ShardChoice, recorded: RecordedDurations): RunPlan {
	const { jobs, command, sections } = whole;
	const shards = assignShards(jobCosts(jobs, recorded), count);
	const plan = jobs.map((job, at) => ({
		scenario: job.scenario.name,
		policy: job.policy,
		seed: job.scenario.seed,
		devices: job.scenario.devices.count,
		identity: jobIdentity(job),
		shard: shards[at] ?? 1,
	}));
	return {
		...whole,
		jobs: jobs.filter((_, at) => shards[at] === index),
		command: `${command} --shard ${index}/${count}`,
		sections: { ...sections, shard: { index, count, command, plan } },
	};
}
