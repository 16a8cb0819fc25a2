import type { z } from "zod";
import { err, ok, type Result } from "../units/result.js";
import type { UserError } from "../units/user-error.js";
import { MAX_REPORTED_ERRORS } from "./limits.js";
import { problemsOf } from "./schema-errors.js";
import { YamlDocument } from "./yaml-document.js";

/** A YAML text that fits its schema, and where its values stand. */
export interface CheckedYaml<Schema extends z.ZodType> {
	readonly data: z.output<Schema>;
	readonly document: YamlDocument;
}

/** Reads a text, called `file` in messages, against a schema. Never throws on any input; errors say file, line, column and key. */
export function parseChecked<Schema extends z.ZodType>(
	text: string,
	file: string,
	schema: Schema,
): Result<CheckedYaml<Schema>, readonly UserError[]> {
	const document = YamlDocument.parse(text, file);
	if (!document.ok) {
		return document;
	}
	const plain = document.value.toPlain();
	if (!plain.ok) {
		return err([plain.error]);
	}
	const parsed = schema.safeParse(plain.value);
	if (parsed.success) {
		return ok({ data: parsed.data, document: document.value });
	}
	const problems = problemsOf(parsed.error.issues, plain.value).slice(0, MAX_REPORTED_ERRORS);
	return err(
		problems.map(({ path, kind, message }) => ({
			kind,
			...(kind === "unknown-key" ? document.value.placeOfKey(path) : document.value.placeOf(path)),
			key: path.join("."),
			message,
		})),
	);
}
