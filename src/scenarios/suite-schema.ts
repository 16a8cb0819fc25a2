import { z } from "zod";
import { MAX_DEVICES } from "./limits.js";
import { SCENARIO_NAME, SCENARIO_NAME_IN_WORDS } from "./scenario-name.js";
import { POLICY_NAMES } from "./schema.js";
import { strictMap, text, whole } from "./schema-fields.js";

/** The schema id that a suite file starts with. */
export const SUITE_SCHEMA_ID = "klais.suite/1";

const ENTRIES_MAX = 500;

const value = z
	.union([z.string(), z.number(), z.boolean(), z.record(z.string(), z.unknown()), z.array(z.unknown())], {
		error: "expected a value of the scenario, such as 20/s or full-jitter",
	})
	.meta({ description: "A value as the scenario file takes it" });

const scenario = text(1_000).describe(
	"A catalogue name, or a file that ends in .yaml, relative to this one.",
);

const entry = z.union(
	[
		scenario,
		strictMap({
			scenario,
			name: z
				.string()
				.regex(SCENARIO_NAME, `expected ${SCENARIO_NAME_IN_WORDS}`)
				.optional()
				.describe(
					"What reports call it. Left out: the scenario's name. A scenario that is there twice needs one.",
				),
			devices: whole(1, MAX_DEVICES)
				.optional()
				.describe("Scales the whole scenario to this many devices, as --devices does."),
			seed: z
				.union([text(100), z.int().nonnegative()])
				.transform(String)
				.optional()
				.describe("The seed of all chance. Left out: the scenario's."),
			policies: z
				.array(z.enum(POLICY_NAMES))
				.min(1, "expected at least one policy")
				.max(POLICY_NAMES.length)
				.optional()
				.describe("The policies compared. Left out: the scenario's."),
			set: z
				.record(z.string().min(1), value)
				.optional()
				.describe("Values that differ from the scenario's, by dotted path, as --set takes them."),
		}),
	],
	{ error: "expected a scenario's name, or a map with the key scenario" },
);

/** A suite file, schema `klais.suite/1`. Only `schema` and `scenarios` must be there. */
export const suiteSchema = strictMap({
	schema: z
		.literal(SUITE_SCHEMA_ID, {
			error: `expected ${SUITE_SCHEMA_ID}, the only schema that this version reads`,
		})
		.describe("The schema of this file."),
	title: text(200).optional().describe("One line for klais list."),
	teaches: text(2_000).optional().describe("What the suite is for."),
	scenarios: z
		.array(entry)
		.min(1, "expected at least one scenario")
		.max(ENTRIES_MAX, `expected at most ${ENTRIES_MAX} scenarios`)
		.describe("What is run, in the order of the report."),
});

/** The JSON Schema (draft 2020-12) of a suite file, for editors and other tools. */
export function suiteJsonSchema(): Record<string, unknown> {
	return {
		...z.toJSONSchema(suiteSchema, { io: "input" }),
		$id: "urn:klais:suite:1",
		title: "KLAIS bench suite",
	};
}
