import { fileURLToPath } from "node:url";

/** The project's folder: the same from `src/cli/bench` and from `dist/cli/bench`. */
const root = new URL("../../../", import.meta.url);

/** A path within the project. */
export function at(path: string): string {
	return fileURLToPath(new URL(path, root));
}
