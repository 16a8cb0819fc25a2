// No source file that a reader cannot take in at once: `node scripts/check-sizes.mjs [folder]`.
import { existsSync, readFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { finish } from "./checks/report.mjs";
import { root } from "./setup/paths.mjs";
import { filesBelow } from "./setup/stamps.mjs";

const MAX_LINES = 400;
const FOLDERS = ["src", "test", "bench", "scripts", "native", "bin"];

function check(folder) {
	const isSource = (path) => /\.(ts|rs|mjs|cjs|js|c|h)$/.test(path);
	const files = FOLDERS.map((name) => join(folder, name))
		.filter((path) => existsSync(path))
		.flatMap((path) => filesBelow(path, isSource));
	const problems = files.flatMap((path) => {
		const lines = readFileSync(path, "utf8").trimEnd().split("\n").length;
		return lines > MAX_LINES ? [`${relative(folder, path)}: ${lines} lines, at most ${MAX_LINES}`] : [];
	});
	return { problems, checked: `${files.length} files` };
}

finish("sizes", check(resolve(process.argv[2] ?? root)));
