import { EXIT, type ExitCode } from "./exit-codes.js";
import { print, refuse } from "./talk.js";

/** The flags of `klais schema`. */
export interface SchemaFlags {
	readonly results?: boolean;
	readonly sweep?: boolean;
}

/** `klais schema`: the JSON Schema of a scenario file, of a results file or of a sweep file. */
export async function schemaCommand({ results = false, sweep = false }: SchemaFlags): Promise<ExitCode> {
	if (results && sweep) {
		return refuse([
			{ kind: "usage", key: "--sweep", message: "there is one schema at a time: not with --results" },
		]);
	}
	print(JSON.stringify(await chosen(results, sweep), undefined, "\t"));
	return EXIT.passed;
}

async function chosen(results: boolean, sweep: boolean): Promise<Record<string, unknown>> {
	if (results) {
		return (await import("../record/results-schema.js")).resultsJsonSchema();
	}
	return sweep
		? (await import("./sweep/schema.js")).sweepJsonSchema()
		: (await import("../scenarios/schema.js")).scenarioJsonSchema();
}
