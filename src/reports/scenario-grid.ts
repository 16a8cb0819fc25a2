import type { RunRecord } from "../record/run-record.js";
import { drainState } from "../record/verdict.js";
import { formatCount, formatRatio, NONE } from "./format.js";
import { type LabelledRun, policiesInOrder, type ScenarioGroup } from "./grouping.js";

/** What became of a scenario under a policy, in a word or two. */
interface GridCell {
	readonly text: string;
	/** What else has to be said: what was lost, or stored twice. */
	readonly note: string;
	readonly bad: boolean;
}

/** Every scenario under every policy, at a glance. */
export interface ScenarioGrid {
	readonly policies: readonly { readonly name: string; readonly colour: string }[];
	readonly rows: readonly {
		readonly group: ScenarioGroup;
		readonly passed: boolean;
		readonly cells: readonly GridCell[];
	}[];
}

/** The grid of a file's scenarios; of several runs of a policy it shows the worst. */
export function scenarioGrid(groups: readonly ScenarioGroup[]): ScenarioGrid {
	const colours = new Map(groups.flatMap(({ runs }) => runs.map(({ run, colour }) => [run.policy, colour])));
	const policies = policiesInOrder(groups);
	return {
		policies: policies.map((name) => ({ name, colour: colours.get(name) ?? "" })),
		rows: groups.map((group) => ({
			group,
			passed: group.runs.every(({ verdict }) => verdict.passed),
			cells: policies.map((policy) => cellOf(group.runs.filter(({ run }) => run.policy === policy))),
		})),
	};
}

function cellOf(entries: readonly LabelledRun[]): GridCell {
	const [worst] = [...entries].sort((a, b) => badness(b) - badness(a));
	if (worst === undefined) {
		return { text: NONE, note: "", bad: false };
	}
	const { run, verdict } = worst;
	const { ackedLost, duplicates } = run.ledger;
	const notes = [
		...(ackedLost > 0 ? [`${formatCount(ackedLost)} LOST`] : []),
		...(duplicates > 0 ? [`${formatCount(duplicates)} twice`] : []),
	];
	const bad = !verdict.passed || drainState(run) === "never" || ackedLost > 0;
	return { text: drainText(run), note: notes.join(", "), bad };
}

function badness({ run, verdict }: LabelledRun): number {
	const slowness = run.virtual.drainRatio ?? (drainState(run) === "nothing" ? 0 : 1e9);
	return (verdict.passed ? 0 : 1e12) + slowness;
}

function drainText(run: RunRecord): string {
	switch (drainState(run)) {
		case "drained":
			return formatRatio(run.virtual.drainRatio ?? 0);
		case "never":
			return "never";
		case "stopped":
			return "stopped";
		case "nothing":
			return "no backlog";
	}
}
