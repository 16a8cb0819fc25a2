import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { at, root } from "./paths.mjs";

const SKIPPED_FOLDERS = new Set(["target", "node_modules", ".git"]);

/** Every file below a folder, in an order that no file system changes. */
export function filesBelow(folder, wanted = () => true) {
	const found = [];
	for (const entry of readdirSync(folder, { withFileTypes: true })) {
		const path = join(folder, entry.name);
		if (entry.isDirectory()) {
			if (!SKIPPED_FOLDERS.has(entry.name)) {
				found.push(...filesBelow(path, wanted));
			}
		} else if (wanted(path)) {
			found.push(path);
		}
	}
	return found.sort();
}

/** Contents, not times: a checkout or a copied tree changes times without changing a byte. */
export function hashFiles(paths) {
	const hash = createHash("sha256");
	for (const path of paths) {
		const bytes = readFileSync(path);
		hash.update(`${relative(root, path)}\0${bytes.length}\0`).update(bytes);
	}
	return hash.digest("hex");
}

const stampPath = (name) => at("node_modules", ".klais-setup", name);

export function readStamp(name) {
	try {
		return readFileSync(stampPath(name), "utf8");
	} catch {
		return undefined;
	}
}

export function writeStamp(name, value) {
	const path = stampPath(name);
	mkdirSync(dirname(path), { recursive: true });
	writeFileSync(path, value);
}
