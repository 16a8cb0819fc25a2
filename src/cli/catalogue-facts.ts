import { readFileSync } from "node:fs";
import { catalogueFile, catalogueNames, suiteFile, suiteNames, suiteWord } from "../scenarios/catalogue.js";
import { parseDuration } from "../units/duration.js";
import type { Micros } from "../units/micros.js";
import { parseWhole } from "../units/quantity.js";

const EXTENDS_MAX = 16;

/** A scenario in `klais list`. */
export interface CatalogueFacts {
	readonly name: string;
	readonly title: string;
	readonly devices: number;
	readonly durationMicros: Micros;
}

/** A suite in `klais list`. */
export interface SuiteFacts {
	/** What `klais run` takes for it. */
	readonly word: string;
	readonly title: string;
	readonly scenarios: number;
}

/**
 * The catalogue, from the first lines of its files: loading and checking each scenario with its cohorts takes several
 * times as long as `klais list` may. A file whose lines are not of the plain kind is loaded all the same.
 */
export async function catalogueFacts(): Promise<readonly CatalogueFacts[]> {
	const quick = catalogueNames().map((name) => quickFacts(name));
	if (quick.every((facts) => facts !== undefined)) {
		return quick;
	}
	const { listCatalogue } = await import("../scenarios/list-catalogue.js");
	return listCatalogue();
}

/** The suites, from their files' lines. */
export function suiteFacts(): readonly SuiteFacts[] {
	return suiteNames().map((name) => {
		const text = readFileSync(suiteFile(name) as string, "utf8");
		const [, list = ""] = /^scenarios:[ \t]*\n((?:[ \t#\n].*\n?|\n)*)/m.exec(text) ?? [];
		const scenarios = [...list.matchAll(/^ {2}- /gm)].length;
		return { word: suiteWord(name), title: lineOf(text, "title") ?? "", scenarios };
	});
}

/** `depth`: how many files it has been led through; a circle is for the loader to refuse. */
function quickFacts(name: string, depth = 0): CatalogueFacts | undefined {
	const file = depth > EXTENDS_MAX ? undefined : catalogueFile(name);
	if (file === undefined) {
		return undefined;
	}
	const text = readFileSync(file, "utf8");
	const parent = lineOf(text, "extends");
	const base = parent === undefined ? undefined : quickFacts(parent, depth + 1);
	const title = lineOf(text, "title") ?? base?.title;
	const duration = parseDuration(lineOf(text, "duration") ?? "");
	const devices = parseWhole(
		scalar(/^devices:[ \t]*\n(?:[ \t]+.*\n)*? {2}count:[ \t]+(.+)$/m.exec(text)?.[1]) ?? "",
	);
	const durationMicros = duration.ok ? duration.value : base?.durationMicros;
	const count = devices.ok ? devices.value : base?.devices;
	return title === undefined || durationMicros === undefined || count === undefined
		? undefined
		: { name, title, devices: count, durationMicros };
}

function lineOf(text: string, key: string): string | undefined {
	return scalar(new RegExp(`^${key}:[ \\t]+(.+)$`, "m").exec(text)?.[1]);
}

/** A plain or a double-quoted YAML scalar of one line; undefined for any other kind. */
function scalar(text: string | undefined): string | undefined {
	const [, quoted] = /^("(?:[^"\\]|\\["\\])*")[ \t]*(?:#.*)?$/.exec(text ?? "") ?? [];
	if (quoted !== undefined) {
		return JSON.parse(quoted) as string;
	}
	const plain = text?.replace(/[ \t]+#.*$/, "").trim();
	return plain !== undefined && /^[\p{L}\d]/u.test(plain) && !plain.includes(": ") ? plain : undefined;
}
