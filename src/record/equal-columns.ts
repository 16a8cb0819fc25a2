import type { z } from "zod";

/** A check that reports every column that has not as many rows as the one named. */
export function equalColumns<Name extends string>(
	leading: Name,
): (columns: Readonly<Record<Name, readonly unknown[]>>, context: z.core.$RefinementCtx) => void {
	return (columns, context) => {
		const rows = columns[leading].length;
		for (const [name, values] of Object.entries(columns)) {
			if (Array.isArray(values) && values.length !== rows) {
				const message = `expected ${rows} rows, as in ${leading}, found ${values.length}`;
				context.addIssue({ code: "custom", path: [name], message });
			}
		}
	};
}
