import { isAbsolute } from "node:path";
import { formatDuration } from "../units/duration.js";
import { type Micros, micros } from "../units/micros.js";
import type { Result } from "../units/result.js";
import type { UserError } from "../units/user-error.js";
import { compareTimes, lastBackMicros } from "./outage-peak.js";
import type { Cohort, GatewayOutage, Outage } from "./scenario.js";
import { COUNTERPARTS, type OutageInput } from "./schema.js";
import type { Problem } from "./schema-errors.js";
import type { Path } from "./yaml-document.js";

/** What outages are resolved against. */
export interface OutageContext {
	readonly durationMicros: Micros;
	readonly devices: number;
	readonly gateways: number;
	/** Reads the cohort file that the scenario names at `path`. */
	readonly readCohorts: (name: string, path: Path) => Result<Cohort[], UserError[]>;
}

/** Resolved outages, the problems of the scenario file, and the errors within cohort files. */
export interface ResolvedOutages {
	readonly outages: readonly Outage[];
	readonly problems: readonly Problem[];
	readonly fileErrors: readonly UserError[];
}

/** A brown-out that says no more: one frame in five lost, the rest four times as slow. */
const BROWN_OUT_LOSS_PPM = 200_000;
const BROWN_OUT_LATENCY_FACTOR = 4;

type ServerKind = GatewayOutage["kind"] | "broker" | "broker-slow" | "leader-loss";
const SERVER_KINDS: ReadonlySet<string> = new Set<ServerKind>([
	"gateway",
	"gateway-freeze",
	"gateway-cut",
	"gateway-partition",
	"broker",
	"broker-slow",
	"leader-loss",
]);
type ServerInput = Extract<OutageInput, { kind: ServerKind }>;
type DeviceInput = Exclude<OutageInput, { kind: ServerKind }>;

/** Fills in what the outages of a scenario file leave out, and checks them one by one. */
export function resolveOutages(inputs: readonly OutageInput[], context: OutageContext): ResolvedOutages {
	const problems: Problem[] = [];
	const fileErrors: UserError[] = [];
	const outages: Outage[] = [];
	for (const [index, input] of inputs.entries()) {
		const path: Path = ["outages", index];
		if (isServer(input)) {
			problems.push(...windowProblems(path, input.at, input.until, context));
			outages.push(serverOutage(input, context));
			continue;
		}
		const cohorts = deviceCohorts(input, path, context, problems, fileErrors);
		outages.push(deviceOutage(input, cohorts));
	}
	return { outages, problems, fileErrors };
}

function isServer(input: OutageInput): input is ServerInput {
	return SERVER_KINDS.has(input.kind);
}

function deviceOutage(input: DeviceInput, cohorts: Cohort[]): Outage {
	if (input.kind !== "brown-out") {
		return { kind: input.kind, cohorts };
	}
	return {
		kind: "brown-out",
		cohorts,
		lossPpm: input.loss ?? BROWN_OUT_LOSS_PPM,
		duplicatePpm: input.duplicate ?? 0,
		reorderPpm: input.reorder ?? 0,
		latencyFactor: input.latencyFactor ?? BROWN_OUT_LATENCY_FACTOR,
	};
}

function serverOutage(input: ServerInput, context: OutageContext): Outage {
	const window = { outAtMicros: input.at, backAtMicros: input.until };
	if (input.kind === "broker") {
		return { kind: "broker", ...window };
	}
	if (input.kind === "broker-slow") {
		return { kind: "broker-slow", factor: input.factor, ...window };
	}
	if (input.kind === "leader-loss") {
		return { kind: "leader-loss", nodes: input.nodes ?? 1, ...window };
	}
	const all = input.kind === "gateway" ? context.gateways : 1;
	return gatewayOutage(input, { gateways: input.gateways ?? all, ...window });
}

function gatewayOutage(
	input: Extract<ServerInput, { kind: GatewayOutage["kind"] }>,
	window: Pick<GatewayOutage, "gateways" | "outAtMicros" | "backAtMicros">,
): GatewayOutage {
	switch (input.kind) {
		case "gateway": {
			const { down = "process", takeover = true } = input;
			return { kind: "gateway", ...window, down, takeover };
		}
		case "gateway-freeze":
			return { kind: "gateway-freeze", ...window };
		case "gateway-cut": {
			const { from = COUNTERPARTS, direction = "both" } = input;
			return { kind: "gateway-cut", ...window, from, direction };
		}
		case "gateway-partition":
			return { kind: "gateway-partition", ...window, reachesBroker: input.reachesBroker ?? true };
	}
}

function deviceCohorts(
	input: DeviceInput,
	path: Path,
	context: OutageContext,
	problems: Problem[],
	fileErrors: UserError[],
): Cohort[] {
	const { at, until, share, spread, cohorts: file } = input;
	if (file !== undefined) {
		if (isAbsolute(file)) {
			const message = `expected a path relative to the scenario, so that the two can move together, found "${file}"`;
			problems.push(schemaProblem([...path, "cohorts"], message));
			return [];
		}
		const inline = (["at", "until", "share", "spread"] as const).filter((key) => input[key] !== undefined);
		problems.push(
			...inline.map((key) =>
				schemaProblem([...path, key], `${key} and cohorts exclude each other: the file has it`),
			),
		);
		const cohorts = context.readCohorts(file, [...path, "cohorts"]);
		if (!cohorts.ok) {
			for (const error of cohorts.error) {
				// A file that cannot be read at all is a mistake in the scenario, which names it.
				if (error.line === undefined) {
					problems.push({
						path: [...path, "cohorts"],
						kind: error.kind,
						message: `${error.file}: ${error.message}`,
					});
				} else {
					fileErrors.push(error);
				}
			}
			return [];
		}
		return withinDuration(cohorts.value, context.durationMicros);
	}
	if (at === undefined || until === undefined || share === undefined) {
		const missing = (["at", "until", "share"] as const).filter((key) => input[key] === undefined);
		const hint = "an outage says at, until and share, or names a cohorts file";
		problems.push(
			...missing.map((key) => schemaProblem([...path, key], `the key "${key}" is missing: ${hint}`)),
		);
		return [];
	}
	problems.push(...windowProblems(path, at, until, context));
	if (until === "never" && spread !== undefined) {
		problems.push(schemaProblem([...path, "spread"], "devices that never return have no spread"));
	}
	const cohort: Cohort = {
		devices: Math.max(1, Math.round(share * context.devices)),
		outAtMicros: at,
		backAtMicros: until === "never" ? null : until,
		spreadMicros: spread ?? micros(0),
	};
	return withinDuration([cohort], context.durationMicros);
}

export function windowProblems(
	path: Path,
	at: Micros,
	until: Micros | "never",
	{ durationMicros }: Pick<OutageContext, "durationMicros">,
	what = "outage",
): Problem[] {
	if (at >= durationMicros) {
		const message = `the ${what} at ${formatDuration(at)} comes after the scenario's end at ${formatDuration(durationMicros)}`;
		return [schemaProblem([...path, "at"], message)];
	}
	if (until !== "never" && until <= at) {
		const message = `expected a time after the ${what}'s start at ${formatDuration(at)}, found ${formatDuration(until)}`;
		return [schemaProblem([...path, "until"], message)];
	}
	return [];
}

/** Losses after the end never happen; returns after the end are none. Sorted by loss, then return. */
function withinDuration(cohorts: readonly Cohort[], durationMicros: Micros): Cohort[] {
	return cohorts
		.filter(({ outAtMicros }) => outAtMicros < durationMicros)
		.map((cohort) =>
			cohort.backAtMicros !== null && cohort.backAtMicros >= durationMicros
				? { ...cohort, backAtMicros: null, spreadMicros: micros(0) }
				: cohort,
		)
		.sort((a, b) => a.outAtMicros - b.outAtMicros || compareTimes(lastBackMicros(a), lastBackMicros(b)));
}

function schemaProblem(path: Path, message: string): Problem {
	return { path, kind: "schema", message };
}
