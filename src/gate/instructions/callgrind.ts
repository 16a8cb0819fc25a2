/** What callgrind counted of a program. */
export interface Counts {
	/** Instructions of all functions together. */
	readonly instructions: number;
	/** Calls that asked the C library for memory. */
	readonly allocations: number;
	/** Instructions by function, its callees apart. */
	readonly byFunction: ReadonlyMap<string, number>;
}

const ALLOCATORS = new Set(["malloc", "calloc", "realloc", "posix_memalign", "aligned_alloc", "memalign"]);

/**
 * Reads the file that `valgrind --tool=callgrind` writes (valgrind manual, "Callgrind Format Specification"), functions that match
 * `ignore` left out. undefined: it is no such file, or it counted nothing.
 */
export function readCallgrind(text: string, ignore: readonly RegExp[]): Counts | undefined {
	const names = new Map<string, string>();
	const byFunction = new Map<string, number>();
	let allocations = 0;
	let [current, callee] = ["", ""];
	let isCallCost = false;
	for (const line of text.split("\n")) {
		const [, callsOut, id, name] = /^(c?)fn=\((\d+)\)(?: (.*))?$/.exec(line) ?? [];
		if (id !== undefined) {
			if (name !== undefined) {
				names.set(id, name);
			}
			const known = names.get(id) ?? id;
			[current, callee] = callsOut === "c" ? [current, known] : [known, ""];
			continue;
		}
		const [, calls] = /^calls=(\d+)/.exec(line) ?? [];
		if (calls !== undefined) {
			allocations += ALLOCATORS.has(callee) ? Number(calls) : 0;
			// The line below says what the call cost: the callee's own lines have it.
			isCallCost = true;
		} else if (/^[-+*\d]/.test(line)) {
			if (!isCallCost) {
				byFunction.set(current, (byFunction.get(current) ?? 0) + Number(line.split(" ")[1] ?? 0));
			}
			isCallCost = false;
		}
	}
	for (const name of byFunction.keys()) {
		if (ignore.some((pattern) => pattern.test(name))) {
			byFunction.delete(name);
		}
	}
	const instructions = [...byFunction.values()].reduce((x, y) => x + y, 0);
	return instructions > 0 ? { instructions, allocations, byFunction } : undefined;
}

/** A function that costs another number of instructions now. */
export interface FunctionChange {
	readonly name: string;
	readonly base: number;
	readonly candidate: number;
}

/** The functions that changed most, the largest change first. */
export function largestChanges(base: Counts, candidate: Counts, most: number): FunctionChange[] {
	const names = new Set([...base.byFunction.keys(), ...candidate.byFunction.keys()]);
	return [...names]
		.map((name) => ({
			name,
			base: base.byFunction.get(name) ?? 0,
			candidate: candidate.byFunction.get(name) ?? 0,
		}))
		.filter((one) => one.base !== one.candidate)
		.toSorted((x, y) => Math.abs(y.candidate - y.base) - Math.abs(x.candidate - x.base))
		.slice(0, most);
}
