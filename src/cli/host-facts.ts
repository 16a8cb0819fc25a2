import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { availableParallelism, cpus, freemem, release, totalmem, type } from "node:os";
import { promisify, stripVTControlCharacters } from "node:util";
import type { Host } from "../record/run-record.js";

/** A Java or Maven that starts cold takes seconds; one that hangs must not hang us. */
const PROBE_TIMEOUT_MS = 15_000;

const execute = promisify(execFile);

/** The machine, as the run record describes it. */
export async function hostFacts(): Promise<Host> {
	return {
		cpu: cpus()[0]?.model.trim() || "unknown",
		cores: availableParallelism(),
		memoryBytes: totalmem(),
		os: osName(),
		kernel: release(),
		node: process.version,
		rustc: (await rustcVersion()) ?? "unknown",
	};
}

/** Such as `1.95.0`; undefined where there is no Rust. */
async function rustcVersion(): Promise<string | undefined> {
	const line = await firstLine("rustc", ["--version"]);
	return line?.split(" ")[1];
}

/** The first line that a program prints, on stdout or stderr; undefined when it is missing or fails. */
export async function firstLine(program: string, args: readonly string[]): Promise<string | undefined> {
	try {
		const { stdout, stderr } = await execute(program, [...args], { timeout: PROBE_TIMEOUT_MS });
		const [line = ""] = (stdout.trim() || stderr.trim()).split("\n");
		return stripVTControlCharacters(line).trim();
	} catch {
		return undefined;
	}
}

/** Memory that runs may take: what is free, within the limit of a container. */
export function usableMemoryBytes(): number {
	// Older releases of Node 20 lack it.
	const available = (process as { availableMemory?: () => number }).availableMemory?.() ?? freemem();
	return Math.min(available, totalmem());
}

function osName(): string {
	try {
		const text = readFileSync("/etc/os-release", "utf8");
		return /^PRETTY_NAME="?([^"\n]+)"?$/m.exec(text)?.[1] ?? type();
	} catch {
		return type();
	}
}
