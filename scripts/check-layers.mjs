// The TypeScript layer check: `node scripts/check-layers.mjs [folder that holds src]`.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { finish } from "./checks/report.mjs";
import { at, root } from "./setup/paths.mjs";
import { filesBelow } from "./setup/stamps.mjs";

function cruise(folder) {
	const program = at("node_modules", "dependency-cruiser", "bin", "dependency-cruise.mjs");
	const args = [program, "src", "--config", at(".dependency-cruiser.cjs"), "--output-type", "json"];
	const result = spawnSync(process.execPath, args, { cwd: folder, encoding: "utf8", maxBuffer: 1 << 28 });
	try {
		return JSON.parse(result.stdout);
	} catch {
		throw new Error(`dependency-cruiser gave no result: ${result.stderr}${result.error ?? ""}`);
	}
}

/** The binding is loaded at run time, from a path that no cruiser can follow. */
function loadsOfNative(folder, files) {
	return files
		.map((path) => ({ path, name: path.slice(folder.length + 1).replaceAll("\\", "/") }))
		.filter(({ name }) => !/^src\/(engine|cli)\//.test(name))
		.filter(({ path }) => readFileSync(path, "utf8").includes("klais.node"))
		.map(({ name }) => `${name} -> native/klais.node: breaks the rule native-through-the-engine`);
}

function check(folder) {
	const { modules, summary } = cruise(folder);
	const seen = new Set(modules.map((module) => module.source));
	const files = filesBelow(join(folder, "src"), (path) => path.endsWith(".ts"));
	const problems = files
		.map((path) => path.slice(folder.length + 1).replaceAll("\\", "/"))
		.filter((path) => !seen.has(path))
		.map((path) => `${path}: not cruised, so its imports were not checked`);
	if (files.length === 0) {
		problems.push("no module was cruised: nothing was checked");
	}
	problems.push(...loadsOfNative(folder, files));
	for (const { rule, from, to } of summary.violations) {
		if (rule.severity === "error") {
			problems.push(`${from} -> ${to}: breaks the rule ${rule.name}`);
		}
	}
	return { problems, checked: `${files.length} modules` };
}

finish("layers", check(resolve(process.argv[2] ?? root)));
