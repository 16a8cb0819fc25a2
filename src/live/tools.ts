import { spawnSync } from "node:child_process";
import { x } from "tinyexec";
import { complaint, LiveFault } from "./live-fault.js";

/** Where tools of the system lie, whatever the PATH of a shell leaves out. */
const SYSTEM_FOLDERS = "/usr/sbin:/sbin:/usr/bin:/bin";

/** The PATH of every program that a live run starts. */
export function searchPath(): string {
	const own = process.env["PATH"] ?? "";
	return own === "" ? SYSTEM_FOLDERS : `${own}:${SYSTEM_FOLDERS}`;
}

const environment = () => ({ ...process.env, PATH: searchPath() });

/** Runs a tool of the system to its end; what it printed. Throws a fault of the set-up, with its complaint. */
export async function runTool(program: string, args: readonly string[]): Promise<string> {
	const { exitCode, stdout, stderr } = await x(program, [...args], { nodeOptions: { env: environment() } });
	if (exitCode !== 0) {
		throw new LiveFault("setup", `${[program, ...args].join(" ")} failed: ${complaint(stderr || stdout)}`);
	}
	return stdout;
}

/** Runs a tool where nothing can be awaited; what it printed, empty if it failed. */
export function runToolNow(program: string, args: readonly string[]): string {
	const { status, stdout } = spawnSync(program, [...args], { encoding: "utf8", env: environment() });
	return status === 0 ? stdout : "";
}

/** The command that runs a program in a network namespace, as the very process that is started. */
export function inNamespace(
	namespace: string,
	program: string,
	args: readonly string[],
): { readonly program: string; readonly args: readonly string[] } {
	// Not `ip netns exec`: it mounts another /sys, which hides pinned BPF objects.
	return { program: "nsenter", args: [`--net=/var/run/netns/${namespace}`, program, ...args] };
}
