// No clock and no chance in the simulated world: `node scripts/check-purity.mjs [folder that holds src]`.
import { readFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { impurities } from "./checks/impurities.mjs";
import { finish } from "./checks/report.mjs";
import { root } from "./setup/paths.mjs";
import { filesBelow } from "./setup/stamps.mjs";

const PURE_FOLDER = /^src\/engine\//;

function check(folder) {
	const files = filesBelow(join(folder, "src"), (path) => path.endsWith(".ts"));
	const problems = files.flatMap((path) => {
		const name = relative(folder, path).replaceAll("\\", "/");
		const found = impurities(readFileSync(path, "utf8"), PURE_FOLDER.test(name));
		return found.map(({ line, what }) => `${name}:${line}: ${what}`);
	});
	if (files.length === 0) {
		problems.push("no file was found: nothing was checked");
	}
	return { problems, checked: `${files.length} files` };
}

finish("purity", check(resolve(process.argv[2] ?? root)));
