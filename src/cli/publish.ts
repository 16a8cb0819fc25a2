import type { ResultsFile, RunRecord } from "../record/run-record.js";
import { verdictOfResults } from "../record/verdict.js";
import type { Reporter } from "../reports/report-files.js";
import { EXIT, type ExitCode } from "./exit-codes.js";
import { printExpectations, printFindings, printLiveFindings, printSweepFindings } from "./findings.js";
import { shellCommand } from "./shell-command.js";
import { print, refuse, say } from "./talk.js";
import { printSummary, rescueRecord, writeReports } from "./write-reports.js";

/** Where results go, as what, and how a failed run is repeated alone. */
export interface Publication {
	readonly out: string;
	readonly reporters: ReadonlySet<Reporter>;
	readonly repeatOf: (run: RunRecord) => string | undefined;
}

/** Writes the reports, prints summary and findings, and last the report's path. The exit code is the verdict's. */
export async function publish(results: ResultsFile, publication: Publication): Promise<ExitCode> {
	const { out, reporters, repeatOf } = publication;
	const report = await writeReports(results, { out, reporters });
	await printSummary(results, reporters);
	const verdict = verdictOfResults(results);
	(results.sweep === undefined ? printFindings : printSweepFindings)(verdict.runs, repeatOf);
	printExpectations(verdict.runs);
	printLiveFindings(verdict.live, results.command);
	if (!report.ok) {
		const rescued = await rescueRecord(results);
		const code = refuse([report.error]);
		if (rescued !== undefined) {
			say(
				`the record alone is saved; render it with: ${shellCommand(["klais", "report", rescued])} --out FOLDER`,
			);
		}
		return code;
	}
	print(report.value);
	return verdict.passed ? EXIT.passed : EXIT.failed;
}
