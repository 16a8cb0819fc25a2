import type { ResultsFile } from "../record/run-record.js";
import { answerOf } from "./answer.js";
import { groupByScenario } from "./grouping.js";
import { labelledLive } from "./live-groups.js";
import { liveAnswer } from "./live-words.js";
import { sweepReport } from "./sweep.js";

/** Workflow commands for GitHub Actions: an error a failure, a warning for partial results, a notice a scenario and a live run. */
export function renderGithub(results: ResultsFile): string {
	const lines: string[] = [];
	if (results.partial) {
		lines.push(command("warning", "klais", "Partial results: the run was stopped before its end."));
	}
	const sweep = sweepReport(results);
	if (sweep !== null) {
		lines.push(
			...sweep.failures.map(({ label, message }) => command("error", `klais: ${label}`, message)),
			command(
				"notice",
				`klais: ${sweep.title}`,
				[sweep.outcome, ...sweep.extremes].join("\n").replaceAll("`", ""),
			),
		);
	}
	for (const group of sweep === null ? groupByScenario(results) : []) {
		for (const { label, verdict } of group.runs) {
			for (const finding of verdict.findings) {
				if (finding.severity === "failure") {
					lines.push(command("error", `klais: ${group.scenario}, ${label}`, finding.message));
				}
			}
		}
		const answer = answerOf(group);
		const text = [answer.outcome, answer.comparison, answer.advice].join("\n").replaceAll("`", "");
		lines.push(command("notice", `klais: ${group.scenario}`, text));
	}
	for (const entry of labelledLive(results)) {
		const title = `klais: live, ${entry.label}`;
		const failures = entry.verdict.findings.filter(({ severity }) => severity === "failure");
		lines.push(...failures.map(({ message }) => command("error", title, message)));
		lines.push(command("notice", title, liveAnswer(entry)));
	}
	return lines.length === 0 ? "" : `${lines.join("\n")}\n`;
}

/** A workflow command with a title, whatever both texts hold. */
export function command(kind: "error" | "warning" | "notice", title: string, message: string): string {
	const property = escapeData(title).replace(/:/g, "%3A").replace(/,/g, "%2C");
	return `::${kind} title=${property}::${escapeData(message)}`;
}

/** A line break would end the command, and what follows could be a command of its own. */
function escapeData(text: string): string {
	return text.replace(/%/g, "%25").replace(/\r/g, "%0D").replace(/\n/g, "%0A");
}
