import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { RunRecord } from "../../record/run-record.js";
import type { PolicyName, Scenario } from "../../scenarios/scenario.js";

/** What a child is sent. */
export interface JobMessage {
	readonly scenario: Scenario;
	readonly policy: PolicyName;
}

const CHILD = fileURLToPath(new URL("./job-child.js", import.meta.url));
/** The last words of a child that crashed. */
const COMPLAINT_CHARACTERS = 2_000;

/**
 * Simulates in a process of its own: the parent's event loop stays free, so that its locks are renewed however long the run is,
 * and what a crash takes with it is one run. Rejects, with the child's last words, where it ends without a record.
 */
export function simulateInChild(message: JobMessage): Promise<RunRecord> {
	return new Promise((resolve, reject) => {
		const child = fork(CHILD, [], {
			// A group of its own: Ctrl-C in the terminal is for the parent alone.
			detached: true,
			serialization: "advanced",
			stdio: ["ignore", "ignore", "pipe", "ipc"],
		});
		let record: RunRecord | undefined;
		let complaint = "";
		child.stderr?.setEncoding("utf8").on("data", (text: string) => {
			complaint = (complaint + text).slice(-COMPLAINT_CHARACTERS);
		});
		child.once("message", (received) => {
			record = received as RunRecord;
		});
		child.once("error", reject);
		child.once("close", (code, signal) => {
			if (record === undefined) {
				const how = signal === null ? `with code ${code}` : `by ${signal}`;
				reject(new Error(`the simulation ended ${how} and no record: ${complaint.trim()}`));
			} else {
				resolve(record);
			}
		});
		// A child that is gone already says so by "close".
		child.send(message, () => undefined);
	});
}
