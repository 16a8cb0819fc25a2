import { mkdir, open, rename, rm } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import type { UserError } from "../units/user-error.js";

/** Why a file cannot be written there, found out before minutes are spent on what goes into it. `advice`: what to do then. */
export function probeFile(file: string, advice: string): Promise<UserError | undefined> {
	return attempt(file, advice, async (temporary) => {
		await mkdir(dirname(resolve(file)), { recursive: true });
		await (await open(temporary, "w")).close();
		await rm(temporary);
	});
}

/** Writes a file so that a reader sees the old one or the new one, never half of it. Why not, if it cannot be written. */
export function writeWholeFile(file: string, text: string, advice: string): Promise<UserError | undefined> {
	return attempt(file, advice, async (temporary) => {
		const handle = await open(temporary, "w");
		try {
			await handle.writeFile(text);
			await handle.sync();
		} finally {
			await handle.close();
		}
		await rename(temporary, resolve(file));
	});
}

async function attempt(
	file: string,
	advice: string,
	action: (temporary: string) => Promise<void>,
): Promise<UserError | undefined> {
	const temporary = `${resolve(file)}.${process.pid}.new`;
	try {
		await action(temporary);
		return undefined;
	} catch (error) {
		await rm(temporary, { force: true }).catch(() => undefined);
		const { code, message } = error as NodeJS.ErrnoException;
		return { kind: "unwritable", message: `cannot be written (${code ?? message}): ${advice}`, file };
	}
}
