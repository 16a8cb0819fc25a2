export const noCounts = { passed: 0, failed: 0, skipped: 0 };

export const addCounts = (a, b) => ({
	passed: a.passed + b.passed,
	failed: a.failed + b.failed,
	skipped: a.skipped + b.skipped,
});

/** From what `cargo test` prints: one line for each test program. */
export function cargoCounts(printed) {
	const lines = printed.matchAll(/^test result: .*?(\d+) passed; (\d+) failed; (\d+) ignored/gm);
	return [...lines]
		.map(([, passed, failed, skipped]) => ({
			passed: Number(passed),
			failed: Number(failed),
			skipped: Number(skipped),
		}))
		.reduce(addCounts, noCounts);
}

/** From vitest's JSON report. A file that broke before its first test counts as a failure. */
export function vitestCounts(report) {
	const { numPassedTests, numFailedTests, numPendingTests, numTodoTests, testResults } = JSON.parse(report);
	const broken = testResults.filter(
		({ status, assertionResults }) => status === "failed" && assertionResults.length === 0,
	);
	return {
		passed: numPassedTests,
		failed: numFailedTests + broken.length,
		skipped: numPendingTests + numTodoTests,
	};
}
