import type { z } from "zod";

/** Reads JSON of a program of ours against its schema. Throws, naming the first key that is wrong. */
export function parsed<Schema extends z.ZodType>(
	schema: Schema,
	text: string,
	what: string,
): z.output<Schema> {
	const result = schema.safeParse(JSON.parse(text));
	if (!result.success) {
		const [issue] = result.error.issues;
		throw new Error(`${what}: ${issue?.path.join(".") ?? ""}: ${issue?.message ?? "not as expected"}`);
	}
	return result.data;
}
