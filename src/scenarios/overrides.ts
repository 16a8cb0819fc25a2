import type { UserError } from "../units/user-error.js";
import type { Problem } from "./schema-errors.js";
import { type Path, type Places, YamlDocument } from "./yaml-document.js";

/** `--set path=value`: a dotted path into the scenario file, and the value as YAML. */
export type Setting = readonly [path: string, value: string];

/** Where a text is short for a map, and under which key the map holds that text. */
export const LONG_FORMS: ReadonlyMap<string, string> = new Map([
	["devices.firmware", "profile"],
	["devices.link", "profile"],
	["devices.firmware.backoff", "kind"],
]);

const MAX_VALUE_CHARACTERS = 10_000;
const MAX_PATH_PARTS = 16;

/** Writes the settings into the document, in order. Errors: usage (no such place, no such value). */
export function applySettings(document: YamlDocument, settings: readonly Setting[]): UserError[] {
	const errors: UserError[] = [];
	for (const setting of settings) {
		const message = applySetting(document, setting);
		if (message !== undefined) {
			errors.push({ kind: "usage", file: settingName(setting), key: setting[0], message });
		}
	}
	return errors;
}

function applySetting(document: YamlDocument, [dotted, text]: Setting): string | undefined {
	const path = pathOf(dotted);
	if (path.length > MAX_PATH_PARTS || path.some((part) => part === "")) {
		return "expected a path such as devices.firmware.reportInterval";
	}
	if (path[0] === "extends") {
		return "a file says what it extends: name another file instead";
	}
	if (text.length > MAX_VALUE_CHARACTERS) {
		return `the value is longer than ${MAX_VALUE_CHARACTERS} characters`;
	}
	const parsed = YamlDocument.parse(text, dotted);
	const value = parsed.ok ? parsed.value.toPlain() : undefined;
	return value?.ok
		? document.set(path, value.value, LONG_FORMS)
		: `expected a YAML value, found ${JSON.stringify(text.slice(0, 60))}`;
}

/** Gives a problem its place: the setting that caused it, else the file's line and column. */
export function placeProblem(problem: Problem, places: Places, settings: readonly Setting[]): UserError {
	const { path, kind, message } = problem;
	const key = path.join(".");
	// A setting may also have brought along the unknown map that it lies in.
	const cause = settings.findLast(
		([dotted]) => isWithin(key, dotted) || (kind === "unknown-key" && isWithin(dotted, key)),
	);
	if (cause !== undefined) {
		return { kind, file: settingName(cause), key, message };
	}
	const place = kind === "unknown-key" ? places.placeOfKey(path) : places.placeOf(path);
	return { kind, ...place, key, message };
}

/** Whether the value at `path` comes from one of the settings. */
export function isSet(path: Path, settings: readonly Setting[]): boolean {
	return settings.some(([dotted]) => isWithin(path.join("."), dotted));
}

function isWithin(inner: string, outer: string): boolean {
	return `${inner}.`.startsWith(`${outer}.`);
}

function pathOf(dotted: string): Path {
	return dotted.split(".").map((part) => (/^\d{1,6}$/.test(part) ? Number(part) : part));
}

/** A value as `--set` takes it: a text that YAML would read as something else is quoted. */
export function settingText(value: unknown): string {
	if (typeof value !== "string") {
		return typeof value === "object" ? JSON.stringify(value) : String(value);
	}
	const parsed = YamlDocument.parse(value, "");
	const plain = parsed.ok ? parsed.value.toPlain() : undefined;
	return plain?.ok === true && plain.value === value ? value : JSON.stringify(value);
}

/** What messages call a setting, in the place of a file. */
export function settingName([path, value]: Setting): string {
	return `--set ${path}=${value.length > 60 ? `${value.slice(0, 60)}…` : value}`;
}
