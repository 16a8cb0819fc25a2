import { existsSync } from "node:fs";
import { MICROS_PER_SECOND, micros } from "../units/micros.js";
import { err, ok, type Result } from "../units/result.js";
import type { UserError } from "../units/user-error.js";
import { formatCohorts } from "./cohort-file.js";
import { MIN_LUMP } from "./import-trace.js";
import { MAX_TABLE_BYTES } from "./limits.js";
import { readOutageList } from "./read-outage-list.js";
import { readTextFile } from "./read-text.js";
import { readTrace, type Snapshot } from "./read-trace.js";
import { type ListedOutage, restorationCohorts } from "./restoration-cohorts.js";
import type { Cohort } from "./scenario.js";
import { nameOfFile } from "./scenario-name.js";

/** One outage, told in several ways; each the text of a cohort file. */
export interface TraceVariants {
	readonly name: string;
	/** As `klais import` makes it: the curve of all who are out, first out, first back. */
	readonly cohorts: string;
	/** The same with the glitches of the feed kept, as if they had happened. */
	readonly glitched: string;
	/** The utility's own list: who went together comes back together. `undefined`: there is no list beside the trace. */
	readonly listed: string | undefined;
}

/**
 * Reads a trace of customers out, `NAME_total.csv`, and the list of outages beside it, `NAME_outages.csv`, where there is
 * one. Errors: those of reading either.
 */
export function readTraceVariants(file: string): Result<TraceVariants, readonly UserError[]> {
	const text = readTextFile(file, MAX_TABLE_BYTES);
	if (!text.ok) {
		return err([text.error]);
	}
	const clean = readTrace(text.value, file);
	const kept = readTrace(text.value, file, { keepGlitches: true });
	const listFile = file.replace(/_total(\.[^.]*)?$/, "_outages$1");
	const listed = listFile !== file && existsSync(listFile) ? readList(listFile) : ok(undefined);
	if (!clean.ok || !kept.ok || !listed.ok) {
		return err([clean, kept, listed].flatMap((each) => (each.ok ? [] : each.error)).slice(0, 1));
	}
	const cohorts = (snapshots: readonly Snapshot[]) =>
		formatCohorts(restorationCohorts(snapshots, listed.value, { minLump: MIN_LUMP, spread: false }));
	return ok({
		name: nameOfFile(file.replace(/_total(\.[^.]*)?$/, "")),
		cohorts: cohorts(clean.value.snapshots),
		glitched: cohorts(kept.value.snapshots),
		listed:
			listed.value === undefined
				? undefined
				: formatCohorts(listedCohorts(listed.value, kept.value.snapshots)),
	});
}

function readList(file: string): Result<ListedOutage[], UserError[]> {
	const text = readTextFile(file, MAX_TABLE_BYTES);
	return text.ok ? readOutageList(text.value, file) : err([text.error]);
}

/** One cohort an outage. Those that end within one step come back evenly over it, in the list's order. */
function listedCohorts(listed: readonly ListedOutage[], snapshots: readonly Snapshot[]): Cohort[] {
	const start = snapshots[0]?.epochSeconds ?? 0;
	const byStep = new Map<number, ListedOutage[]>();
	for (const outage of listed.filter(({ maxCustomers }) => maxCustomers > 0)) {
		const step = snapshots.findIndex(({ epochSeconds }) => epochSeconds > outage.lastSeenSeconds);
		byStep.set(step, [...(byStep.get(step) ?? []), outage]);
	}
	const cohorts = [...byStep].flatMap(([step, outages]) => {
		const from = snapshots[step - 1]?.epochSeconds;
		const to = snapshots[step]?.epochSeconds;
		return outages.map(({ firstSeenSeconds, maxCustomers }, index): Cohort => {
			const isBack = from !== undefined && to !== undefined;
			const back = isBack ? from + Math.ceil(((to - from) * (index + 1)) / outages.length) - start : null;
			return {
				devices: maxCustomers,
				outAtMicros: micros(Math.max(0, firstSeenSeconds - start) * MICROS_PER_SECOND),
				backAtMicros: back === null ? null : micros(back * MICROS_PER_SECOND),
				spreadMicros: micros(0),
			};
		});
	});
	return cohorts.sort(
		(a, b) => a.outAtMicros - b.outAtMicros || (a.backAtMicros ?? 0) - (b.backAtMicros ?? 0),
	);
}
