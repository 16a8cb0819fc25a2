import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** A folder of its own for one test, with the files given. */
export function folderOf(files: Readonly<Record<string, string>>): string {
	const folder = mkdtempSync(join(tmpdir(), "klais-setup-"));
	onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
	for (const [name, text] of Object.entries(files)) {
		const path = join(folder, name);
		mkdirSync(dirname(path), { recursive: true });
		writeFileSync(path, text);
	}
	return folder;
}

export interface Ended {
	readonly code: number | null;
	readonly printed: string;
	readonly seconds: number;
}

/** Runs one of the project's scripts as a user does. */
export function runScript(name: string, args: readonly string[] = [], env = process.env): Ended {
	const started = performance.now();
	const options = { cwd: root, encoding: "utf8", env } as const;
	const { status, stdout, stderr } = spawnSync(
		process.execPath,
		[join(root, "scripts", name), ...args],
		options,
	);
	return { code: status, printed: stdout + stderr, seconds: (performance.now() - started) / 1000 };
}
