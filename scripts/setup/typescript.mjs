import { copyFileSync, existsSync, mkdirSync, rmSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { at } from "./paths.mjs";
import { step } from "./run.mjs";
import { filesBelow, hashFiles, readStamp, writeStamp } from "./stamps.mjs";

const STAMP = "dist";
const source = at("src");
const target = at("dist");

const fingerprint = () =>
	hashFiles([...filesBelow(source), at("tsconfig.json"), at("package.json"), at("package-lock.json")]);

export const distIsCurrent = () => existsSync(target) && readStamp(STAMP) === fingerprint();

function copyAssets() {
	for (const path of filesBelow(source, (file) => !file.endsWith(".ts"))) {
		const copy = join(target, relative(source, path));
		mkdirSync(dirname(copy), { recursive: true });
		copyFileSync(path, copy);
	}
}

/** What a deleted source left behind would still be found by whoever lists a folder, as the catalogue does. */
function removeLeftovers() {
	for (const path of filesBelow(target)) {
		const name = relative(target, path);
		const compiledFrom = name.replace(/\.js(\.map)?$/, ".ts");
		if (!existsSync(join(source, name)) && !existsSync(join(source, compiledFrom))) {
			rmSync(path);
		}
	}
}

export function buildTypeScript() {
	const built = fingerprint();
	const compiler = at("node_modules", "typescript", "bin", "tsc");
	step("compiling src to dist", process.execPath, [compiler, "-p", at("tsconfig.json")]);
	copyAssets();
	removeLeftovers();
	writeStamp(STAMP, built);
}
