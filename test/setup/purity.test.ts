import { describe, expect, test } from "vitest";
import { impurities } from "../../scripts/checks/impurities.mjs";
import { folderOf, runScript } from "./support.js";

describe("the purity check", () => {
	test.each([
		"const now = Date.now();",
		"export const age = (born: Date) => born;",
		"const t = performance.now();",
		"setTimeout(() => {}, 1);",
		"const t = process.hrtime.bigint();",
		"const t = process.uptime();",
		'import { setTimeout as later } from "node:timers/promises";',
		'import { performance as clock } from "node:perf_hooks";',
		"const t = globalThis.Date;",
		"const { random } = Math;",
		"const x = Math.log(2);",
		"const x = a ** b;",
	])("finds in the engine: %s", (source) => {
		expect(impurities(`// é\n\n${source}\n`, true)[0]).toMatchObject({ line: 3 });
	});

	test.each([
		"const r = Math.random();",
		'const r = Math["random"]();',
		'import { randomBytes } from "node:crypto";',
		"const id = crypto.randomUUID();",
	])("finds chance anywhere: %s", (source) => {
		expect(impurities(source, false)).toHaveLength(1);
		expect(impurities(source, true)).not.toHaveLength(0);
	});

	test("knows a clock from a name, a string and a comment", () => {
		const source =
			'const row = { Date: "Date.now()" }; // Date\nMath.floor(row.Date.length); Math.sqrt(2);\n';
		expect(impurities(source, true)).toEqual([]);
	});

	test("leaves the clock to those who report", () => {
		expect(impurities("const now = new Date();", false)).toEqual([]);
	});

	test("is run over src, and names the place", () => {
		const folder = folderOf({ "src/engine/run.ts": "\nexport const now = Date.now();\n" });
		const { code, printed } = runScript("check-purity.mjs", [folder]);
		expect(printed).toContain("src/engine/run.ts:2: Date: a clock\n");
		expect(code).toBe(1);
	});
});
