import { describe, expect, test } from "vitest";
import { SCENARIO_SCHEMA_ID, scenarioJsonSchema } from "../../src/scenarios/schema.js";

describe("the JSON Schema of a scenario", () => {
	const schema = scenarioJsonSchema() as {
		required: string[];
		additionalProperties: boolean;
		properties: Record<string, Record<string, unknown>>;
	};

	test("says what must be there, and allows nothing unknown", () => {
		expect(schema.required).toEqual(["schema", "duration", "devices"]);
		expect(schema.additionalProperties).toBe(false);
		expect(schema.properties["schema"]).toMatchObject({ const: SCENARIO_SCHEMA_ID });
	});

	test("describes quantities in words", () => {
		expect(schema.properties["duration"]).toMatchObject({
			description: expect.stringContaining("from 1s to 49d"),
		});
	});

	test("survives JSON", () => {
		expect(JSON.parse(JSON.stringify(schema))).toEqual(schema);
	});
});
