import { describe, expect, test } from "vitest";
import { folderOf, runScript } from "./support.js";

describe("the TypeScript layer check", () => {
	test("passes what keeps to the table", () => {
		const folder = folderOf({
			"src/units/a.ts": "export const a: number = 1;\n",
			"src/gate/b.ts": 'import { a } from "../units/a.js";\nexport const b = a;\n',
			"src/cli/main.ts": 'import { b } from "../gate/b.js";\nconsole.log(b);\n',
		});
		const { code, printed } = runScript("check-layers.mjs", [folder]);
		expect(printed).toBe("layers: 3 modules, no problem\n");
		expect(code).toBe(0);
	});

	test.each([
		["gate", "engine", 'import { x } from "../engine/x.js";\nexport const y = x;\n'],
		["units", "record", 'import { x } from "../record/x.js";\nexport const y = x;\n'],
		["record", "scenarios", 'export { x } from "../scenarios/x.js";\n'],
		["live", "engine", 'export const y = await import("../engine/x.js");\n'],
		["engine", "cli", 'import { x } from "../cli/x.js";\nexport const y = x;\n'],
	])("finds an import from %s of %s", (from, to, source) => {
		const folder = folderOf({ [`src/${from}/y.ts`]: source, [`src/${to}/x.ts`]: "export const x = 1;\n" });
		const { code, printed } = runScript("check-layers.mjs", [folder]);
		expect(printed).toContain(`src/${from}/y.ts -> src/${to}/x.ts: breaks the rule layer-${from}`);
		expect(code).toBe(1);
	});

	test("finds an import of types alone", () => {
		const folder = folderOf({
			"src/reports/y.ts": 'import type { X } from "../engine/x.js";\nexport type Y = X;\n',
			"src/engine/x.ts": "export type X = number;\n",
		});
		expect(runScript("check-layers.mjs", [folder]).printed).toContain("breaks the rule layer-reports");
	});

	test("finds a cycle, a folder without a row and an import of tests", () => {
		const folder = folderOf({
			"src/gate/a.ts": 'import { b } from "./b.js";\nexport const a = () => b;\n',
			"src/gate/b.ts": 'import { a } from "./a.js";\nexport const b = () => a;\n',
			"src/extra/c.ts": 'import { d } from "../../test/d.js";\nexport const c = d;\n',
			"test/d.ts": "export const d = 1;\n",
		});
		const { printed } = runScript("check-layers.mjs", [folder]);
		for (const rule of ["no-cycles", "known-folders-only", "src-stands-alone"]) {
			expect(printed).toContain(rule);
		}
	});

	test("finds the native library loaded behind the engine's back", () => {
		const source = 'process.dlopen({ exports: {} }, "native/klais.node");\n';
		const folder = folderOf({ "src/live/a.ts": source, "src/engine/b.ts": source });
		const { printed } = runScript("check-layers.mjs", [folder]);
		expect(printed).toContain("src/live/a.ts -> native/klais.node");
		expect(printed).not.toContain("src/engine/b.ts");
	});

	test("does not pass if it saw nothing", () => {
		const { code, printed } = runScript("check-layers.mjs", [folderOf({ "src/readme.md": "empty\n" })]);
		expect(printed).toContain("nothing was checked");
		expect(code).toBe(1);
	});
});
