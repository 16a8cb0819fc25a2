import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { err, ok, type Result } from "../units/result.js";
import type { UserError } from "../units/user-error.js";

/**
 * Reads a regular UTF-8 file of at most `maxBytes`, without its byte-order mark.
 * Errors: not-found, unreadable (a folder, a device, no permission, another encoding, binary), limit.
 * `shownAs` is the name in messages.
 */
export function readTextFile(path: string, maxBytes: number, shownAs = path): Result<string, UserError> {
	const bytes = readBytes(path, maxBytes, shownAs);
	return bytes.ok ? decodeText(bytes.value, shownAs) : bytes;
}

function readBytes(path: string, maxBytes: number, file: string): Result<Buffer, UserError> {
	let handle: number | undefined;
	try {
		// Non-blocking: opening a named pipe would otherwise hang until somebody writes to it.
		handle = openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
		return readOpenFile(handle, maxBytes, file);
	} catch (error) {
		return err(fileError(error, file));
	} finally {
		if (handle !== undefined) {
			closeSync(handle);
		}
	}
}

function readOpenFile(handle: number, maxBytes: number, file: string): Result<Buffer, UserError> {
	const status = fstatSync(handle);
	if (status.isDirectory()) {
		return err({ kind: "unreadable", file, message: "is a folder: expected a file" });
	}
	if (!status.isFile()) {
		return err({ kind: "unreadable", file, message: "is not a regular file" });
	}
	const tooLarge: UserError = {
		kind: "limit",
		file,
		message: `is larger than the limit of ${maxBytes} bytes`,
	};
	if (status.size > maxBytes) {
		return err(tooLarge);
	}
	const buffer = Buffer.alloc(status.size);
	let filled = 0;
	while (filled < buffer.length) {
		const count = readSync(handle, buffer, filled, buffer.length - filled, filled);
		if (count === 0) {
			break;
		}
		filled += count;
	}
	return ok(buffer.subarray(0, filled));
}

/** Turns an exception of `node:fs` into a `UserError`. */
function fileError(error: unknown, file: string): UserError {
	const code = (error as NodeJS.ErrnoException | undefined)?.code ?? "";
	if (code === "ENOENT" || code === "ENOTDIR") {
		return { kind: "not-found", file, message: "no such file" };
	}
	const reasons: Readonly<Record<string, string>> = {
		EACCES: "permission denied",
		EISDIR: "is a folder: expected a file",
		ELOOP: "is a symbolic link to itself",
		ENAMETOOLONG: "the name is too long",
		ERR_INVALID_ARG_VALUE: "is no valid file name",
	};
	return { kind: "unreadable", file, message: reasons[code] ?? `cannot be read (${code || String(error)})` };
}

/** Decodes UTF-8, with or without a byte-order mark. Refuses other encodings and binary data, naming the line. */
export function decodeText(bytes: Uint8Array, file: string): Result<string, UserError> {
	const [first, second] = bytes;
	if ((first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)) {
		return err({ kind: "unreadable", file, message: "is encoded in UTF-16: save it as UTF-8" });
	}
	const zero = bytes.indexOf(0);
	if (zero !== -1) {
		const line = lineOf(bytes, zero);
		const message = "contains a zero byte: expected text in UTF-8, this is binary (or UTF-16)";
		return err({ kind: "unreadable", file, line, message });
	}
	try {
		return ok(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
	} catch {
		const line = lineOf(bytes, validPrefixLength(bytes));
		return err({ kind: "unreadable", file, line, message: "is not UTF-8 text: save it as UTF-8" });
	}
}

/** The length of the longest prefix that is UTF-8, found by halving. */
function validPrefixLength(bytes: Uint8Array): number {
	let good = 0;
	let bad = bytes.length;
	while (bad - good > 1) {
		const middle = (good + bad) >>> 1;
		try {
			// `stream` lets a prefix end within a character.
			new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(0, middle), { stream: true });
			good = middle;
		} catch {
			bad = middle;
		}
	}
	return good;
}

function lineOf(bytes: Uint8Array, offset: number): number {
	let line = 1;
	for (let index = 0; index < offset; index += 1) {
		if (bytes[index] === 0x0a) {
			line += 1;
		}
	}
	return line;
}
