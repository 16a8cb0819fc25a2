import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parseSuite } from "../../src/gate/suite.js";
import { PROJECT } from "../cli/support.js";

describe("a suite", () => {
	it("of the project itself is one", () => {
		const file = join(PROJECT, "bench", "gate.yaml");
		const suite = parseSuite(readFileSync(file, "utf8"), file);
		const names = suite.ok
			? [suite.value.time, suite.value.instructions].map((all) => all.map(({ name }) => name))
			: [];
		expect(suite.ok ? suite.value.exact : suite.error).toHaveProperty("command");
		expect(names).toEqual([
			["engine-storm", "gateway-service", "dam"],
			["gateway-service", "dam"],
		]);
	});

	it.each([
		["a: [", "not valid YAML", {}],
		["schema: klais.gate/2", "Invalid input", { key: "schema", line: 1 }],
		["schema: klais.gate/1", "there is nothing to measure", {}],
		[
			"schema: klais.gate/1\ntime:\n  - { name: a }",
			"expected either a command or a cargo benchmark",
			{ key: "time.0", line: 3 },
		],
		[
			"schema: klais.gate/1\ntime:\n  - { name: a, command: [x], margin: lots }",
			"expected a share such as 3%",
			{ line: 3 },
		],
		["schema: klais.gate/1\ntime:\n  - { name: a, command: [] }", "", { key: "time.0.command" }],
		[
			"schema: klais.gate/1\ntime:\n  - { name: a, command: [x] }\n  - { name: a, command: [y] }",
			"have one name",
			{},
		],
		[
			"schema: klais.gate/1\ninstructions:\n  - { name: a, command: [x], ignore: ['('] }",
			"expected a regular expression",
			{},
		],
		["schema: klais.gate/1\ntimes: []", "times", {}],
		["- 1", "", {}],
	])("is refused, with the place: %j", (text, message, place) => {
		const found = parseSuite(text, "gate.yaml");
		expect(found).toMatchObject({
			ok: false,
			error: { file: "gate.yaml", message: expect.stringContaining(message), ...place },
		});
	});
});
