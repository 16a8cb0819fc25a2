import { MAX_REPORTED_ERRORS } from "../../scenarios/limits.js";
import { loadScenario, type ScenarioOverrides } from "../../scenarios/load-scenario.js";
import { type Setting, settingName, settingText } from "../../scenarios/overrides.js";
import type { Outage, Scenario } from "../../scenarios/scenario.js";
import { err, ok, type Result } from "../../units/result.js";
import type { UserError } from "../../units/user-error.js";
import { given } from "../flags.js";
import { floorWarnings, type Job, type RunPlan, repeatCommand } from "../run-plan.js";
import { shellCommand } from "../shell-command.js";
import { loadSweep, type SweepFile } from "./load.js";
import { countPoints, type SweepPoint, sweepPoints } from "./points.js";
import { DEVICES_PARAMETER, SWEEP_RUNS_MAX } from "./schema.js";

/** The columns of the table where a sweep file names none. */
const DEFAULT_METRICS = [
	"virtual.drainRatio",
	"virtual.devicesConnected.p95Seconds",
	"virtual.attemptsPerConnect",
	"virtual.liveLatencyRecoveryMicros.p99",
	"virtual.drops",
	"ledger.duplicates",
	"ledger.lost",
];

/** Loads a sweep and every scenario that it makes, before any of them runs. */
export function planSweep(
	file: string,
	calibration: string | undefined,
): Result<RunPlan, readonly UserError[]> {
	const loaded = loadSweep(file);
	if (!loaded.ok) {
		return loaded;
	}
	const sweep = loaded.value;
	const points = countPoints(sweep.input);
	if (points * seedsOf(sweep).length > SWEEP_RUNS_MAX) {
		return err([tooMany(points * seedsOf(sweep).length, sweep)]);
	}
	const planner = new Planner(sweep, calibration);
	for (const point of sweepPoints(sweep.input)) {
		planner.add(point);
	}
	const { jobs, errors, warnings } = planner;
	if (jobs.length > SWEEP_RUNS_MAX) {
		return err([tooMany(jobs.length, sweep)]);
	}
	const flags = calibration === undefined ? [] : ["--calibration", calibration];
	const command = shellCommand(["klais", "sweep", file, ...flags]);
	const [first] = jobs;
	if (errors.size > 0 || first === undefined) {
		return err([...errors.values()].slice(0, MAX_REPORTED_ERRORS));
	}
	const section = {
		title: sweep.input.title ?? first.scenario.title,
		parameters: Object.keys(sweep.input.grid ?? {}),
		seeds: [...new Set(jobs.map(({ scenario }) => scenario.seed))],
		policies: [...new Set(jobs.map(({ policy }) => policy))],
		metrics: sweep.input.metrics ?? DEFAULT_METRICS,
	};
	return ok({ jobs, command, warnings: [...warnings], sections: { sweep: section } });
}

/** Undefined stands for the scenario's own seed. */
function seedsOf({ input: { seeds } }: SweepFile): readonly (string | undefined)[] {
	if (seeds === undefined) {
		return [undefined];
	}
	return typeof seeds === "number" ? Array.from({ length: seeds }, (_, index) => String(index + 1)) : seeds;
}

function tooMany(runs: number, sweep: SweepFile): UserError {
	const count = (value: number) => value.toLocaleString("en-US");
	const message = `at least ${count(runs)} runs: a sweep has ${count(SWEEP_RUNS_MAX)} at most`;
	return { kind: "limit", ...sweep.placeOf(["grid"]), key: "grid", message };
}

class Planner {
	readonly jobs: Job[] = [];
	/** By their text: combinations that meet the same mistake report it once. */
	readonly errors = new Map<string, UserError>();
	readonly warnings = new Set<string>();
	readonly #fixed: readonly Setting[];
	/** Combinations mostly share their outages, which are most of a scenario's memory. */
	readonly #outages = new Map<string, readonly Outage[]>();

	constructor(
		private readonly sweep: SweepFile,
		private readonly calibration: string | undefined,
	) {
		this.#fixed = Object.entries(sweep.input.set ?? {}).map(([path, value]) => [path, settingText(value)]);
	}

	add(point: SweepPoint): void {
		const { input, scenario: name } = this.sweep;
		const overrides: ScenarioOverrides = given({
			devices: point.devices ?? input.devices,
			set: [...this.#fixed, ...point.settings],
			calibration: this.calibration,
		});
		const loaded = loadScenario(name, overrides);
		if (!loaded.ok) {
			for (const error of loaded.error) {
				const placed = this.#place(error, point);
				this.errors.set(JSON.stringify(placed), placed);
			}
			return;
		}
		for (const warning of floorWarnings(name, loaded.value, overrides)) {
			this.warnings.add(warning);
		}
		const scenario = { ...loaded.value, outages: this.#shared(loaded.value.outages) };
		for (const seed of seedsOf(this.sweep)) {
			const seeded = seed === undefined ? scenario : { ...scenario, seed };
			for (const policy of input.policies ?? scenario.policies) {
				this.jobs.push(this.#job(seeded, policy, point, overrides));
			}
		}
	}

	#job(scenario: Scenario, policy: Job["policy"], point: SweepPoint, overrides: ScenarioOverrides): Job {
		const { parameters } = point;
		const several = seedsOf(this.sweep).length > 1 ? [`seed ${scenario.seed}`] : [];
		const values = Object.entries(parameters).map(([path, value]) => `${path}=${value}`);
		const label = [`${scenario.name} / ${policy}`, ...values, ...several].join(", ");
		const repeat = repeatCommand([this.sweep.scenario], [policy], scenario.seed, overrides);
		return { scenario, policy, label, repeat, parameters };
	}

	#shared(outages: readonly Outage[]): readonly Outage[] {
		const text = JSON.stringify(outages);
		const known = this.#outages.get(text);
		if (known === undefined) {
			this.#outages.set(text, outages);
		}
		return known ?? outages;
	}

	/** The place in the sweep file of a mistake in one of its values; others stay where the scenario's loader found them. */
	#place(error: UserError, point: SweepPoint): UserError {
		const { sweep } = this;
		const at = (path: readonly (string | number)[]): UserError => {
			const { kind, message, key } = error;
			const name = path.join(".");
			// What is wrong may lie deeper than the value that brought it in.
			const inner = key === undefined || name.includes(key) ? "" : `${key}: `;
			return { kind, ...sweep.placeOf(path), key: name, message: `${inner}${message}` };
		};
		const inGrid = (path: string) => ["grid", path, point.positions.get(path) ?? 0];
		const isCause = (setting: Setting) => settingName(setting) === error.file;
		const fromGrid = point.settings.findLast(isCause);
		if (fromGrid !== undefined) {
			return at(inGrid(fromGrid[0]));
		}
		const fromSet = this.#fixed.findLast(isCause);
		if (fromSet !== undefined) {
			return at(["set", fromSet[0]]);
		}
		if (error.key === "--devices") {
			return at(point.devices === undefined ? ["devices"] : inGrid(DEVICES_PARAMETER));
		}
		return error.file === undefined ? at(["scenario"]) : error;
	}
}
