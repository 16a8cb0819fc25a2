import { accessSync, constants } from "node:fs";
import { join, resolve } from "node:path";
import Table from "cli-table3";
import { x } from "tinyexec";
import { formatExact } from "../reports/format.js";
import type { UserError } from "../units/user-error.js";
import { EXIT, type ExitCode } from "./exit-codes.js";
import { programsFolder } from "./native-programs.js";
import { coloursFor, print, refuse, say } from "./talk.js";

/** `klais live --pcap`: runs the packets of a capture through the XDP program, and prints what became of them. */
export async function replayCommand(file: string): Promise<ExitCode> {
	const program = join(programsFolder(), "klais-xdp");
	const missing = unreadable(file, constants.R_OK, "no such capture file, or it cannot be read");
	const unbuilt = unreadable(program, constants.X_OK, "no such program: npm run setup:live builds it");
	const refusals = [missing, unbuilt].filter((error) => error !== undefined);
	if (refusals.length > 0) {
		return refuse(refusals);
	}
	const { exitCode, stdout, stderr } = await x(program, ["replay", resolve(file), "--json"]);
	const rows = rowsOf(stdout);
	if (rows !== undefined) {
		print(tableOf(rows));
	}
	if (stderr.trim() !== "") {
		say(stderr.trimEnd());
	}
	if (rows === undefined && exitCode === 0) {
		say("klais-xdp printed no JSON, which is a fault of its own");
		return EXIT.failed;
	}
	return exitCode ?? EXIT.failed;
}

function unreadable(file: string, mode: number, message: string): UserError | undefined {
	try {
		accessSync(file, mode);
		return undefined;
	} catch {
		return { kind: "not-found", file, message };
	}
}

type Row = readonly [name: string, value: string];

/** Every value of the answer under its path, in the answer's order; undefined if it is no JSON. */
function rowsOf(text: string): readonly Row[] | undefined {
	try {
		return leaves(JSON.parse(text), "");
	} catch {
		return undefined;
	}
}

function leaves(value: unknown, path: string): Row[] {
	if (typeof value === "object" && value !== null) {
		return Object.entries(value).flatMap(([key, inner]) =>
			leaves(inner, path === "" ? key : `${path} / ${key}`),
		);
	}
	return [[path, typeof value === "number" ? formatExact(value) : String(value)]];
}

function tableOf(rows: readonly Row[]): string {
	const colours = coloursFor(process.stdout);
	const table = new Table({
		head: ["Packets of the capture", ""].map((text) => colours.bold(text)),
		style: { head: [], border: [] },
		colAligns: ["left", "right"],
	});
	// The file's bytes reach no terminal: names are the program's own.
	table.push(...rows.map((row) => row.map((text) => text.replace(/\p{Cc}/gu, " "))));
	return table.toString();
}
