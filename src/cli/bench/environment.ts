import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { cpus, loadavg, release, totalmem, type } from "node:os";
import type { Host, ResultsFile } from "../../record/run-record.js";
import { at } from "./places.js";

/** The load average over the last minute. */
export function load(): string {
	return (loadavg()[0] ?? 0).toFixed(2);
}

/** What every record says about where it was measured. */
export function machine(): Record<string, string> {
	return {
		cpu: cpus()[0]?.model ?? "unknown",
		cores: String(cpus().length),
		node: process.version,
		loadAverage: load(),
	};
}

/** The machine, as the run record describes it. */
export function host(): Host {
	return {
		cpu: cpus()[0]?.model ?? "unknown",
		cores: cpus().length,
		memoryBytes: totalmem(),
		os: `${type()} ${process.arch}`,
		kernel: release(),
		node: process.version,
		rustc: output("rustc", ["--version"]),
	};
}

/** This version of the software. */
export function tool(): ResultsFile["tool"] {
	const { version } = JSON.parse(readFileSync(at("package.json"), "utf8")) as { version: string };
	const commit = output("git", ["-C", at("."), "rev-parse", "HEAD"]);
	const changes = output("git", ["-C", at("."), "status", "--porcelain", "--untracked-files=no"]);
	return { version, commit, dirty: changes !== "" };
}

function output(command: string, args: readonly string[]): string {
	try {
		return execFileSync(command, args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
	} catch {
		return "unknown";
	}
}
