import { fileURLToPath } from "node:url";
import type { ExactResult } from "../../gate/exact/compare.js";
import type { PlaneReport } from "../../gate/gate-report.js";
import { baseTree, defaultCache, repositoryOf } from "../../gate/worktree.js";
import type { ResultsFile } from "../../record/run-record.js";
import { say } from "../talk.js";
import type { StoredRequest } from "./flags.js";
import { traceChanged } from "./trace.js";

/** The checkout of klais itself, seen from dist/cli/gate as from src/cli/gate. */
const OWN_FOLDER = fileURLToPath(new URL("../../../", import.meta.url)).replace(/\/$/, "");
/** What makes a checkout of klais ready. */
const STEPS = [["node", "scripts/setup.mjs"]];

/**
 * Names the first events that differ between two stored records: builds the commits that made them, and runs both again. A
 * record of changes that were never committed can only be repeated by the build that runs now.
 */
export async function traceStored(
	exact: ExactResult,
	base: ResultsFile,
	candidate: ResultsFile,
	{ cache = defaultCache() }: StoredRequest,
	stop: AbortSignal,
): Promise<PlaneReport> {
	const { report, changed } = exact;
	const note = (text: string): PlaneReport => ({ ...report, notes: [...report.notes, `no trace: ${text}`] });
	if (changed.length === 0) {
		return note("no digest changed");
	}
	const repository = await repositoryOf(OWN_FOLDER);
	const folders: string[] = [];
	for (const { tool } of [base, candidate]) {
		if (tool.dirty || tool.commit === "unknown") {
			// If it made the record, its digest says so.
			folders.push(OWN_FOLDER);
			continue;
		}
		if (!repository.ok) {
			return note("this klais is no git checkout, so other commits cannot be built");
		}
		const tree = await baseTree(repository.value, tool.commit, { steps: STEPS, cache, say, stop });
		if (!tree.ok) {
			return note(tree.error.message);
		}
		folders.push(tree.value.folder);
	}
	return traceChanged(exact, candidate.command, folders[0] as string, folders[1] as string, stop);
}
