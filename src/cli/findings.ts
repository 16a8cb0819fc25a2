import type { Finding, JudgedLive, JudgedRun, Severity } from "../record/verdict.js";
import { coloursFor, print } from "./talk.js";

/** Prints what the verdicts found, and for each failed run the command that repeats it. */
export function printFindings(
	judged: readonly JudgedRun[],
	repeatOf: (run: JudgedRun["run"]) => string | undefined,
): void {
	for (const { run, verdict } of judged) {
		printEach(`${run.scenario} / ${run.policy}`, verdict.findings);
		const repeat = verdict.passed ? undefined : repeatOf(run);
		if (repeat !== undefined) {
			print(`  repeat it with: ${repeat}`);
		}
	}
}

/** The same for live runs, which `command` repeats. */
export function printLiveFindings(judged: readonly JudgedLive[], command: string): void {
	for (const { live, verdict } of judged) {
		printEach(`live, ${live.scenario} / ${live.policy}`, verdict.findings);
		if (!verdict.passed) {
			print(`  repeat it with: ${command}`);
		}
	}
}

function printEach(label: string, findings: readonly Finding[]): void {
	const colours = coloursFor(process.stdout);
	const paint: Record<Severity, (text: string) => string> = {
		failure: colours.red,
		warning: colours.yellow,
		note: colours.dim,
	};
	for (const { severity, message } of findings) {
		print(`${paint[severity](`${severity}:`)} ${label}: ${message}`);
	}
}
