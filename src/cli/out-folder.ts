import { rm, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { writeResults } from "../record/write-results.js";
import type { UserError } from "../units/user-error.js";

/** Room that the files of one run need, generously: record, reports and charts. */
const BYTES_PER_RUN = 1 << 20;
/** More is not worth the time that writing it takes. */
const PROBE_BYTES_MAX = 16 << 20;

/**
 * Finds out before a long run whether its results will find their place, by writing as much there and taking it away
 * again. Leaves nothing behind, not even the folder.
 */
export async function probeOutFolder(folder: string, runs: number): Promise<UserError | undefined> {
	const target = resolve(folder);
	const base = await firstThatExists(target);
	const probe = join(base, `.klais-probe-${process.pid}`);
	const content = new Uint8Array(Math.min(PROBE_BYTES_MAX, runs * BYTES_PER_RUN));
	try {
		const written = await writeResults(probe, [{ name: "probe", content }]);
		return written.ok ? undefined : { ...written.error, file: folder };
	} finally {
		await rm(probe, { recursive: true, force: true }).catch(() => undefined);
	}
}

async function firstThatExists(path: string): Promise<string> {
	try {
		await stat(path);
		return path;
	} catch (error) {
		const { code } = error as NodeJS.ErrnoException;
		const parent = dirname(path);
		// Any other error is one that writing there will meet, and put into words.
		return (code === "ENOENT" || code === "ENOTDIR") && parent !== path ? firstThatExists(parent) : path;
	}
}
