import type { LiveSeries } from "../record/live-record.js";
import type { Series } from "../record/run-record.js";
import type { FleetReport } from "./fleet-report.js";
import type { EnginePlan } from "./live-order.js";

const SECOND = 1_000_000;
/** Samples of the fleet in a bucket of the simulator's series: the drain is measured as finely. */
const SAMPLES_PER_BUCKET = 5;

/** How far apart the fleet takes its samples, in virtual time; buckets end on a sample. */
export function sampleMicros({ bucketSeconds }: Series): number {
	return (bucketSeconds * SECOND) / SAMPLES_PER_BUCKET;
}

/** The fleet's samples in the rows of the simulator's series. */
export function liveSeries(samples: FleetReport["series"], predicted: Series): LiveSeries {
	const at = new Map(samples.map((sample) => [sample.timeMicros, sample]));
	const rows = predicted.timeSeconds.map((start) => at.get((start + predicted.bucketSeconds) * SECOND));
	return {
		bucketSeconds: predicted.bucketSeconds,
		timeSeconds: predicted.timeSeconds,
		onlineMeasured: rows.map((row) => row?.online ?? null),
		onlinePredicted: predicted.online,
		backlogMeasured: rows.map((row) => row?.backlogReadings ?? null),
		backlogPredicted: predicted.backlogReadings,
	};
}

/**
 * Seconds from the start of the bound's busy period until the backlog counts as drained, by the rule of the simulated
 * run: not before the bound's end, and down to the bound's epsilon. null: not drained, or nothing to drain.
 */
export function drainSeconds(samples: FleetReport["series"], bound: EnginePlan["bound"]): number | null {
	const { startMicros, endMicros, epsilonReadings } = bound;
	if (endMicros === null || endMicros <= startMicros) {
		return null;
	}
	const drained = samples.find(
		({ timeMicros, backlogReadings }) => timeMicros >= endMicros && backlogReadings <= epsilonReadings,
	);
	return drained === undefined ? null : (drained.timeMicros - startMicros) / SECOND;
}
