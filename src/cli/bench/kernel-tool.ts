import { spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { isExecutable, XDP_PROGRAM } from "../../live/machine.js";
import { searchPath } from "../../live/tools.js";
import { XDP_EXIT } from "../../live/xdp-exit.js";
import { programsFolder } from "../native-programs.js";
import type { GroupContext, GroupResult } from "./group.js";

/** A full run takes one to two minutes; on a machine that is overrun, some more. */
const PATIENCE_MILLIS = 900_000;
/** More than the measurement itself keeps busy. */
const BUSY_LOAD = 1.5;

/** What the program printed, or why there is nothing to print here. */
type Measured = { readonly stdout: string } | { readonly skipped: string };

/** Runs a command of `klais-xdp` with `--json`. Throws, with its last words, when it fails. */
export async function runKernelTool(
	command: "bench" | "peers",
	{ quick, say }: GroupContext,
): Promise<Measured> {
	const file = join(programsFolder(), XDP_PROGRAM);
	const refusal = refusalOf(file);
	if (refusal !== undefined) {
		return { skipped: refusal };
	}
	const { code, stdout, lastWords } = await run(
		file,
		[command, "--json", ...(quick ? ["--quick"] : [])],
		say,
	);
	if (code === XDP_EXIT.unable) {
		return { skipped: lastWords };
	}
	if (code !== 0) {
		throw new Error(`${XDP_PROGRAM} ${command} ended with ${code ?? "a signal"}: ${lastWords}`);
	}
	return { stdout };
}

/** A group that cannot be measured here: no figure, no failure, and the reason. */
export function skippedGroup(reason: string): GroupResult {
	return { records: [], tables: [], notes: [`Skipped: ${reason}.`], failures: [] };
}

/** What to say about a machine that did other things meanwhile: figures are never corrected for it. */
export function busyNotes(figures: readonly { readonly record: GroupResult["records"][number] }[]): string[] {
	const loads = figures.flatMap(
		({ record }) => record.environment["loadAverage"]?.match(/\d+(\.\d+)?/g) ?? [],
	);
	const most = Math.max(0, ...loads.map(Number));
	return most <= BUSY_LOAD
		? []
		: [
				`The machine was busy: load average up to ${most.toFixed(2)}. What shares caches and cores makes figures higher; they are as they came.`,
			];
}

function refusalOf(file: string): string | undefined {
	if (process.platform !== "linux") {
		return `XDP needs Linux, this is ${process.platform}`;
	}
	if (process.geteuid?.() !== 0) {
		return "loading BPF programs needs root";
	}
	return isExecutable(file) ? undefined : `there is no ${file} (npm run setup:live builds it)`;
}

function run(file: string, args: readonly string[], say: GroupContext["say"]) {
	return new Promise<{ code: number | null; stdout: string; lastWords: string }>((resolve, reject) => {
		const child = spawn(file, args, {
			stdio: ["ignore", "pipe", "pipe"],
			env: { ...process.env, PATH: searchPath() },
			timeout: PATIENCE_MILLIS,
		});
		let [stdout, lastWords] = ["", ""];
		child.stdout.setEncoding("utf8").on("data", (text: string) => {
			stdout += text;
		});
		createInterface({ input: child.stderr }).on("line", (line) => {
			lastWords = line.replace(`${XDP_PROGRAM}: `, "");
			say(line);
		});
		child.on("error", reject);
		child.on("close", (code) => resolve({ code, stdout, lastWords }));
	});
}
