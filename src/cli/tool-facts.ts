import { execFile } from "node:child_process";
import { readFileSync, realpathSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { ResultsFile } from "../record/run-record.js";

/** The folder that holds package.json, seen from dist/cli as from src/cli. */
const PACKAGE_FOLDER = fileURLToPath(new URL("../../", import.meta.url));

/** What a run depends on: changes elsewhere, in docs for instance, make no record dirty. */
const BUILT_FROM = ["src", "native", "package.json", "package-lock.json"];
const GIT_TIMEOUT_MS = 10_000;

const execute = promisify(execFile);

/** The version in package.json. */
export function toolVersion(): string {
	const text = readFileSync(new URL("../../package.json", import.meta.url), "utf8");
	return (JSON.parse(text) as { version: string }).version;
}

/** Version, and commit where git knows it; else the commit is `unknown`. */
export async function toolFacts(): Promise<ResultsFile["tool"]> {
	const version = toolVersion();
	try {
		const [top = "", commit = ""] = (await git("rev-parse", "--show-toplevel", "HEAD")).split("\n");
		// Installed below another project, git would answer for that project.
		if (realpathSync(top) !== realpathSync(PACKAGE_FOLDER)) {
			return { version, commit: "unknown", dirty: false };
		}
		const changes = await git("status", "--porcelain", "--", ...BUILT_FROM);
		return { version, commit, dirty: changes.trim() !== "" };
	} catch {
		return { version, commit: "unknown", dirty: false };
	}
}

async function git(...args: readonly string[]): Promise<string> {
	// A git hook sets GIT_DIR and the like, which would point at the repository of the hook.
	const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("GIT_")));
	const options = { cwd: PACKAGE_FOLDER, env, timeout: GIT_TIMEOUT_MS };
	return (await execute("git", [...args], options)).stdout;
}
