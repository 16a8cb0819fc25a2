import type { RunRecord } from "../record/run-record.js";
import { formatPercent, formatSeconds, NONE } from "./format.js";

/** How a control law came to rest. */
export const SETTLING = [
	{
		group: "Drain",
		id: "virtual.overshoot",
		label: "Overshoot",
		means:
			"Largest rate in the busy period at which gateways accepted readings, above the broker's capacity.",
		show: showOvershoot,
	},
	{
		group: "Drain",
		id: "virtual.settlingSeconds",
		label: "Time to settle",
		means:
			"From the start of the busy period until the durable rate stays within a tenth of the capacity for the rest of it.",
		show: showSettling,
	},
] as const;

/** Older records have none, and where nothing had to drain there is none. */
export function showOvershoot({ virtual: { overshoot } }: RunRecord): string {
	return overshoot === undefined || overshoot === null ? NONE : formatPercent(overshoot);
}

/** "Never" is a result; without a busy period there was nothing to settle. */
export function showSettling({ virtual: { overshoot, settlingSeconds } }: RunRecord): string {
	if (overshoot === undefined || overshoot === null || settlingSeconds === undefined) {
		return NONE;
	}
	return settlingSeconds === null ? "never" : formatSeconds(settlingSeconds);
}
