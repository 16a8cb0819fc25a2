import type { z } from "zod";

/** Reports every column of a series that has not as many rows as `timeSeconds`. */
export function checkEqualColumns(
	columns: { readonly timeSeconds: readonly number[] } & Readonly<Record<string, unknown>>,
	context: z.core.$RefinementCtx,
): void {
	const rows = columns.timeSeconds.length;
	for (const [name, values] of Object.entries(columns)) {
		if (Array.isArray(values) && values.length !== rows) {
			const message = `expected ${rows} rows, as in timeSeconds, found ${values.length}`;
			context.addIssue({ code: "custom", path: [name], message });
		}
	}
}
