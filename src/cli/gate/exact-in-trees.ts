import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compareExactly } from "../../gate/exact/compare.js";
import { type MarginRule, parseMargin } from "../../gate/exact/margins.js";
import type { Judged, PlaneReport } from "../../gate/gate-report.js";
import { runProgram } from "../../gate/process.js";
import type { Suite } from "../../gate/suite.js";
import type { Tree } from "../../gate/worktree.js";
import { readResults } from "../../record/results-schema.js";
import type { ResultsFile, RunRecord } from "../../record/run-record.js";
import { RESULTS_FILE_NAME } from "../../record/write-results.js";
import { err, ok, type Result } from "../../units/result.js";
import type { UserError } from "../../units/user-error.js";
import { say } from "../talk.js";
import type { BaseRequest } from "./flags.js";
import { idleMargins } from "./stored.js";
import { traceChanged } from "./trace.js";

const RUN_SECONDS_MAX = 7_200;
/** Stands in a command for the folder that the record goes to. */
const OUT = "{out}";

/** Runs the suite's scenarios in both trees, and compares the records. */
export async function exactInTrees(
	exact: NonNullable<Suite["exact"]>,
	{ base, candidate }: { readonly base: Tree; readonly candidate: Tree },
	request: BaseRequest,
	stop: AbortSignal,
): Promise<Result<{ report: PlaneReport; runs: readonly RunRecord[] }, UserError[]>> {
	const margins: MarginRule[] = [];
	for (const [path, text] of Object.entries(exact.margins)) {
		const rule = parseMargin(path, text);
		if (!rule.ok) {
			return err([{ kind: "schema", message: rule.error, file: "the suite", key: `exact.margins.${path}` }]);
		}
		margins.push(rule.value);
	}
	if (!exact.command.some((word) => word.includes(OUT))) {
		return err([
			{ kind: "schema", message: `expected ${OUT} in the command`, file: "the suite", key: "exact.command" },
		]);
	}
	const before = await recordIn(base, exact.command, stop);
	const after = await recordIn(candidate, exact.command, stop);
	if (!before.ok || !after.ok) {
		return ok({ report: unmeasured(before, after), runs: after.ok ? after.value.runs : [] });
	}
	const options = { margins: [...margins, ...request.margins], subset: false };
	const compared = compareExactly(before.value, after.value, options);
	const idle = idleMargins(compared);
	if (idle.length > 0) {
		return err(idle);
	}
	const report = request.trace
		? await traceChanged(compared, after.value.command, base.folder, candidate.folder, stop)
		: compared.report;
	return ok({ report, runs: after.value.runs });
}

async function recordIn(
	tree: Tree,
	command: readonly string[],
	stop: AbortSignal,
): Promise<Result<ResultsFile, string>> {
	const out = await mkdtemp(join(tmpdir(), "klais-gate-"));
	try {
		const words = command.map((word) => word.replaceAll(OUT, out));
		say(`${tree.label}: ${words.join(" ")}`);
		const ended = await runProgram(words, { folder: tree.folder, timeoutSeconds: RUN_SECONDS_MAX, stop });
		const results = await readResults(join(out, RESULTS_FILE_NAME));
		if (results.ok) {
			return results;
		}
		// A run that fails its own verdict leaves a record all the same.
		return err(
			ended.code === 0
				? `its record: ${results.error.message}`
				: `it ended with ${ended.code ?? "a signal"}: ${ended.complaint}`,
		);
	} finally {
		await rm(out, { recursive: true, force: true });
	}
}

function unmeasured(base: Result<ResultsFile, string>, candidate: Result<ResultsFile, string>): PlaneReport {
	const [side, reason] = candidate.ok ? ["base", base.ok ? "" : base.error] : ["candidate", candidate.error];
	const one: Judged = {
		name: "scenarios",
		// What ran in the base and does not in the candidate was broken by the change.
		verdict: base.ok ? "fail" : "inconclusive",
		message: `not measured: the ${side} cannot run them: ${reason}`,
		cells: ["", "", "", "not measured"],
		details: [],
		figures: {},
	};
	return {
		plane: "exact",
		head: ["run", "digest", "metrics", "changed", "verdict"],
		judged: [one],
		notes: [],
	};
}
