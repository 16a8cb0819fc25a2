import { readFile } from "node:fs/promises";
import type { Child } from "./child.js";

/** `USER_HZ`: what Linux counts CPU time in for programs, on every machine. */
const TICKS_PER_SECOND = 100;
const BYTES_PER_KIB = 1_024;
/** Place of the user's time among the fields behind the program's name, which may hold spaces itself. */
const USER_TICKS = 11;

/** CPU time that a process has used so far, seconds; null where there is none, or nobody says. */
export async function cpuSecondsOf(pid: number | undefined): Promise<number | null> {
	const text = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
	const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
	const ticks = Number(fields[USER_TICKS]) + Number(fields[USER_TICKS + 1]);
	return Number.isFinite(ticks) ? ticks / TICKS_PER_SECOND : null;
}

/** Memory of a process that lies in RAM, bytes; null where there is none. */
export async function residentBytesOf(pid: number | undefined): Promise<number | null> {
	const text = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
	const kib = /^VmRSS:\s+(\d+) kB$/m.exec(text)?.[1];
	return kib === undefined ? null : Number(kib) * BYTES_PER_KIB;
}

/** Sees to it that a program does not outlive this process, where nothing is awaited any more; what to call once it has ended. */
export function killAtExit(child: Child): () => void {
	const kill = () => child.signal("SIGKILL");
	process.once("exit", kill);
	return () => process.off("exit", kill);
}
