import type { JudgedRun, Severity } from "../record/verdict.js";
import { coloursFor, print } from "./talk.js";

/** Prints what the verdicts found, and for each failed run the command that repeats it. */
export function printFindings(
	judged: readonly JudgedRun[],
	repeatOf: (run: JudgedRun["run"]) => string | undefined,
): void {
	const colours = coloursFor(process.stdout);
	const paint: Record<Severity, (text: string) => string> = {
		failure: colours.red,
		warning: colours.yellow,
		note: colours.dim,
	};
	for (const { run, verdict } of judged) {
		for (const { severity, message } of verdict.findings) {
			print(`${paint[severity](`${severity}:`)} ${run.scenario} / ${run.policy}: ${message}`);
		}
		const repeat = verdict.passed ? undefined : repeatOf(run);
		if (repeat !== undefined) {
			print(`  repeat it with: ${repeat}`);
		}
	}
}
