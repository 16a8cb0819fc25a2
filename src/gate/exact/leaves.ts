/** A value at the end of a path in a record. */
export type Leaf = number | string | boolean | null;

/** Every value of a record by its path, `a.b.c`; places of a list are parts of it. Of an empty list or object, none. */
export function leaves(value: unknown, path = ""): Map<string, Leaf> {
	const found = new Map<string, Leaf>();
	collect(value, path, found);
	return found;
}

function collect(value: unknown, path: string, found: Map<string, Leaf>): void {
	if (typeof value === "object" && value !== null) {
		for (const [key, inner] of Object.entries(value)) {
			collect(inner, path === "" ? key : `${path}.${key}`, found);
		}
	} else if (value !== undefined) {
		found.set(path, value as Leaf);
	}
}

/** A value that is another one on the other side; undefined where a side has none. */
export interface Difference {
	readonly path: string;
	readonly base: Leaf | undefined;
	readonly candidate: Leaf | undefined;
}

/** What differs, in the base's order, then what only the candidate has. */
export function differences(base: Map<string, Leaf>, candidate: Map<string, Leaf>): Difference[] {
	const paths = new Set([...base.keys(), ...candidate.keys()]);
	return [...paths]
		.map((path) => ({ path, base: base.get(path), candidate: candidate.get(path) }))
		.filter((pair) => !Object.is(pair.base, pair.candidate));
}

/** A value as a message shows it. */
export function shown(value: Leaf | undefined): string {
	if (value === undefined) {
		return "absent";
	}
	if (typeof value === "number") {
		return String(Number(value.toPrecision(9)));
	}
	return value === null
		? "none"
		: typeof value === "string"
			? JSON.stringify(value.slice(0, 80))
			: String(value);
}
