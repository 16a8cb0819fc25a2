import type { LiveWitness } from "../../record/live-record.js";
import { delayQuantile } from "../witness/delays.js";
import type { Tally } from "../witness/tally.js";

/** What a witness has found, as the record has it. */
export function recordedWitness({ faults: _, delays, ...found }: Tally): LiveWitness {
	if (delays === undefined) {
		return found;
	}
	const { steps, lateUntilMillis, devicesBehind } = delays;
	return {
		...found,
		delays: {
			p50Seconds: delayQuantile(steps, 0.5),
			p99Seconds: delayQuantile(steps, 0.99),
			maxSeconds: delayQuantile(steps, 1),
			lateUntilSeconds: lateUntilMillis === null ? null : lateUntilMillis / 1_000,
			devicesBehind,
		},
	};
}
