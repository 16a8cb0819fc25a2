import { judgeExpectations } from "../record/expectations.js";
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

/** Failed runs of a sweep that are named one by one. */
const SWEEP_FAILURES_MAX = 20;

/** The same for a sweep: failures by name, the rest in numbers. */
export function printSweepFindings(
	judged: readonly JudgedRun[],
	repeatOf: (run: JudgedRun["run"]) => string | undefined,
): void {
	const failed = judged.filter(({ verdict }) => !verdict.passed);
	for (const { run, verdict } of failed.slice(0, SWEEP_FAILURES_MAX)) {
		const failures = verdict.findings.filter(({ severity }) => severity === "failure");
		printFindings([{ run, verdict: { ...verdict, findings: failures } }], repeatOf);
	}
	const counts = new Map<string, number>();
	for (const { severity, code } of judged.flatMap(({ verdict }) => verdict.findings)) {
		const words = `${severity}: ${code}`;
		counts.set(words, (counts.get(words) ?? 0) + 1);
	}
	for (const [words, count] of counts) {
		print(`${words} in ${count} of ${judged.length} runs`);
	}
}

/** Says how many expectations of the scenarios were checked: that none failed may mean that none was there. */
export function printExpectations(judged: readonly JudgedRun[]): void {
	const outcomes = judged.flatMap(({ run }) => judgeExpectations(run));
	if (outcomes.length > 0) {
		const held = outcomes.filter(({ holds }) => holds).length;
		print(coloursFor(process.stdout).dim(`${held} of ${outcomes.length} expectations hold`));
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
