import type { LiveFigure } from "../record/live-record.js";

/** A builder of the figures of one group. */
export function groupOf(group: string) {
	return (
		name: string,
		unit: string,
		measured: number | null,
		predicted: number | null,
		more: Pick<LiveFigure, "note" | "verdict" | "headline"> = {},
	): LiveFigure => ({ group, name, unit, measured, predicted, ...more });
}

/** A share; null of nothing. */
export function share(part: number, whole: number): number | null {
	return whole === 0 ? null : part / whole;
}
