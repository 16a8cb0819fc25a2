import { join } from "node:path";
import type { GateReport, GateVerdict } from "../../gate/gate-report.js";
import type { BenchRecord, ResultsFile, RunRecord } from "../../record/run-record.js";
import {
	type OutputFile,
	RESULTS_FILE_NAME,
	serialiseResults,
	writeResults,
} from "../../record/write-results.js";
import { EXIT, type ExitCode } from "../exit-codes.js";
import { hostFacts } from "../host-facts.js";
import { print, refuse } from "../talk.js";
import { toolFacts } from "../tool-facts.js";
import type { GateOutput } from "./flags.js";
import { gateGithub, gateJunit, gateMarkdown, gateTerminal } from "./render.js";

const CODES: Readonly<Record<GateVerdict, ExitCode>> = {
	pass: EXIT.passed,
	fail: EXIT.failed,
	incomparable: EXIT.usage,
	inconclusive: EXIT.undecided,
};

/** What the candidate measured, to be stored as a record: a later gate's baseline. */
export interface Measured {
	readonly command: string;
	readonly runs: readonly RunRecord[];
	readonly bench: readonly BenchRecord[];
}

/** Writes the report, prints it, and last the path of the file to read first. The exit code is the verdict's. */
export async function publishGate(
	report: GateReport,
	{ out, reporters }: GateOutput,
	measured?: Measured,
): Promise<ExitCode> {
	const files: OutputFile[] = [{ name: "gate.json", content: `${JSON.stringify(report, null, "\t")}\n` }];
	if (reporters.has("md")) {
		files.push({ name: "GATE.md", content: gateMarkdown(report) });
	}
	if (reporters.has("junit")) {
		files.push({ name: "gate-junit.xml", content: gateJunit(report) });
	}
	if (measured !== undefined) {
		files.push({ name: RESULTS_FILE_NAME, content: serialiseResults(await recordOf(measured)) });
	}
	const written = await writeResults(out, files);
	print(gateTerminal(report));
	if (reporters.has("github")) {
		print(gateGithub(report));
	}
	if (!written.ok) {
		return refuse([written.error]);
	}
	print(join(written.value.folder, files[reporters.has("md") ? 1 : 0]?.name ?? "gate.json"));
	return CODES[report.verdict];
}

async function recordOf({ command, runs, bench }: Measured): Promise<ResultsFile> {
	const [tool, host] = [await toolFacts(), await hostFacts()];
	return { schema: "klais.results/1", tool, host, command, partial: false, runs, bench, live: [] };
}
