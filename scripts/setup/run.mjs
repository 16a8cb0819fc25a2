import { spawnSync } from "node:child_process";
import { performance } from "node:perf_hooks";
import { root } from "./paths.mjs";

/** A set-up step that failed for a reason the user can act on; the message is all that is printed. */
export class SetupError extends Error {}

export const say = (text) => process.stderr.write(`set-up: ${text}\n`);

/** What a probe prints, or undefined if the program is missing or fails. */
export function output(command, args) {
	const result = spawnSync(command, args, {
		cwd: root,
		encoding: "utf8",
		stdio: ["ignore", "pipe", "ignore"],
	});
	return result.status === 0 ? result.stdout.trim() : undefined;
}

/** Runs a slow step, quiet while it works: its output is shown only if it fails. */
export function step(title, command, args, options = {}) {
	const started = performance.now();
	say(`${title} ...`);
	const result = spawnSync(command, args, {
		cwd: root,
		encoding: "utf8",
		stdio: ["ignore", "pipe", "pipe"],
		maxBuffer: 1 << 28,
		...options,
	});
	if (result.error !== undefined) {
		throw new SetupError(`${title}: cannot run ${command}: ${result.error.message}`);
	}
	if (result.status !== 0) {
		const shown = `${result.stdout}${result.stderr}`.trimEnd();
		const ending = result.signal ?? `exit code ${result.status}`;
		throw new SetupError(`${shown}\n${title} failed (${ending}): ${[command, ...args].join(" ")}`);
	}
	say(`${title}: ${((performance.now() - started) / 1000).toFixed(1)} s`);
}
