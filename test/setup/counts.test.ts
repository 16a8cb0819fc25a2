import { expect, test } from "vitest";
import { cargoCounts, vitestCounts } from "../../scripts/test/counts.mjs";
import { folderOf, runScript } from "./support.js";

test("cargo's tests are summed over its programs", () => {
	const line = (passed: number, failed: number, ignored: number) =>
		`test result: ok. ${passed} passed; ${failed} failed; ${ignored} ignored; 0 measured; 0 filtered out\n`;
	expect(cargoCounts(`running 3 tests\n${line(3, 0, 1)}\n${line(0, 2, 0)}`)).toEqual({
		passed: 3,
		failed: 2,
		skipped: 1,
	});
	expect(cargoCounts("error: could not compile")).toEqual({ passed: 0, failed: 0, skipped: 0 });
});

test("a test file that breaks before its first test counts as a failure", () => {
	const report = {
		numPassedTests: 4,
		numFailedTests: 1,
		numPendingTests: 1,
		numTodoTests: 1,
		testResults: [
			{ status: "failed", assertionResults: [] },
			{ status: "failed", assertionResults: [{ status: "failed" }] },
			{ status: "passed", assertionResults: [] },
		],
	};
	expect(vitestCounts(JSON.stringify(report))).toEqual({ passed: 4, failed: 2, skipped: 2 });
});

test("a file too long to read is named", () => {
	const folder = folderOf({ "src/long.ts": "//\n".repeat(401), "src/short.ts": "//\n".repeat(400) });
	const { code, printed } = runScript("check-sizes.mjs", [folder]);
	expect(printed).toContain("src/long.ts: 401 lines, at most 400\n");
	expect(printed).not.toContain("short.ts");
	expect(code).toBe(1);
});
