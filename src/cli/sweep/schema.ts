import { z } from "zod";
import { METRICS } from "../../reports/metrics.js";
import { MAX_DEVICES } from "../../scenarios/limits.js";
import { POLICY_NAMES } from "../../scenarios/schema.js";
import { strictMap, text, whole } from "../../scenarios/schema-fields.js";

/** The schema id that a sweep file starts with. */
export const SWEEP_SCHEMA_ID = "klais.sweep/1";

/** Runs of one sweep: their records must fit into one file. */
export const SWEEP_RUNS_MAX = 5_000;
const PARAMETERS_MAX = 20;
const VALUES_MAX = 1_000;
const SEEDS_MAX = 1_000;

/** In a grid, the parameter that scales the fleet as `--devices` does. */
export const DEVICES_PARAMETER = "devices";

/** What the table of a sweep can show: exact figures alone. */
const METRIC_NAMES = METRICS.map(({ id }) => id);

/** Paths that a key of their own varies. */
const OTHER_KEYS: Readonly<Record<string, string>> = {
	seed: "seeds",
	policies: "policies",
	policy: "policies",
};

const value = z
	.union([z.string(), z.number(), z.boolean(), z.record(z.string(), z.unknown()), z.array(z.unknown())], {
		error: "expected a value of the scenario, such as 20/s or full-jitter",
	})
	.meta({ description: "A value as the scenario file takes it" });

const path = z.string().min(1);

const fleet = whole(1, MAX_DEVICES);

const grid = z
	.record(path, z.array(value).min(1, "expected at least one value").max(VALUES_MAX))
	.superRefine((parameters, context) => {
		for (const [index, devices] of (parameters[DEVICES_PARAMETER] ?? []).entries()) {
			const issue = fleet.safeParse(devices).error?.issues[0];
			if (issue !== undefined) {
				context.addIssue({ code: "custom", path: [DEVICES_PARAMETER, index], message: issue.message });
			}
		}
		const names = Object.keys(parameters);
		if (names.length > PARAMETERS_MAX) {
			context.addIssue({ code: "custom", message: `expected at most ${PARAMETERS_MAX} parameters` });
		}
		for (const name of names) {
			const key = OTHER_KEYS[name];
			if (key !== undefined) {
				context.addIssue({ code: "custom", path: [name], message: `is no parameter: \`${key}\` lists them` });
			}
			for (const index of repeats(parameters[name] ?? [])) {
				context.addIssue({ code: "custom", path: [name, index], message: "the value is there twice" });
			}
		}
	});

const seed = z.union([text(100), z.int().nonnegative()]).transform(String);

const seedList = z
	.array(seed)
	.min(1, "expected at least one seed")
	.max(SEEDS_MAX)
	.superRefine((seeds, context) => {
		for (const index of repeats(seeds)) {
			context.addIssue({ code: "custom", path: [index], message: "the seed is there twice" });
		}
	});

/** A sweep file, schema `klais.sweep/1`. Only `schema` and `scenario` must be there. */
export const sweepSchema = strictMap({
	schema: z
		.literal(SWEEP_SCHEMA_ID, {
			error: `expected ${SWEEP_SCHEMA_ID}, the only schema that this version reads`,
		})
		.describe("The schema of this file."),
	title: text(200).optional().describe("One line for the report. Left out: the scenario's title."),
	scenario: text(1_000).describe("A catalogue name, or a file that ends in .yaml, relative to this one."),
	devices: fleet.optional().describe("Scales the whole scenario to this many devices, as --devices does."),
	set: z
		.record(path, value)
		.optional()
		.describe("Values that differ from the scenario's in every run, by dotted path, as --set takes them."),
	grid: grid
		.optional()
		.describe(
			"The parameters: dotted path to the list of its values. Every combination is run. `devices` scales the fleet.",
		),
	seeds: z
		.union([seedList, whole(1, SEEDS_MAX)], { error: "expected a list of seeds, or how many" })
		.optional()
		.describe(
			"The seeds of every combination: a list, or a number n for 1 to n. Left out: the scenario's seed.",
		),
	policies: z
		.array(z.enum(POLICY_NAMES))
		.min(1, "expected at least one policy")
		.max(POLICY_NAMES.length)
		.superRefine((policies, context) => {
			for (const index of repeats(policies)) {
				context.addIssue({ code: "custom", path: [index], message: "the policy is there twice" });
			}
		})
		.optional()
		.describe("The policies of every combination. Left out: the scenario's."),
	metrics: z
		.array(z.enum(METRIC_NAMES))
		.min(1, "expected at least one metric")
		.max(12)
		.optional()
		.describe("The columns of the table, by their names in the run record."),
});

/** A sweep file as read. */
export type SweepInput = z.output<typeof sweepSchema>;

/** The JSON Schema (draft 2020-12) of a sweep file, for editors and other tools. */
export function sweepJsonSchema(): Record<string, unknown> {
	return {
		...z.toJSONSchema(sweepSchema, { io: "input" }),
		$id: "urn:klais:sweep:1",
		title: "KLAIS bench sweep",
	};
}

/** Positions of values that an earlier one equals. */
function repeats(values: readonly unknown[]): number[] {
	const texts = values.map((each) => JSON.stringify(each));
	return texts.flatMap((each, index) => (texts.indexOf(each) < index ? [index] : []));
}
