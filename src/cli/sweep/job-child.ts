// The entry of a child process: simulates the one job that its parent sends, and sends the record back.
import { simulateJob } from "../simulate-job.js";
import type { JobMessage } from "./in-child.js";

const parent = process.ppid;
/** A parent that was killed leaves its child to somebody else, and nobody waits for the record. */
const isOrphan = () => process.ppid !== parent;

// A service manager may end all processes of a service at once, but whether a run ends is for the parent to say.
process.on("SIGTERM", () => undefined);

process.once("message", async ({ scenario, policy }: JobMessage) => {
	const record = await simulateJob(scenario, policy, { progress: () => undefined, stopped: isOrphan });
	if (isOrphan()) {
		process.exit();
	}
	process.send?.(record, () => process.disconnect());
});
