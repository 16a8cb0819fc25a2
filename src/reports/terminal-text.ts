import Table from "cli-table3";
import type picocolors from "picocolors";

export type Colours = ReturnType<typeof picocolors.createColors>;

/** cli-table3 colours heads and borders by itself, whatever NO_COLOR says: switched off here. */
export function plainTable(head: readonly string[], colours: Colours): Table.Table {
	return new Table({
		head: head.map((text) => colours.bold(text)),
		style: { head: [], border: [], "padding-left": 1, "padding-right": 1 },
		colAligns: head.map((_text, index) => (index === 0 ? "left" : "right")),
		chars: { mid: "", "left-mid": "", "mid-mid": "", "right-mid": "" },
	}) as Table.Table;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: the escape character starts every colour
const ESCAPES = /\u001b\[[0-9;]*m/g;

/** A text as it shows, without its colours. */
export function visible(text: string): string {
	return text.replace(ESCAPES, "");
}

/** Names come from files: no control character of theirs may reach a terminal. */
export function clean(text: string): string {
	return text.replace(/\p{Cc}/gu, " ");
}

/** Breaks a text between words; a word longer than the width stays whole. */
export function wrap(text: string, width: number): string {
	const lines: string[] = [];
	let line = "";
	for (const word of text.split(" ")) {
		if (line !== "" && line.length + 1 + word.length > width) {
			lines.push(line);
			line = word;
		} else {
			line = line === "" ? word : `${line} ${word}`;
		}
	}
	return [...lines, line].join("\n");
}
