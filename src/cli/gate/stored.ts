import { compareExactly, type ExactResult } from "../../gate/exact/compare.js";
import { gateReport, type PlaneReport } from "../../gate/gate-report.js";
import { compareStoredCounts } from "../../gate/instructions/judge.js";
import { readResults } from "../../record/results-schema.js";
import type { ResultsFile } from "../../record/run-record.js";
import { didYouMean } from "../../scenarios/did-you-mean.js";
import type { UserError } from "../../units/user-error.js";
import type { ExitCode } from "../exit-codes.js";
import { refuse } from "../talk.js";
import type { StoredRequest } from "./flags.js";
import { publishGate } from "./publish.js";
import { traceStored } from "./trace-stored.js";

/** `klais gate --baseline`: two stored records. Only what is exact is judged: times were taken at other moments. */
export async function gateStored(request: StoredRequest, stop: AbortSignal): Promise<ExitCode> {
	const [base, candidate] = [await readResults(request.baseline), await readResults(request.candidate)];
	if (!base.ok || !candidate.ok) {
		return refuse([base, candidate].flatMap((side) => (side.ok ? [] : [side.error])));
	}
	const exact = compareExactly(base.value, candidate.value, request);
	const idle = idleMargins(exact);
	if (idle.length > 0) {
		return refuse(idle);
	}
	const counts = compareStoredCounts(base.value.bench, candidate.value.bench);
	const bothCount = counts !== undefined && base.value.runs.length + candidate.value.runs.length === 0;
	const traced = request.trace
		? await traceStored(exact, base.value, candidate.value, request, stop)
		: hinted(exact.report, exact.changed.length > 0);
	const report = gateReport(
		{ base: sideOf(request.baseline, base.value), candidate: sideOf(request.candidate, candidate.value) },
		[...(bothCount ? [] : [traced]), ...(counts === undefined ? [] : [counts])],
		machineNotes(base.value, candidate.value),
	);
	return publishGate(report, request);
}

/** A margin for a metric that does not exist would be believed. */
export function idleMargins({ idle, metrics }: ExactResult): UserError[] {
	return idle.map(({ path }) => ({
		kind: "usage",
		key: "--margin",
		message: `no metric is called ${JSON.stringify(path)}.${didYouMean(path, metrics)}`,
	}));
}

function hinted(report: PlaneReport, isChanged: boolean): PlaneReport {
	const hint = "name the first event that differs with --trace";
	return isChanged ? { ...report, notes: [...report.notes, hint] } : report;
}

function sideOf(file: string, { tool }: ResultsFile): string {
	const commit =
		tool.commit === "unknown"
			? ""
			: `, commit ${tool.commit.slice(0, 10)}${tool.dirty ? " with changes" : ""}`;
	return `${file} (klais ${tool.version}${commit})`;
}

/** What the two machines have to do with the verdict: nothing, and a reader is told why. */
function machineNotes(base: ResultsFile, candidate: ResultsFile): string[] {
	const keys = ["cpu", "cores", "memoryBytes", "os", "kernel", "node", "rustc"] as const;
	const apart = keys.filter((key) => base.host[key] !== candidate.host[key]);
	const other = apart.map((key) => `${key} ${base.host[key]} and ${candidate.host[key]}`).join(", ");
	const where =
		apart.length === 0
			? "Both records were taken on machines that look alike, but not in turn"
			: `The records were taken on different machines (${other})`;
	const timed = [base, candidate].some(({ bench }) =>
		bench.some(({ unit }) => !/^(instructions|allocations)$/.test(unit)),
	);
	return [
		`${where}: only the exact plane is judged. For times use --base REF, which measures both builds here.`,
		...(timed ? ["Benchmark times in the records are not compared."] : []),
		...(base.live.length + candidate.live.length > 0 ? ["Live runs in the records are not compared."] : []),
	];
}
