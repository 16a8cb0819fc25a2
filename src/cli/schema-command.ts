import { EXIT, type ExitCode } from "./exit-codes.js";
import { print, refuse } from "./talk.js";

/** The flags of `klais schema`. */
export interface SchemaFlags {
	readonly results?: boolean;
	readonly sweep?: boolean;
	readonly suite?: boolean;
}

/** `klais schema`: the JSON Schema of a scenario file, of a results file, of a sweep file or of a suite file. */
export async function schemaCommand({
	results = false,
	sweep = false,
	suite = false,
}: SchemaFlags): Promise<ExitCode> {
	const flags = [
		...(results ? ["--results"] : []),
		...(sweep ? ["--sweep"] : []),
		...(suite ? ["--suite"] : []),
	];
	const [first, second] = flags;
	if (second !== undefined) {
		const message = `there is one schema at a time: not with ${first}`;
		return refuse([{ kind: "usage", key: second, message }]);
	}
	print(JSON.stringify(await chosen(first), undefined, "\t"));
	return EXIT.passed;
}

async function chosen(flag: string | undefined): Promise<Record<string, unknown>> {
	switch (flag) {
		case "--results":
			return (await import("../record/results-schema.js")).resultsJsonSchema();
		case "--sweep":
			return (await import("./sweep/schema.js")).sweepJsonSchema();
		case "--suite":
			return (await import("../scenarios/suite-schema.js")).suiteJsonSchema();
		default:
			return (await import("../scenarios/json-schema.js")).scenarioJsonSchema();
	}
}
