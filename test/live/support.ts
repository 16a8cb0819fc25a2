import { execFileSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { programsFolder } from "../../src/cli/native-programs.js";
import { machineRefusals } from "../../src/live/machine.js";
import { PROJECT } from "../cli/support.js";

/** Stand-ins for the native programs: what the live run makes of programs that misbehave needs no packets. */
export const FAKES = join(PROJECT, "test", "live", "fakes");

const reasonOf = (programs: string) =>
	machineRefusals(programs)
		.map(({ file, message }) => (file === undefined ? message : `${file}: ${message}`))
		.join("; ");

/** Why namespaces cannot be made here; empty: they can. */
export const NO_NAMESPACES = reasonOf(FAKES);
/** Why real packets cannot be sent here; empty: they can. */
export const NO_PACKETS = reasonOf(programsFolder());

export const because = (reason: string) => (reason === "" ? "" : ` (skipped: ${reason})`);

/** The namespaces of a process's run that exist. */
export function namespacesOfProcess(pid: number | undefined): string[] {
	const folder = "/var/run/netns";
	return existsSync(folder) ? readdirSync(folder).filter((name) => name.startsWith(`klais-${pid}-`)) : [];
}

/** The id of a process that is no more. */
export function deadPid(): number {
	const printed = execFileSync(process.execPath, ["-e", "process.stdout.write(String(process.pid))"]);
	return Number(printed.toString());
}
