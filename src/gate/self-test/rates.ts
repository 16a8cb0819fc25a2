import type { BenchRecord } from "../../record/run-record.js";
import type { GateVerdict } from "../gate-report.js";

/** Injected slowdowns, shares. */
export const SLOWDOWNS: readonly number[] = [0, 0.02, 0.05, 0.1, 0.2];
/** Thresholds that the usual gates are tried with. */
export const THRESHOLDS: readonly number[] = [0.05, 0.1];

/** How the trials were made. `real`: every sample a process of its own; `resampled`: drawn from a pool of such samples. */
export type TrialKind = "real" | "resampled";

/** How often a gate said what, of a slowdown. */
export interface Rate {
	readonly gate: string;
	readonly kind: TrialKind;
	readonly slowdown: number;
	readonly trials: number;
	readonly alarms: number;
	/** Times that it said it could not tell; the usual gates never do. */
	readonly undecided: number;
}

/** What our own gate is called among the others. */
export const OWN_GATE = "klais gate";

/** Counts the verdicts of our own gate. */
export function rateOf(kind: TrialKind, slowdown: number, verdicts: readonly GateVerdict[]): Rate {
	return {
		...{ gate: OWN_GATE, kind, slowdown, trials: verdicts.length },
		alarms: verdicts.filter((verdict) => verdict === "fail").length,
		undecided: verdicts.filter((verdict) => verdict === "inconclusive").length,
	};
}

/** What our own gate has to reach, in alarms of 100 trials. */
export interface Target {
	readonly slowdown: number;
	readonly atMost?: number;
	readonly atLeast?: number;
}

export const TARGETS: readonly Target[] = [
	{ slowdown: 0, atMost: 1 },
	{ slowdown: 0.1, atLeast: 95 },
	{ slowdown: 0.05, atLeast: 60 },
];

/** Whether a rate reaches a target; undefined where it has no trials. */
export function reaches(
	{ trials, alarms }: Rate,
	{ atMost = 100, atLeast = 0 }: Target,
): boolean | undefined {
	const share = (alarms / trials) * 100;
	return trials === 0 ? undefined : share <= atMost && share >= atLeast;
}

/** The rates, to be stored with a record. */
export function rateRecords(rates: readonly Rate[], environment: Record<string, string>): BenchRecord[] {
	return rates.map(({ gate, kind, slowdown, trials, alarms, undecided }) => ({
		name: `gate, ${gate}, ${Math.round(slowdown * 100)} % slower, ${kind}`,
		unit: "alarms per 100 trials",
		better: slowdown === 0 ? ("lower" as const) : ("higher" as const),
		samples: [(alarms / trials) * 100],
		environment: { ...environment, trials: String(trials), undecided: String(undecided) },
	}));
}
