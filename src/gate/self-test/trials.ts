import seedrandom from "seedrandom";
import { ok } from "../../units/result.js";
import { type GateVerdict, worst } from "../gate-report.js";
import type { Arm } from "../time/blocks.js";
import { judgeTimes } from "../time/judge.js";
import { type Contest, measureTimes, type TimeOptions } from "../time/measure.js";
import { CPU_TIME, type Sample } from "../time/sample.js";
import { type Rate, rateOf, SLOWDOWNS, THRESHOLDS, type TrialKind } from "./rates.js";
import { RIVAL_SAMPLES, RIVALS, type RivalSamples } from "./rivals.js";

/** One real sample of a busy program. */
export interface PoolSample {
	readonly wallMicros: number;
	readonly cpuMicros: number;
}

/** The gate's settings in a trial. */
export type TrialOptions = Omit<TimeOptions, "say" | "seed">;

/** What our gate says of one contest: exactly what it would say in a suite of one benchmark. */
export async function trial(contest: Contest, seed: string, options: TrialOptions): Promise<GateVerdict> {
	const all: TimeOptions = { ...options, seed, say: () => undefined };
	const report = judgeTimes(await measureTimes([contest], all), all);
	return worst(report.judged.map(({ verdict }) => verdict));
}

/**
 * Trials out of a pool of real samples, which were taken one after the other under noise. A trial takes a stretch of the pool from
 * a random place on, in its order, so that the noise keeps its rhythm; samples of the candidate count as so much longer. Stretches
 * overlap when there are many: the trials show what this pool's noise does, not that of all machines.
 */
export async function resampledTrials(
	pool: readonly PoolSample[],
	trials: number,
	seed: string,
	margin: number,
	options: TrialOptions,
): Promise<Rate[]> {
	const chance = seedrandom.alea(`${seed}, resampled`);
	const place = () => Math.floor(chance() * pool.length);
	const rates: Rate[] = [];
	for (const slowdown of SLOWDOWNS) {
		const verdicts: GateVerdict[] = [];
		const samples: RivalSamples<PoolSample>[] = [];
		for (let n = 0; n < trials && !options.stop.aborted; n++) {
			const contest = pooled(pool, place(), slowdown, margin);
			verdicts.push(await trial(contest, `${seed}, ${slowdown}, ${n}`, options));
			samples.push(sequential(pool, place(), place(), slowdown));
		}
		rates.push(rateOf("resampled", slowdown, verdicts), ...rivalRates("resampled", slowdown, samples));
	}
	return rates;
}

function pooled(pool: readonly PoolSample[], from: number, slowdown: number, margin: number): Contest {
	let next = from;
	return {
		name: "workload",
		margin,
		only: undefined,
		take: async (arm: Arm) => {
			const { cpuMicros } = pool[next++ % pool.length] as PoolSample;
			const value = arm === "candidate" ? cpuMicros * (1 + slowdown) : cpuMicros;
			const sample: Sample = {
				values: [{ metric: CPU_TIME, unit: "us", higherIsBetter: false, value }],
				digest: undefined,
			};
			return ok(sample);
		},
	};
}

/** What the usual gates see: wall times, each side in one go, and an earlier job from elsewhere. */
function sequential(
	pool: readonly PoolSample[],
	from: number,
	before: number,
	slowdown: number,
): RivalSamples<PoolSample> {
	const stretch = (start: number, factor: number) =>
		Array.from({ length: RIVAL_SAMPLES }, (_, n) => {
			const { wallMicros, cpuMicros } = pool[(start + n) % pool.length] as PoolSample;
			return { wallMicros: wallMicros * factor, cpuMicros: cpuMicros * factor };
		});
	return {
		base: stretch(from, 1),
		candidate: stretch(from + RIVAL_SAMPLES, 1 + slowdown),
		previous: stretch(before, 1),
	};
}

/** How often the usual gates raise an alarm over the same samples, by wall time as they do, and by CPU time as they could. */
export function rivalRates(
	kind: TrialKind,
	slowdown: number,
	samples: readonly RivalSamples<PoolSample>[],
): Rate[] {
	const times = [
		["wall time", ({ wallMicros }: PoolSample) => wallMicros],
		["CPU time", ({ cpuMicros }: PoolSample) => cpuMicros],
	] as const;
	return times.flatMap(([time, of]) =>
		RIVALS.flatMap(({ name, raisesAlarm }) =>
			THRESHOLDS.map((threshold) => ({
				...{ gate: `${name}, ${time}, over ${threshold * 100} %`, kind, slowdown },
				...{ trials: samples.length, undecided: 0 },
				alarms: samples.filter(({ base, candidate, previous }) =>
					raisesAlarm(
						{ base: base.map(of), candidate: candidate.map(of), previous: previous.map(of) },
						threshold,
					),
				).length,
			})),
		),
	);
}
