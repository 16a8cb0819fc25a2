import type { ResultsFile } from "../record/run-record.js";
import { loadScenario, type ScenarioOverrides } from "../scenarios/load-scenario.js";
import { scalingFloors } from "../scenarios/scale-scenario.js";
import type { PolicyName, Scenario } from "../scenarios/scenario.js";
import { findSuite, type SuiteEntry } from "../scenarios/suite.js";
import { err, ok, type Result } from "../units/result.js";
import type { UserError } from "../units/user-error.js";
import { given } from "./flags.js";
import type { RunRequest } from "./run-flags.js";
import { shellCommand } from "./shell-command.js";

/** One run: a scenario under a policy. */
export interface Job {
	readonly scenario: Scenario;
	readonly policy: PolicyName;
	/** What progress and messages call it. */
	readonly label: string;
	/** The command that repeats this run alone. */
	readonly repeat: string;
	/** In a sweep: the value of each parameter, by its path. */
	readonly parameters?: Readonly<Record<string, string>>;
}

/** Everything to run, checked. */
export interface RunPlan {
	/** In the order of the record: scenarios as named, policies within. */
	readonly jobs: readonly Job[];
	/** The command that repeats the whole file. Nothing in it tells how or where it ran: records must compare equal. */
	readonly command: string;
	readonly warnings: readonly string[];
	/** What the record of a shard or a sweep has beside that of a run. */
	readonly sections: Pick<ResultsFile, "shard" | "sweep">;
}

/** A scenario to load, and what is asked of it. */
interface Wanted {
	readonly name: string;
	readonly overrides: ScenarioOverrides;
	readonly policies: readonly PolicyName[] | undefined;
	/** The place of it in a suite. */
	readonly entry?: SuiteEntry;
}

/** Loads every scenario, those of suites too, before any runs, so that a mistake in the last one costs nothing. */
export function planRun(request: RunRequest): Result<RunPlan, readonly UserError[]> {
	const errors: UserError[] = [];
	const jobs: Job[] = [];
	const warnings: string[] = [];
	for (const name of request.names) {
		const wanted = wantedBy(name, request);
		if (!wanted.ok) {
			errors.push(...wanted.error);
			continue;
		}
		const planned = wanted.value.map(planScenario);
		errors.push(...planned.flatMap((each) => each.errors), ...repeatedEntries(planned));
		jobs.push(...planned.flatMap((each) => each.jobs));
		warnings.push(...planned.flatMap((each) => each.warnings));
	}
	if (errors.length > 0) {
		return err(distinct(errors));
	}
	const seeds = new Set(jobs.map(({ scenario }) => scenario.seed));
	// Scenarios with seeds of their own keep them when no seed is named.
	const seed = seeds.size === 1 ? jobs[0]?.scenario.seed : undefined;
	const command = repeatCommand(request.names, request.policies, seed, request.overrides);
	return ok({ jobs, command, warnings, sections: {} });
}

/** The scenarios that a name stands for: itself, or those of a suite, with the request's changes on top of the suite's. */
function wantedBy(
	name: string,
	{ overrides, policies }: RunRequest,
): Result<readonly Wanted[], readonly UserError[]> {
	const suite = findSuite(name);
	if (!suite.ok) {
		return suite;
	}
	if (suite.value === undefined) {
		return ok([{ name, overrides, policies }]);
	}
	return ok(
		suite.value.entries.map((entry): Wanted => {
			const { scenario, devices, seed, set } = entry;
			const own = given({ devices, seed });
			const both = { ...own, ...overrides, set: [...set, ...(overrides.set ?? [])] };
			return { name: scenario, overrides: both, policies: policies ?? entry.policies, entry };
		}),
	);
}

interface Planned {
	readonly jobs: readonly Job[];
	readonly errors: readonly UserError[];
	readonly warnings: readonly string[];
	readonly entry: SuiteEntry | undefined;
}

function planScenario({ name, overrides, policies, entry }: Wanted): Planned {
	const loaded = loadScenario(name, overrides);
	if (!loaded.ok) {
		const errors = entry === undefined ? loaded.error : loaded.error.map((error) => entry.place(error));
		return { jobs: [], errors, warnings: [], entry };
	}
	const scenario = loaded.value;
	const jobs = (policies ?? scenario.policies).map((policy): Job => {
		const label = `${scenario.name} / ${policy}`;
		const repeat = repeatCommand([name], [policy], scenario.seed, overrides);
		return { scenario, policy, label, repeat };
	});
	return { jobs, errors: [], warnings: floorWarnings(name, scenario, overrides), entry };
}

/** Within a suite, what tells two entries apart must be in their names: reports and the gate go by these. */
function repeatedEntries(planned: readonly Planned[]): UserError[] {
	const seen = new Set<string>();
	return planned.flatMap(({ jobs, entry }) => {
		const names = jobs.map(({ scenario, policy }) => JSON.stringify([scenario.name, scenario.seed, policy]));
		const isRepeat = names.some((each) => seen.has(each));
		for (const each of names) {
			seen.add(each);
		}
		const [first] = jobs;
		return isRepeat && entry !== undefined && first !== undefined
			? [
					entry.problem(
						`${first.scenario.name} is there before with the same policy and seed: give one of them a name`,
					),
				]
			: [];
	});
}

/** The command that simulates these, and nothing about how or where. */
export function repeatCommand(
	names: readonly string[],
	policies: readonly PolicyName[] | undefined,
	seed: string | undefined,
	{ devices, set = [], calibration }: ScenarioOverrides,
): string {
	return shellCommand([
		"klais",
		"run",
		...names,
		...(policies === undefined ? [] : ["--policy", policies.join(",")]),
		...(seed === undefined ? [] : ["--seed", seed]),
		...(devices === undefined ? [] : ["--devices", String(devices)]),
		...set.flatMap(([path, value]) => ["--set", `${path}=${value}`]),
		...(calibration === undefined ? [] : ["--calibration", calibration]),
	]);
}

/** A fleet so small that a rate or a queue met its floor no longer has the shape of the large one. */
export function floorWarnings(name: string, scaled: Scenario, overrides: ScenarioOverrides): string[] {
	const { devices, ...rest } = overrides;
	const full = devices === undefined ? undefined : loadScenario(name, rest);
	if (devices === undefined || full?.ok !== true) {
		return [];
	}
	const floors = scalingFloors(full.value, devices);
	return floors.length === 0
		? []
		: [
				`${scaled.name} with ${devices.toLocaleString("en-US")} devices is no scale model of itself: ` +
					`${floors.join(", ")} would go below the least possible value`,
			];
}

/** Scenarios that meet the same mistake, in a flag for instance, report it once. */
function distinct(errors: readonly UserError[]): UserError[] {
	return [...new Map(errors.map((error) => [JSON.stringify(error), error])).values()];
}
