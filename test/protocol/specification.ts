import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fences, ROOT } from "../docs/pages.js";

/** A row of a field table. */
export interface Row {
	/** `undefined` where the row follows one without a fixed size. */
	readonly offset: number | undefined;
	/** A number, or the two fields whose product it is. */
	readonly bytes: number | readonly [string, string];
	/** u8 to u64, bytes, zero, mac. */
	readonly type: string;
	/** What it may hold, as the page says it; empty for anything. */
	readonly range: string;
	readonly field: string;
}

export interface FrameSpecification {
	readonly name: string;
	readonly type: number;
	/** Of the whole frame, without what has no fixed size. */
	readonly bytes: number;
	/** What bit 0 of `flags` is called. */
	readonly flag: string | undefined;
	readonly rows: readonly Row[];
	readonly hexdumps: readonly Buffer[];
}

export interface Specification {
	readonly header: readonly Row[];
	readonly frames: readonly FrameSpecification[];
	readonly frameBytesMax: number;
	/** Names, in the order of the checks. */
	readonly errors: readonly string[];
	/** Frames and the answers to them, with the sizes that the page states. */
	readonly answers: readonly { readonly frame: Sized; readonly answers: readonly Sized[] }[];
}

interface Sized {
	readonly name: string;
	readonly bytes: number;
}

/** The cells of the first table in a text, without its head. */
function table(text: string): string[][] {
	const lines = text.split("\n");
	const head = lines.findIndex((line) => /^\| *---/.test(line));
	const rows = lines.slice(head + 1);
	const end = rows.findIndex((line) => !line.startsWith("|"));
	return rows.slice(0, end).map((line) =>
		line
			.split("|")
			.slice(1, -1)
			.map((cell) => cell.trim()),
	);
}

function row([offset = "", bytes = "", kind = "", field = ""]: string[]): Row {
	const [type = "", range = ""] = kind.split(/, (.*)/);
	const product = /^`(\w+)` × `(\w+)`$/.exec(bytes);
	return {
		offset: /^\d+$/.test(offset) ? Number(offset) : undefined,
		bytes: product === null ? Number(bytes) : [product[1] ?? "", product[2] ?? ""],
		type,
		range,
		field: field.replaceAll("`", ""),
	};
}

function hexdump(text: string): Buffer {
	const digits = text.split("\n").map((line) => line.replace(/^[0-9a-f]{4} {2}/, ""));
	return Buffer.from(digits.join("").replaceAll(" ", ""), "hex");
}

function frame(section: string): FrameSpecification {
	const [, name = "", type, bytes] = /^(\w+): type (\d), (\d+) bytes/.exec(section) ?? [];
	const dumps = fences({ path: "", text: section }).filter(({ language }) => language === "hexdump");
	return {
		name,
		type: Number(type),
		bytes: Number(bytes),
		flag: /^Bit 0 of `flags`: `(\w+)`/m.exec(section)?.[1],
		rows: table(section).map(row),
		hexdumps: dumps.map(({ text }) => hexdump(text)),
	};
}

function sized(text: string): Sized[] {
	return [...text.matchAll(/([A-Z]+) (\d+)/g)].map(([, name = "", bytes]) => ({
		name,
		bytes: Number(bytes),
	}));
}

/** Reads `docs/protocol.md`. */
export function readSpecification(): Specification {
	const text = readFileSync(join(ROOT, "docs", "protocol.md"), "utf8");
	const section = (title: string) => text.split(/^## /m).find((one) => one.startsWith(title)) ?? "";
	const [, most = ""] = /at most \*\*([\d,]+) bytes\*\*/.exec(text) ?? [];
	return {
		header: table(section("Header")).map(row),
		frames: section("Frames").split(/^### /m).slice(1).map(frame),
		frameBytesMax: Number(most.replace(",", "")),
		errors: table(section("Order of checks")).map(([name = ""]) => name.replaceAll("`", "")),
		answers: table(section("No amplification")).map(([asked = "", answers = ""]) => ({
			frame: sized(asked)[0] as Sized,
			answers: sized(answers),
		})),
	};
}
