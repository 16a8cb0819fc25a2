import type { Series } from "../../record/run-record.js";
import { shown } from "./leaves.js";

const COLUMNS_SHOWN = 4;

/** The first bucket of virtual time in which two series part. */
export interface SeriesDifference {
	readonly fromSeconds: number;
	readonly untilSeconds: number;
	/** What differs there, one line a column. */
	readonly columns: readonly string[];
}

/** Where two series part first; undefined where they are equal. */
export function firstSeriesDifference(base: Series, candidate: Series): SeriesDifference | undefined {
	const names = Object.keys(base).filter((name) =>
		Array.isArray(base[name as keyof Series]),
	) as (keyof Series)[];
	const rows = Math.max(base.timeSeconds.length, candidate.timeSeconds.length);
	for (let row = 0; row < rows; row++) {
		const columns = names.flatMap((name) => {
			const [x, y] = [at(base[name], row), at(candidate[name], row)];
			return Object.is(x, y) ? [] : [`${name} ${shown(x)} -> ${shown(y)}`];
		});
		if (columns.length > 0) {
			const fromSeconds = base.timeSeconds[row] ?? candidate.timeSeconds[row] ?? 0;
			const rest = columns.length - COLUMNS_SHOWN;
			return {
				fromSeconds,
				untilSeconds: fromSeconds + base.bucketSeconds,
				columns: rest > 0 ? [...columns.slice(0, COLUMNS_SHOWN), `${rest} more columns`] : columns,
			};
		}
	}
	return undefined;
}

function at(column: unknown, row: number): number | null | undefined {
	return (column as readonly (number | null)[] | undefined)?.[row];
}
