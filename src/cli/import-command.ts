import { existsSync } from "node:fs";
import type { FirmwareProfileName } from "../scenarios/firmware-profiles.js";
import type { ImportOptions } from "../scenarios/import-options.js";
import { importTrace } from "../scenarios/import-trace.js";
import type { LinkProfileName } from "../scenarios/link-profiles.js";
import { writeImported } from "../scenarios/write-imported.js";
import { parseRate, parseWhole } from "../units/quantity.js";
import { err, ok, type Result } from "../units/result.js";
import type { UserError } from "../units/user-error.js";
import { EXIT, type ExitCode } from "./exit-codes.js";
import { FlagReader, given } from "./flags.js";
import { shellCommand } from "./shell-command.js";
import { print, refuse, say, warn } from "./talk.js";

/** The flags of `klais import` as the command line has them. */
export interface ImportFlags {
	readonly outages?: string;
	readonly name?: string;
	readonly title?: string;
	readonly teaches?: string;
	readonly source?: readonly string[];
	readonly timeColumn?: string;
	readonly outColumn?: string;
	readonly firmware?: string;
	readonly link?: string;
	readonly gateways?: string;
	readonly sessions?: string;
	readonly capacity?: string;
	readonly spread?: boolean;
	readonly detectGlitches?: boolean;
	readonly out: string;
	readonly force?: boolean;
}

/** `klais import`: makes a scenario of an outage trace. */
export async function importCommand(traceFile: string, flags: ImportFlags): Promise<ExitCode> {
	const options = readImportFlags(traceFile, flags);
	if (!options.ok) {
		return refuse(options.error);
	}
	const imported = importTrace(options.value);
	if (!imported.ok) {
		return refuse(imported.error);
	}
	const written = writeImported(imported.value, flags.out, { overwrite: flags.force === true });
	if (!written.ok) {
		return refuse([withAdvice(written.error)]);
	}
	for (const warning of imported.value.warnings) {
		warn(warning);
	}
	const { yamlFile, cohortsFile } = written.value;
	const { devices, durationSeconds } = imported.value;
	say(`${devices.toLocaleString("en-US")} devices over ${(durationSeconds / 86_400).toFixed(1)} days, in:`);
	print(cohortsFile);
	print(yamlFile);
	// A bare name would be looked up in the catalogue; a file is told by its ending.
	say(`now run it: ${shellCommand(["klais", "run", yamlFile])}`);
	return EXIT.passed;
}

function readImportFlags(traceFile: string, flags: ImportFlags): Result<ImportOptions, UserError[]> {
	const reader = new FlagReader();
	reader.text("--out", flags.out, "a folder");
	const gateways = reader.number("--gateways", flags.gateways, parseWhole);
	const sessionsPerSecond = reader.number("--sessions", flags.sessions, parseRate);
	const capacityPerSecond = reader.number("--capacity", flags.capacity, parseRate);
	if (reader.errors.length > 0) {
		return err(reader.errors);
	}
	const { outages, name, title, teaches, source, timeColumn, outColumn, spread, detectGlitches } = flags;
	// `importTrace` refuses a profile that is none, naming those that there are.
	const firmware = flags.firmware as FirmwareProfileName | undefined;
	const link = flags.link as LinkProfileName | undefined;
	const texts = given({ outagesFile: outages, name, title, teaches, sources: source, timeColumn, outColumn });
	const numbers = given({ gateways, sessionsPerSecond, capacityPerSecond });
	const others = given({ firmware, link, spread, detectGlitches });
	return ok({ traceFile, ...texts, ...numbers, ...others });
}

function withAdvice(error: UserError): UserError {
	const isThere = error.file !== undefined && /\.(yaml|csv)$/.test(error.file) && existsSync(error.file);
	const message = isThere
		? "is there already: choose another --name, or replace it with --force"
		: error.message;
	return { ...error, message };
}
