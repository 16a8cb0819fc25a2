import { mean, median } from "simple-statistics";

/** Samples that the usual gates see: each side's, one after the other, and those of an earlier job. */
export interface RivalSamples<Value = number> {
	/** All taken before the candidate's. */
	readonly base: readonly Value[];
	readonly candidate: readonly Value[];
	/** Of the base, taken at another time, as a stored record has them. */
	readonly previous: readonly Value[];
}

/** A gate as most projects have one. */
export interface Rival {
	readonly name: string;
	raisesAlarm(samples: RivalSamples, threshold: number): boolean;
}

/** Samples that a rival takes of each side. */
export const RIVAL_SAMPLES = 15;

/** The usual gates: each has a threshold, and none asks how noisy its samples are. */
export const RIVALS: readonly Rival[] = [
	{
		name: "last pair",
		raisesAlarm: ({ base, candidate }, threshold) =>
			exceeds(candidate[0] as number, base.at(-1) as number, threshold),
	},
	{
		name: "median of 15 each",
		raisesAlarm: ({ base, candidate }, threshold) =>
			exceeds(median([...candidate]), median([...base]), threshold),
	},
	{
		name: "mean of 15 to the last run's",
		raisesAlarm: ({ previous, candidate }, threshold) =>
			exceeds(mean([...candidate]), mean([...previous]), threshold),
	},
];

function exceeds(candidate: number, base: number, threshold: number): boolean {
	return candidate / base - 1 > threshold;
}
