import type { ResultsFile, RunRecord } from "../../record/run-record.js";
import { differences, leaves, shown } from "./leaves.js";

/** Words for people, which other policies there are, and what the code under test makes of a scenario: no part of what was asked for. */
const NOT_ASKED_FOR = /^(title|teaches|sources|margins|expect|policies|policy|sliceMicros)(\.|$)/;
const DIFFERENCES_SHOWN = 5;

/** The same run on both sides. */
export interface Pair {
	readonly name: string;
	readonly base: RunRecord;
	readonly candidate: RunRecord;
}

/** Something that cannot be compared. */
export interface Obstacle {
	/** A run, or the files as a whole. */
	readonly name: string;
	readonly message: string;
}

/** Runs of two files put side by side. */
export interface Pairing {
	readonly pairs: readonly Pair[];
	/** Why the files cannot be compared. */
	readonly obstacles: readonly Obstacle[];
	/** Runs of the candidate that the base does not have. */
	readonly added: readonly string[];
}

/**
 * Finds each run of the base in the candidate: the same scenario, policy and seed, and the same configuration but for words and
 * for the policy's own settings. `subset`: the candidate need not have them all.
 */
export function pairUp(base: ResultsFile, candidate: ResultsFile, subset: boolean): Pairing {
	const obstacles = [...partial("the base", base), ...partial("the candidate", candidate)].map(ofFiles);
	const [before, after] = [byName(base.runs), byName(candidate.runs)];
	const pairs: Pair[] = [];
	const missing: string[] = [];
	for (const [name, run] of before) {
		const other = after.get(name);
		if (other === undefined) {
			missing.push(name);
			continue;
		}
		const found = otherInput(run, other);
		if (found.length > 0) {
			obstacles.push({ name, message: found.join("; ") });
		} else {
			pairs.push({ name, base: run, candidate: other });
		}
	}
	if (missing.length > 0 && !subset) {
		obstacles.push(ofFiles(`the candidate has no run of ${list(missing)}; compare the rest with --subset`));
	}
	const added = [...after.keys()].filter((name) => !before.has(name));
	if (pairs.length === 0 && obstacles.length === 0) {
		const has = (runs: Map<string, RunRecord>) => (runs.size === 0 ? "no run" : list([...runs.keys()]));
		const message = `they have no run in common: the base has ${has(before)}, the candidate ${has(after)}`;
		obstacles.push(ofFiles(message));
	}
	return { pairs, obstacles, added };
}

function ofFiles(message: string): Obstacle {
	return { name: "files", message };
}

function partial(side: string, { partial, runs }: ResultsFile): string[] {
	const stopped = runs.filter(({ complete }) => !complete).map(nameOf);
	if (stopped.length > 0) {
		return [`${side} was stopped in the middle of ${list(stopped)}`];
	}
	return partial ? [`${side} was stopped before all of its runs`] : [];
}

/** What was asked for on one side and not on the other. */
function otherInput(base: RunRecord, candidate: RunRecord): string[] {
	const configs = [base.config, candidate.config].map((config) => {
		const all = [...leaves(config)].filter(([path]) => !NOT_ASKED_FOR.test(path));
		return new Map(all);
	}) as [Map<string, never>, Map<string, never>];
	const found = differences(...configs).map(
		(one) => `${one.path} is ${shown(one.base)} in the base, ${shown(one.candidate)} in the candidate`,
	);
	if (base.devices !== candidate.devices && found.length === 0) {
		found.push(`${base.devices} devices in the base, ${candidate.devices} in the candidate`);
	}
	if (found.length === 0 && otherCohorts(base, candidate)) {
		found.push("another scenario in what a record sums up: the cohorts of an outage");
	}
	const rest = found.length - DIFFERENCES_SHOWN;
	return rest > 0 ? [...found.slice(0, DIFFERENCES_SHOWN), `${rest} more`] : found;
}

/** The hash of the input covers words too: it tells only where those are the same. */
function otherCohorts(base: RunRecord, candidate: RunRecord): boolean {
	const same = differences(leaves(base.config), leaves(candidate.config)).length === 0;
	return same && base.input !== undefined && candidate.input !== undefined && base.input !== candidate.input;
}

/** By scenario, parameters of a sweep, policy and seed; a second run of the same name gets a number. */
function byName(runs: readonly RunRecord[]): Map<string, RunRecord> {
	const found = new Map<string, RunRecord>();
	for (const run of runs) {
		const name = nameOf(run);
		let free = name;
		for (let n = 2; found.has(free); n++) {
			free = `${name} (${n})`;
		}
		found.set(free, run);
	}
	return found;
}

function nameOf({ scenario, parameters = {}, policy, seed }: RunRecord): string {
	const point = Object.entries(parameters).map(([path, value]) => ` / ${path}=${value}`);
	return `${scenario}${point.join("")} / ${policy} / seed ${seed}`;
}

function list(names: readonly string[]): string {
	const shownNames = names.slice(0, DIFFERENCES_SHOWN).join(", ");
	const rest = names.length - DIFFERENCES_SHOWN;
	return rest > 0 ? `${shownNames} and ${rest} more` : shownNames;
}
