import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { ResultsFile } from "../../record/run-record.js";

const COMMIT_DIGITS = 12;
const FINGERPRINT_DIGITS = 12;

/** The folder that holds package.json, seen from dist/cli/sweep as from src/cli/sweep. */
const PACKAGE_FOLDER = fileURLToPath(new URL("../../../", import.meta.url));

/**
 * What a queue is named after: workers of another build never see its jobs, because they might compute something else. A
 * commit is a build by itself; with uncommitted changes the compiled code and the native library are hashed as well.
 */
export function buildName({ version, commit, dirty }: ResultsFile["tool"]): string {
	const name = `${version}-${commit.slice(0, COMMIT_DIGITS)}`;
	return dirty ? `${name}-${codeFingerprint()}` : name;
}

function codeFingerprint(): string {
	const compiled = join(PACKAGE_FOLDER, "dist");
	const files = readdirSync(compiled, { recursive: true, encoding: "utf8" })
		.filter((name) => name.endsWith(".js"))
		.sort()
		.map((name) => join(compiled, name));
	const hash = createHash("sha256");
	for (const file of [...files, join(PACKAGE_FOLDER, "native", "klais.node")]) {
		hash.update(readFileSync(file)).update("\0");
	}
	return hash.digest("hex").slice(0, FINGERPRINT_DIGITS);
}
