/** What stands at a path of keys; undefined where there is no such path. Own properties alone. */
export function valueAt(root: unknown, path: readonly string[]): unknown {
	let value = root;
	for (const key of path) {
		if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) {
			return undefined;
		}
		value = (value as Record<string, unknown>)[key];
	}
	return value;
}
