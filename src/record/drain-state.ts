import type { RunRecord } from "./run-record.js";

/**
 * Whether the outage's backlog became durable. `nothing`: there was none. `stopped`: the run ended too early to say.
 * A null ratio alone says none of this.
 */
export type DrainState = "drained" | "never" | "stopped" | "nothing";

export function drainState(run: RunRecord): DrainState {
	const { drainRatio, drainBoundSeconds, undrainedReadings } = run.virtual;
	if (drainRatio !== null) {
		return "drained";
	}
	if (drainBoundSeconds === 0 && undrainedReadings === 0) {
		return "nothing";
	}
	return run.complete ? "never" : "stopped";
}
