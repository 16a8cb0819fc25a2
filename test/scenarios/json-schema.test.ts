import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { CATALOGUE_FOLDER } from "../../src/scenarios/catalogue.js";
import { initText } from "../../src/scenarios/init-scenario.js";
import { scenarioJsonSchema } from "../../src/scenarios/json-schema.js";
import { SCENARIO_SCHEMA_ID } from "../../src/scenarios/schema.js";
import { SUITE_SCHEMA_ID, suiteJsonSchema } from "../../src/scenarios/suite-schema.js";

interface Schema {
	readonly description?: string;
	readonly properties?: Readonly<Record<string, Schema>>;
	readonly anyOf?: readonly Schema[];
	readonly oneOf?: readonly Schema[];
	readonly items?: Schema;
}

/** Every key of a schema by its path, with what is said of it. */
function described(schema: Schema, path = ""): [string, string | undefined][] {
	const inner = [...(schema.anyOf ?? []), ...(schema.oneOf ?? []), ...(schema.items ? [schema.items] : [])];
	return [
		...Object.entries(schema.properties ?? {}).flatMap(([key, property]): [string, string | undefined][] => [
			[`${path}${key}`, property.description],
			...described(property, `${path}${key}.`),
		]),
		...inner.flatMap((each) => described(each, path)),
	];
}

/** Whether an editor that goes by the schema has nothing to underline. */
function accepts(schema: Record<string, unknown>, text: string): boolean {
	// Not understood by the reader of schemas here: what must be there is for the loader's own tests.
	const { if: _if, else: _else, ...plain } = schema;
	return z.fromJSONSchema(plain as Parameters<typeof z.fromJSONSchema>[0]).safeParse(parse(text)).success;
}

const filesIn = (folder: string) =>
	readdirSync(folder)
		.filter((name) => name.endsWith(".yaml"))
		.map((name) => [name, readFileSync(join(folder, name), "utf8")] as const);

describe("the JSON Schema of a scenario", () => {
	const schema = scenarioJsonSchema() as Schema & Record<string, unknown>;

	test("says what must be there, and allows nothing unknown", () => {
		expect(schema["required"]).toEqual(["schema"]);
		expect(schema["if"]).toEqual({ required: ["extends"] });
		expect(schema["else"]).toEqual({
			required: ["schema", "duration", "devices"],
			properties: { devices: { required: ["count"] } },
		});
		expect(schema["additionalProperties"]).toBe(false);
		expect(schema.properties?.["schema"]).toMatchObject({ const: SCENARIO_SCHEMA_ID });
	});

	test("says of every key what it means", () => {
		const all = described(schema).filter(([path]) => !/^expect\./.test(path));
		expect(all.length).toBeGreaterThan(70);
		for (const [path, description] of all.filter(([path]) => !/^(none|static|klais)$/.test(path))) {
			expect(description?.length ?? 0, path).toBeGreaterThan(8);
			expect(description, path).not.toContain("undefined");
		}
		expect(schema.properties?.["duration"]?.description).toContain("from 1s to 49d");
	});

	test("survives JSON", () => {
		expect(JSON.parse(JSON.stringify(schema))).toEqual(schema);
	});

	test.each(filesIn(CATALOGUE_FOLDER))("an editor takes %s", (_name, text) => {
		expect(accepts(schema, text)).toBe(true);
		expect(accepts(schema, `${text}\nduraton: 5m\n`)).toBe(false);
	});

	test("an editor takes what klais init writes", () => {
		expect(accepts(schema, initText("x.yaml"))).toBe(true);
	});
});

describe("the JSON Schema of a suite", () => {
	const schema = suiteJsonSchema();

	test("says of every key what it means", () => {
		expect(schema["required"]).toEqual(["schema", "scenarios"]);
		const all = described(schema as Schema);
		expect(all.map(([path]) => path)).toContain("scenarios.devices");
		for (const [path, description] of all) {
			expect(description?.length ?? 0, path).toBeGreaterThan(8);
		}
	});

	test.each(filesIn(join(CATALOGUE_FOLDER, "suites")))("an editor takes %s", (_name, text) => {
		expect(text).toContain(SUITE_SCHEMA_ID);
		expect(accepts(schema, text)).toBe(true);
		expect(accepts(schema, text.replace("scenarios:", "scenario:"))).toBe(false);
	});
});
