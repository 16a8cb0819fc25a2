import { z } from "zod";

/** What a sweep's record has beside others: what was varied, for the table of its points. */
export interface SweepSection {
	readonly title: string;
	/** Paths of the parameters, in the order of the sweep file; each run has its values under `parameters`. */
	readonly parameters: readonly string[];
	readonly seeds: readonly string[];
	readonly policies: readonly string[];
	/** Metrics of the table, by the names of the run record. */
	readonly metrics: readonly string[];
}

const texts = z.array(z.string()).readonly();

/** The zod schema of `SweepSection`. */
export const sweepSectionSchema = z
	.looseObject({
		title: z.string(),
		parameters: texts.describe("Paths of the parameters; each run has its values under `parameters`"),
		seeds: texts,
		policies: texts,
		metrics: texts,
	})
	.describe("Only in the record of a sweep: what was varied");
