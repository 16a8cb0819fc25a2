import { MAX_DURATION_MICROS } from "../units/duration.js";
import { MICROS_PER_SECOND } from "../units/micros.js";
import { err, ok, type Result } from "../units/result.js";
import type { UserError } from "../units/user-error.js";
import { formatCohorts } from "./cohort-file.js";
import { defaultCapacity, defaultSessions } from "./defaults.js";
import { FIRMWARE_PROFILES } from "./firmware-profiles.js";
import { checkImportOptions, type ImportOptions } from "./import-options.js";
import { importedYaml } from "./imported-yaml.js";
import { MAX_TABLE_BYTES } from "./limits.js";
import { readOutageList } from "./read-outage-list.js";
import { readTextFile } from "./read-text.js";
import { readTrace, type Snapshot } from "./read-trace.js";
import { type ListedOutage, restorationCohorts } from "./restoration-cohorts.js";
import type { Cohort } from "./scenario.js";
import { nameOfFile } from "./scenario-name.js";

/** A scenario made of a trace, not yet written. */
export interface ImportedScenario {
	/** The files are to be `<name>.yaml` and `<name>.cohorts.csv`. */
	readonly name: string;
	readonly yaml: string;
	readonly cohortsCsv: string;
	/** What was dropped, guessed or unusual. */
	readonly warnings: readonly string[];
	/** The peak of customers out. */
	readonly devices: number;
	readonly durationSeconds: number;
}

/** CPU time of one session, as the template writes it. */
const HELLO_CPU_MICROS = 4_000;

/** Lumps below this many premises merge; twice as many as often as there are too many rows. */
export const MIN_LUMP = 50;
/** Most rows of a cohort file that is still handy to read, diff and commit. */
const MAX_ROWS = 25_000;

/**
 * Makes a scenario of an outage trace: one device per premise, a fleet as large as the peak of customers out. The
 * cohorts add up to the curve at every snapshot. Reads files, writes none. Errors name file, line, column and key.
 */
export function importTrace(options: ImportOptions): Result<ImportedScenario, readonly UserError[]> {
	const badOption = checkImportOptions(options);
	if (badOption !== undefined) {
		return err([badOption]);
	}
	const text = readTextFile(options.traceFile, MAX_TABLE_BYTES);
	if (!text.ok) {
		return err([text.error]);
	}
	const trace = readTrace(text.value, options.traceFile, options);
	if (!trace.ok) {
		return trace;
	}
	const listed = listedOutages(options.outagesFile);
	if (!listed.ok) {
		return listed;
	}
	return makeScenario(trace.value.snapshots, listed.value, trace.value.warnings, options);
}

function listedOutages(file: string | undefined): Result<ListedOutage[] | undefined, UserError[]> {
	if (file === undefined) {
		return ok(undefined);
	}
	const text = readTextFile(file, MAX_TABLE_BYTES);
	return text.ok ? readOutageList(text.value, file) : err([text.error]);
}

function makeScenario(
	snapshots: readonly Snapshot[],
	listed: readonly ListedOutage[] | undefined,
	traceWarnings: readonly string[],
	options: ImportOptions,
): Result<ImportedScenario, UserError[]> {
	const durationSeconds = (snapshots.at(-1)?.epochSeconds ?? 0) - (snapshots[0]?.epochSeconds ?? 0);
	if (durationSeconds * MICROS_PER_SECOND > MAX_DURATION_MICROS) {
		const days = Math.ceil(durationSeconds / 86_400);
		return err([
			{ kind: "limit", file: options.traceFile, message: `spans ${days} days: the limit is 49 days` },
		]);
	}
	const { cohorts, minLump } = boundedCohorts(snapshots, listed, options.spread ?? false);
	const devices = snapshots.reduce((peak, { customersOut }) => Math.max(peak, customersOut), 0);
	const firmware = options.firmware ?? "smart-meter";
	const gateways = options.gateways ?? 4;
	const name = options.name ?? nameOfFile(options.traceFile.replace(/_total(\.[^.]*)?$/, ""));
	const yaml = importedYaml({
		name,
		options,
		devices,
		durationSeconds,
		startSeconds: snapshots[0]?.epochSeconds ?? 0,
		snapshots: snapshots.length,
		hasList: listed !== undefined,
		minLump,
		firmware,
		link: options.link ?? "lte-m",
		gateways,
		helloMicros: HELLO_CPU_MICROS,
		sessionsPerSecond:
			options.sessionsPerSecond ?? defaultSessions(devices, gateways, HELLO_CPU_MICROS * 1_000),
		capacityPerSecond:
			options.capacityPerSecond ??
			defaultCapacity(devices, FIRMWARE_PROFILES[firmware].readingIntervalMicros),
	});
	const merged =
		minLump > MIN_LUMP ? [`lumps below ${minLump} premises were merged, to keep to ${MAX_ROWS} rows`] : [];
	return ok({
		name,
		yaml,
		cohortsCsv: formatCohorts(cohorts),
		warnings: [...traceWarnings, ...merged],
		devices,
		durationSeconds,
	});
}

function boundedCohorts(
	snapshots: readonly Snapshot[],
	listed: readonly ListedOutage[] | undefined,
	spread: boolean,
): { cohorts: Cohort[]; minLump: number } {
	let minLump = MIN_LUMP;
	let cohorts = restorationCohorts(snapshots, listed, { minLump, spread });
	// Beyond that size there is nothing left to merge: the rows are the snapshots themselves.
	while (cohorts.length > MAX_ROWS && listed !== undefined && minLump < 2 ** 24) {
		minLump *= 2;
		cohorts = restorationCohorts(snapshots, listed, { minLump, spread });
	}
	return { cohorts, minLump };
}
