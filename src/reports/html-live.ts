import type { ResultsFile } from "../record/run-record.js";
import type { Finding } from "../record/verdict.js";
import { comparisonNotes, comparisonTable } from "./comparison-table.js";
import { type FigureModel, liveFiguresOf, packedLiveSeries } from "./html-figures.js";
import { type LabelledLive, labelledLive } from "./live-groups.js";
import { liveChecks, liveNotes, liveSetup, liveTable } from "./live-tables.js";
import { liveAnswer } from "./live-words.js";
import type { Table } from "./tables.js";
import { faultTable, witnessExamples, witnessTable } from "./witness-tables.js";

/** A live run as the page shows it. */
export interface LiveModel {
	readonly label: string;
	readonly slug: string;
	readonly passed: boolean;
	readonly answer: string;
	readonly findings: readonly Finding[];
	readonly figures: readonly FigureModel[];
	readonly compared: Table;
	readonly notes: readonly string[];
	readonly checks: Table;
	/** Faults, what the witness found, and the comparison; where there were any. */
	readonly found: readonly Table[];
	/** How the comparison is to be read, and what the witness has named. */
	readonly examples: readonly string[];
	readonly setup: Table;
	/** Series for the cursor: JSON, deflated, in base64. */
	readonly series: string;
}

/** The live runs of a file, in its order. */
export async function liveModels(results: ResultsFile): Promise<readonly LiveModel[]> {
	const models: LiveModel[] = [];
	for (const entry of labelledLive(results)) {
		models.push(await liveModel(entry));
	}
	return models;
}

async function liveModel(entry: LabelledLive): Promise<LiveModel> {
	const { live, label, slug, verdict } = entry;
	return {
		label,
		slug,
		passed: verdict.passed,
		answer: liveAnswer(entry),
		findings: verdict.findings,
		figures: await liveFiguresOf(entry),
		compared: liveTable(live),
		notes: liveNotes(live),
		checks: liveChecks(live),
		found: [faultTable(live), witnessTable(live), comparisonTable(live)].filter((table) => table !== null),
		examples: [...comparisonNotes(live), ...witnessExamples(live)],
		setup: liveSetup(live),
		series: packedLiveSeries(entry),
	};
}
