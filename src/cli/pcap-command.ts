import { accessSync, constants } from "node:fs";
import { join, resolve } from "node:path";
import { XDP_PROGRAM } from "../live/machine.js";
import { harmedPackets, replayCaptures } from "../live/pcap-replay.js";
import type { UserError } from "../units/user-error.js";
import { EXIT, type ExitCode } from "./exit-codes.js";
import { programsFolder } from "./native-programs.js";
import { captureText } from "./pcap-table.js";
import { print, refuse, say } from "./talk.js";

/** Captures, and how to print what became of them. */
export interface PcapRequest {
	readonly files: readonly string[];
	readonly json: boolean;
}

/** `klais live --pcap`: runs the packets of captures through the XDP program, and prints what became of them. */
export async function pcapCommand({ files, json }: PcapRequest): Promise<ExitCode> {
	const program = join(programsFolder(), XDP_PROGRAM);
	const refusals = [...fileRefusals(files), ...machineRefusals(program)];
	if (refusals.length > 0) {
		return refuse(refusals);
	}
	const outcome = await replayCaptures(
		program,
		files.map((file) => resolve(file)),
	);
	if (outcome.kind === "refused") {
		return refuse([{ kind: "unreadable", message: outcome.message }]);
	}
	if (outcome.kind === "broken") {
		say(outcome.message);
		return EXIT.failed;
	}
	const { report } = outcome;
	const captures = report.captures.map((capture, index) => ({
		...capture,
		file: files[index] ?? capture.file,
	}));
	print(
		json ? JSON.stringify({ ...report, captures }, undefined, "\t") : captures.map(captureText).join("\n\n"),
	);
	const harmed = harmedPackets(report);
	if (harmed > 0) {
		say(`failure: ${harmed} foreign packets did not pass unchanged`);
		return EXIT.failed;
	}
	return EXIT.passed;
}

function fileRefusals(files: readonly string[]): UserError[] {
	return files
		.filter((file) => !isThere(file, constants.R_OK))
		.map((file) => ({ kind: "not-found", file, message: "no such capture file, or it cannot be read" }));
}

/** Why this machine, or this user, can replay nothing; empty: it can. */
function machineRefusals(program: string): UserError[] {
	if (process.platform !== "linux") {
		const message = `captures run through the XDP program of Linux, this is ${process.platform}`;
		return [{ kind: "unsupported", message }];
	}
	const refusals: UserError[] = [];
	if (process.geteuid?.() !== 0) {
		const message = "loading the XDP program needs root: run klais as root";
		refusals.push({ kind: "unsupported", message });
	}
	if (!isThere(program, constants.X_OK)) {
		const message = "no such program: npm run setup:live builds it";
		refusals.push({ kind: "not-found", file: program, message });
	}
	return refusals;
}

function isThere(file: string, mode: number): boolean {
	try {
		accessSync(file, mode);
		return true;
	} catch {
		return false;
	}
}
