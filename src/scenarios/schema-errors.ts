import type { z } from "zod";
import type { UserError } from "../units/user-error.js";
import { didYouMean } from "./did-you-mean.js";
import type { Path } from "./yaml-document.js";

/** A mistake at a path within a document, before its place in the file is looked up. */
export interface Problem {
	readonly path: Path;
	readonly kind: UserError["kind"];
	readonly message: string;
}

type Issue = z.core.$ZodIssue;

/** Turns the issues of a failed validation of `data` into problems, one for each mistake, in the order of the issues. */
export function problemsOf(issues: readonly Issue[], data: unknown): Problem[] {
	return issues.flatMap((issue) => problemsOfIssue(issue, data, []));
}

function problemsOfIssue(issue: Issue, data: unknown, prefix: Path): Problem[] {
	const path: Path = [
		...prefix,
		...issue.path.map((part) => (typeof part === "number" ? part : String(part))),
	];
	const value = valueAt(data, path);
	switch (issue.code) {
		case "unrecognized_keys": {
			const known = issue.message.split(" ");
			return issue.keys.map((key) => unknownKey([...path, key], known));
		}
		case "invalid_union":
			return unionProblems(issue, data, path);
		case "invalid_type":
			return [schemaProblem(path, value, `expected ${typeInWords(issue.expected)}`)];
		case "invalid_value": {
			const values = issue.values.map(String);
			// A schema with a message of its own (the schema id) says it better than the list of allowed values.
			const custom = issue.message.startsWith("Invalid") ? undefined : issue.message;
			return [schemaProblem(path, value, custom ?? `expected ${listInWords(values)}`, values)];
		}
		case "custom": {
			const given: unknown = issue.params?.["kind"];
			const kind = given === "limit" || given === "unknown-key" ? given : "schema";
			return [{ path, kind, message: issue.message }];
		}
		default:
			return [schemaProblem(path, value, issue.message)];
	}
}

/** Of the alternatives, the one that the value has the right type for tells what is wrong; else none does. */
function unionProblems(issue: Issue & { code: "invalid_union" }, data: unknown, path: Path): Problem[] {
	const value = valueAt(data, path);
	if (issue.discriminator !== undefined) {
		const options = ("options" in issue && Array.isArray(issue.options) ? issue.options : []).map(String);
		const expected = options.length > 0 ? listInWords(options) : "a known kind";
		const keyed = path.at(-1) === issue.discriminator ? path : [...path, issue.discriminator];
		return [schemaProblem(keyed, valueAt(data, keyed), `expected ${expected}`, options)];
	}
	const fitting = issue.errors.find((branch) => !branch.some((each) => isTypeMismatch(each, value)));
	if (fitting !== undefined && value !== undefined) {
		return fitting.flatMap((each) => problemsOfIssue(each, data, path));
	}
	const own = issue.message.startsWith("Invalid") ? `expected ${alternatives(issue)}` : issue.message;
	return [schemaProblem(path, value, own)];
}

function isTypeMismatch(issue: Issue, value: unknown): boolean {
	if (issue.path.length > 0) {
		return false;
	}
	return issue.code === "invalid_type" || (issue.code === "invalid_value" && typeof value !== "string");
}

function alternatives(issue: Issue & { code: "invalid_union" }): string {
	const words = issue.errors.flat().map((each) => {
		if (each.code === "invalid_type") {
			return typeInWords(each.expected);
		}
		return each.code === "invalid_value" ? listInWords(each.values.map(String)) : each.message;
	});
	return [...new Set(words)].join(", or ");
}

/** The problem of a key that the schema does not know. */
function unknownKey(path: Path, known: readonly string[]): Problem {
	const key = String(path.at(-1));
	const suggestion = didYouMean(key, known);
	const hint = suggestion === "" ? ` Known keys: ${known.join(", ")}.` : suggestion;
	return { path, kind: "unknown-key", message: `unknown key "${shortened(key)}".${hint}` };
}

function schemaProblem(
	path: Path,
	value: unknown,
	expected: string,
	options: readonly string[] = [],
): Problem {
	if (value === undefined) {
		const key = String(path.at(-1) ?? "");
		return { path, kind: "schema", message: `the key "${key}" is missing: ${expected}` };
	}
	const suggestion = typeof value === "string" ? didYouMean(value, options) : "";
	return {
		path,
		kind: "schema",
		message: `${expected}, found ${valueInWords(value)}${suggestion && `.${suggestion}`}`,
	};
}

/** The value at `path` of plain data, or undefined. */
function valueAt(data: unknown, path: Path): unknown {
	let value = data;
	for (const part of path) {
		if (value === null || typeof value !== "object" || !Object.hasOwn(value, part)) {
			return undefined;
		}
		value = (value as Record<string | number, unknown>)[part];
	}
	return value;
}

function typeInWords(type: string): string {
	const words: Readonly<Record<string, string>> = {
		object: "a map of keys",
		array: "a list",
		string: "a text",
		number: "a number",
		int: "a whole number",
	};
	return words[type] ?? type;
}

function listInWords(values: readonly string[]): string {
	return values.length === 1 ? String(values[0]) : `one of ${values.join(", ")}`;
}

function valueInWords(value: unknown): string {
	if (value === null) {
		return "nothing";
	}
	if (Array.isArray(value)) {
		return "a list";
	}
	return typeof value === "object" ? "a map of keys" : JSON.stringify(shortened(String(value)));
}

function shortened(text: string): string {
	return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
