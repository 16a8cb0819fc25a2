import type { LiveRecord } from "../record/live-record.js";
import type { ResultsFile } from "../record/run-record.js";
import { type Verdict, verdictOfResults } from "../record/verdict.js";
import { policiesOf, uniqueSlug } from "./grouping.js";
import { policyVariable } from "./palette.js";

/** A live run as reports show it. */
export interface LabelledLive {
	readonly live: LiveRecord;
	readonly verdict: Verdict;
	/** Scenario and policy, and a number where those are not enough to tell live runs apart. */
	readonly label: string;
	/** The policy's CSS colour. */
	readonly colour: string;
	/** Safe in file names and anchors, unique within the file, and no scenario's. */
	readonly slug: string;
}

/** The live runs of a file, in its order. */
export function labelledLive(results: ResultsFile): readonly LabelledLive[] {
	const policies = policiesOf(results);
	const slugs = new Set<string>();
	const seen = new Map<string, number>();
	return verdictOfResults(results).live.map(({ live, verdict }): LabelledLive => {
		const name = `${live.scenario} / ${live.policy}`;
		const number = (seen.get(name) ?? 0) + 1;
		seen.set(name, number);
		return {
			live,
			verdict,
			label: number === 1 ? name : `${name} #${number}`,
			colour: `var(${policyVariable(policies.indexOf(live.policy))})`,
			slug: `live--${uniqueSlug(`${live.scenario}-${live.policy}`, slugs)}`,
		};
	});
}
