import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isAlive } from "./namespaces.js";

const NAME = /^klais-live-(\d+)-/;

/** A folder for the files of this process's run. */
export function makeRunFolder(): string {
	return mkdtempSync(join(tmpdir(), `klais-live-${process.pid}-`));
}

/** Removes a run's folder. */
export function removeRunFolder(folder: string): void {
	rmSync(folder, { recursive: true, force: true });
}

/** Removes the folders of runs whose process is gone. */
export function removeLeftFolders(): void {
	for (const name of readdirSync(tmpdir())) {
		const owner = NAME.exec(name)?.[1];
		if (owner !== undefined && !isAlive(Number(owner))) {
			removeRunFolder(join(tmpdir(), name));
		}
	}
}
