import type { WriteStream } from "node:tty";
import picocolors from "picocolors";
import type { UserError } from "../units/user-error.js";
import { EXIT, type ExitCode } from "./exit-codes.js";

/** Whether a stream gets colours: NO_COLOR and FORCE_COLOR first, then whether it is a terminal. */
export function hasColour(stream: Pick<WriteStream, "isTTY">): boolean {
	const { NO_COLOR, FORCE_COLOR, TERM } = process.env;
	if (NO_COLOR !== undefined && NO_COLOR !== "") {
		return false;
	}
	if (FORCE_COLOR !== undefined && FORCE_COLOR !== "" && FORCE_COLOR !== "0") {
		return true;
	}
	return stream.isTTY === true && TERM !== "dumb";
}

/** Colours for a stream; plain text where it has none. */
export function coloursFor(stream: Pick<WriteStream, "isTTY">) {
	return picocolors.createColors(hasColour(stream));
}

/** Says a line on stderr: results alone go to stdout. */
export function say(text: string): void {
	process.stderr.write(`${text}\n`);
}

/** Warns on stderr. */
export function warn(text: string): void {
	say(`${coloursFor(process.stderr).yellow("warning:")} ${oneLine(text)}`);
}

/** Prints a result on stdout. */
export function print(text: string): void {
	process.stdout.write(`${text}\n`);
}

/** `file:line:col key: message`, as far as the place is known: editors and terminals jump to it. */
export function formatUserError({ file, line, column, key, message }: UserError): string {
	const place = [file, line, column].filter((part) => part !== undefined).join(":");
	// A setting already names its key.
	const isSetting = file?.startsWith("--set ") === true;
	const where = [place, isSetting ? "" : (key ?? "")].filter((part) => part !== "").join(" ");
	return oneLine(where === "" ? message : `${where}: ${message}`);
}

/** Prints mistakes of the user, one a line; the exit code that goes with them. */
export function refuse(errors: readonly UserError[]): ExitCode {
	for (const error of errors) {
		say(coloursFor(process.stderr).red(formatUserError(error)));
	}
	return EXIT.usage;
}

/** Names come from files and flags: no control character of theirs may reach a terminal or break a line. */
function oneLine(text: string): string {
	return text.replace(/\p{Cc}+/gu, " ");
}
