import { EXIT, type ExitCode } from "./exit-codes.js";
import { print } from "./talk.js";

/** `klais schema`: the JSON Schema of a scenario file, or of a results file. */
export async function schemaCommand({ results = false }: { readonly results?: boolean }): Promise<ExitCode> {
	const schema = results
		? (await import("../record/results-schema.js")).resultsJsonSchema()
		: (await import("../scenarios/schema.js")).scenarioJsonSchema();
	print(JSON.stringify(schema, undefined, "\t"));
	return EXIT.passed;
}
