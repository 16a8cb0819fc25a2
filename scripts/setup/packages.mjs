import { existsSync, readFileSync } from "node:fs";
import { basename } from "node:path";
import { at } from "./paths.mjs";
import { step } from "./run.mjs";

function readPackages(path) {
	try {
		return JSON.parse(readFileSync(path, "utf8")).packages;
	} catch {
		return undefined;
	}
}

/**
 * Holds what npm says it installed against the lockfile. npm writes its own list last, so an interrupted
 * install has none; packages for other platforms are in the lockfile alone.
 */
export function packagesAreCurrent(lockfile = at("package-lock.json"), modules = at("node_modules")) {
	const wanted = readPackages(lockfile) ?? {};
	const installed = readPackages(`${modules}/.package-lock.json`);
	if (installed === undefined) {
		return false;
	}
	return Object.entries(wanted).every(([place, entry]) => {
		if (place === "") {
			return true;
		}
		const found = installed[place];
		if (found === undefined) {
			return entry.optional === true || entry.devOptional === true || entry.peer === true;
		}
		return found.version === entry.version && existsSync(place.replace(/^node_modules/, modules));
	});
}

function npmCommand() {
	const running = process.env["npm_execpath"] ?? "";
	if (/^npm(-cli)?\.c?js$/.test(basename(running))) {
		return { command: process.execPath, before: [running], shell: false };
	}
	return { command: "npm", before: [], shell: process.platform === "win32" };
}

export function installPackages() {
	const { command, before, shell } = npmCommand();
	// The build needs development packages even where NODE_ENV says production; no package needs its
	// install script, since every binary used here ships inside a package.
	const flags = ["--include=dev", "--ignore-scripts", "--prefer-offline", "--no-audit", "--no-fund"];
	step("installing packages", command, [...before, "ci", ...flags], { shell });
}
