import type { ResultsFile, RunRecord } from "../record/run-record.js";
import { type Verdict, verdictOfResults } from "../record/verdict.js";
import { formatCount } from "./format.js";
import { policyVariable } from "./palette.js";
import { parametersInWords } from "./parameters.js";

/** A run as reports show it: what it is called among its neighbours, and in which colour. */
export interface LabelledRun {
	readonly run: RunRecord;
	readonly verdict: Verdict;
	/** The policy, and whatever else tells this run from the others of its scenario. */
	readonly label: string;
	/** A CSS colour, the same for a policy everywhere. */
	readonly colour: string;
	/** Safe in file names and anchors, unique within the file. */
	readonly slug: string;
	/** How many earlier runs of the scenario have the same policy: their lines need another dash. */
	readonly repeat: number;
}

export interface ScenarioGroup {
	readonly scenario: string;
	/** The scenario's own title where the record has it. */
	readonly title: string;
	readonly slug: string;
	readonly runs: readonly LabelledRun[];
}

/** The runs of a file by scenario, both in the file's order. */
export function groupByScenario(results: ResultsFile): readonly ScenarioGroup[] {
	const policies = policiesOf(results);
	const slugs = new Set<string>();
	const groups = new Map<string, { run: RunRecord; verdict: Verdict }[]>();
	for (const judged of verdictOfResults(results).runs) {
		const group = groups.get(judged.run.scenario);
		if (group === undefined) {
			groups.set(judged.run.scenario, [judged]);
		} else {
			group.push(judged);
		}
	}
	return [...groups].map(([scenario, judged]) => {
		const slug = uniqueSlug(scenario, slugs);
		const labels = labelsOf(judged.map((entry) => entry.run));
		const seen = new Map<string, number>();
		const runs = judged.map(({ run, verdict }, index): LabelledRun => {
			const repeat = seen.get(run.policy) ?? 0;
			seen.set(run.policy, repeat + 1);
			const label = labels[index] ?? run.policy;
			return {
				run,
				verdict,
				label,
				colour: `var(${policyVariable(policies.indexOf(run.policy))})`,
				slug: uniqueSlug(`${slug}-${label}`, slugs),
				repeat,
			};
		});
		return { scenario, title: titleOf(judged[0]?.run) ?? scenario, slug, runs };
	});
}

/** Every policy of a file, sorted: the place of a policy is its colour. */
export function policiesOf(results: ResultsFile): readonly string[] {
	return [...new Set([...results.runs, ...results.live].map(({ policy }) => policy))].sort();
}

/** Every policy of these scenarios, in the file's order but for `klais`, which leads: the page is about it. */
export function policiesInOrder(groups: readonly ScenarioGroup[]): readonly string[] {
	const names = new Set(groups.flatMap(({ runs }) => runs.map(({ run }) => run.policy)));
	return [...names].sort((a, b) => Number(b === "klais") - Number(a === "klais"));
}

function titleOf(run: RunRecord | undefined): string | undefined {
	const config = run?.config;
	if (typeof config !== "object" || config === null) {
		return undefined;
	}
	const { title } = config as { title?: unknown };
	return typeof title === "string" && title.trim() !== "" ? title.trim() : undefined;
}

/** Each run's policy, with its seed, devices and number only where they are needed to tell runs apart. */
function labelsOf(runs: readonly RunRecord[]): string[] {
	const parts = [
		(run: RunRecord) => run.policy,
		(run: RunRecord) => parametersInWords(run.parameters ?? {}),
		(run: RunRecord) => `seed ${run.seed}`,
		(run: RunRecord) => `${formatCount(run.devices)} devices`,
		(run: RunRecord) => `${run.workers} workers`,
	];
	let labels = runs.map((run) => run.policy);
	for (const part of parts.slice(1)) {
		const counts = countBy(labels);
		if (new Set(runs.map(part)).size > 1) {
			labels = labels.map((label, i) => {
				const run = runs[i];
				return run !== undefined && (counts.get(label) ?? 0) > 1 ? `${label}, ${part(run)}` : label;
			});
		}
	}
	const counts = countBy(labels);
	const numbers = new Map<string, number>();
	return labels.map((label) => {
		if ((counts.get(label) ?? 0) < 2) {
			return label;
		}
		const number = (numbers.get(label) ?? 0) + 1;
		numbers.set(label, number);
		return `${label} #${number}`;
	});
}

function countBy(labels: readonly string[]): Map<string, number> {
	const counts = new Map<string, number>();
	for (const label of labels) {
		counts.set(label, (counts.get(label) ?? 0) + 1);
	}
	return counts;
}

/** Lower-case ASCII words joined by hyphens; numbered when already taken. */
export function uniqueSlug(name: string, taken: Set<string>): string {
	const words = name.toLowerCase().match(/[a-z0-9]+/g) ?? [];
	const base = words.join("-").slice(0, 60).replace(/-+$/, "") || "scenario";
	let slug = base;
	for (let number = 2; taken.has(slug); number++) {
		slug = `${base}-${number}`;
	}
	taken.add(slug);
	return slug;
}
