import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect } from "vitest";
import { newFolder } from "../cli/support.js";

/** A git repository in a temporary folder, and where its builds are kept. */
export interface Repository {
	readonly folder: string;
	readonly cache: string;
	/** Writes files. */
	write(files: Readonly<Record<string, string>>): void;
	/** Writes files and commits them: the commit's hash. */
	commit(files: Readonly<Record<string, string>>): string;
}

export function newRepository(): Repository {
	const folder = newFolder();
	const cache = newFolder();
	git(folder, "init", "--quiet", "--initial-branch=main");
	git(folder, "config", "user.email", "test@example.org");
	git(folder, "config", "user.name", "Test");
	const write = (files: Readonly<Record<string, string>>) => {
		for (const [name, text] of Object.entries(files)) {
			mkdirSync(dirname(join(folder, name)), { recursive: true });
			writeFileSync(join(folder, name), text);
		}
	};
	return {
		folder,
		cache,
		write,
		commit: (files) => {
			write(files);
			git(folder, "add", "--all");
			git(folder, "commit", "--quiet", "--message=test");
			return git(folder, "rev-parse", "HEAD");
		},
	};
}

export function git(folder: string, ...args: readonly string[]): string {
	const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("GIT_")));
	const run = spawnSync("git", [...args], { cwd: folder, encoding: "utf8", env });
	expect(`${run.stderr}${run.error ?? ""}`.trim()).toBe("");
	return run.stdout.trim();
}

/** A benchmark that makes its figures up: so long, and so noisy. A real one would make a test of the machine. */
export const madeUp = (micros: number, noise = 0.01) => `
	const noise = 1 + ${noise} * Math.random();
	console.log(JSON.stringify({ wallMicros: 2 * ${micros} * noise, cpuMicros: ${micros} * noise }));
`;

export const SUITE = `schema: klais.gate/1
build:
  - [node, -e, "require('node:fs').appendFileSync('built', 'x')"]
time:
  - { name: work, command: [node, work.js] }
`;
