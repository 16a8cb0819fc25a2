import { readFileSync } from "node:fs";
import { catalogueFile, catalogueNames } from "../scenarios/catalogue.js";
import { parseDuration } from "../units/duration.js";
import type { Micros } from "../units/micros.js";
import { parseWhole } from "../units/quantity.js";

/** A line of `klais list`. */
export interface CatalogueFacts {
	readonly name: string;
	readonly title: string;
	readonly devices: number;
	readonly durationMicros: Micros;
}

/**
 * The catalogue, from the first lines of its files: loading and checking each scenario with its cohorts takes several
 * times as long as `klais list` may. A file whose lines are not of the plain kind is loaded all the same.
 */
export async function catalogueFacts(): Promise<readonly CatalogueFacts[]> {
	const quick = catalogueNames().map(quickFacts);
	if (quick.every((facts) => facts !== undefined)) {
		return quick;
	}
	const { listCatalogue } = await import("../scenarios/load-scenario.js");
	return listCatalogue();
}

function quickFacts(name: string): CatalogueFacts | undefined {
	const text = readFileSync(catalogueFile(name) as string, "utf8");
	const title = scalar(/^title:[ \t]+(.+)$/m.exec(text)?.[1]);
	const duration = parseDuration(scalar(/^duration:[ \t]+(.+)$/m.exec(text)?.[1]) ?? "");
	const devices = parseWhole(
		scalar(/^devices:[ \t]*\n(?:[ \t]+.*\n)*? {2}count:[ \t]+(.+)$/m.exec(text)?.[1]) ?? "",
	);
	if (title === undefined || !duration.ok || !devices.ok) {
		return undefined;
	}
	return { name, title, devices: devices.value, durationMicros: duration.value };
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
