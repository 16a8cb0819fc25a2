import type { Cohort } from "../../src/scenarios/scenario.js";

/** Devices out at `atMicros`, each cohort's return spread evenly. */
export function devicesOut(cohorts: readonly Cohort[], atMicros: number): number {
	return cohorts.reduce((sum, cohort) => sum + outOf(cohort, atMicros), 0);
}

function outOf({ devices, outAtMicros, backAtMicros, spreadMicros }: Cohort, atMicros: number): number {
	if (atMicros < outAtMicros) {
		return 0;
	}
	if (backAtMicros === null || atMicros < backAtMicros) {
		return devices;
	}
	const elapsed = atMicros - backAtMicros;
	return elapsed >= spreadMicros ? 0 : devices - Math.floor((devices * elapsed) / spreadMicros);
}
