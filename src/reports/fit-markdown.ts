import { codeSpan } from "./markup.js";

/** A piece of a Markdown report. */
export interface Piece {
	readonly text: string;
	/** Where the whole is too long, pieces with the highest number go first; 0 stays. */
	readonly expendable: number;
	/** What it tells, for the note that says what is left out; only of pieces that may go. */
	readonly tells?: string;
	/** The scenario it belongs to: where even the pieces that stay are too long, whole scenarios go. */
	readonly scenario?: { readonly name: string; readonly passed: boolean };
}

/** Scenarios that the note names one by one. */
const NAMED_MAX = 20;

/**
 * Joins pieces in at most `bytesMax` bytes. What does not fit goes in this order: details, the most expendable first; whole
 * scenarios, those that passed first, from the end; at last the end of the text, at a line's end. A note says what is
 * left out and where the whole is.
 */
export function fitted(pieces: readonly Piece[], bytesMax: number): string {
	const fits = (text: string) => Buffer.byteLength(text) <= bytesMax;
	const whole = join(pieces);
	if (fits(whole)) {
		return whole;
	}
	const levels = [...new Set(pieces.map(({ expendable }) => expendable))].sort((a, b) => b - a);
	for (const level of levels.filter((candidate) => candidate > 0)) {
		const text = without(pieces, ({ expendable }) => expendable >= level);
		if (fits(text)) {
			return text;
		}
	}
	const going = scenariosOf(pieces);
	const gone = new Set<string>();
	for (const name of going) {
		gone.add(name);
		const text = without(
			pieces,
			({ expendable, scenario }) => expendable > 0 || (scenario !== undefined && gone.has(scenario.name)),
		);
		if (fits(text)) {
			return text;
		}
	}
	return cut(pieces, bytesMax);
}

/** Scenarios in the order in which they go. */
function scenariosOf(pieces: readonly Piece[]): readonly string[] {
	const passed = new Map(
		pieces.flatMap(({ scenario }) => (scenario ? [[scenario.name, scenario.passed]] : [])),
	);
	const names = [...passed.keys()].reverse();
	return [...names.filter((name) => passed.get(name)), ...names.filter((name) => !passed.get(name))];
}

function without(pieces: readonly Piece[], goes: (piece: Piece) => boolean): string {
	const gone = pieces.filter(goes);
	const kept = pieces.filter((piece) => !gone.includes(piece));
	const staying = new Set(kept.flatMap(({ scenario }) => (scenario ? [scenario.name] : [])));
	const scenarios = [...new Set(gone.flatMap(({ scenario }) => (scenario ? [scenario.name] : [])))].filter(
		(name) => !staying.has(name),
	);
	const told = [...new Set(gone.flatMap(({ tells }) => (tells === undefined ? [] : [tells])))];
	return join([...kept, { text: note(scenarios, told), expendable: 0 }]);
}

function note(scenarios: readonly string[], told: readonly string[]): string {
	const named = scenarios.slice(0, NAMED_MAX).map(codeSpan).join(", ");
	const more = scenarios.length > NAMED_MAX ? ` and ${scenarios.length - NAMED_MAX} more` : "";
	const parts = [
		...(scenarios.length > 0 ? [`${scenarios.length} whole scenarios (${named}${more})`] : []),
		...told,
	];
	const what = parts.length > 0 ? `: ${parts.join("; ")}` : "";
	return `_Shortened to fit. Left out${what}. BENCHMARK_RESULTS.html and results.json hold everything._`;
}

const CUT = "_Cut to fit: BENCHMARK_RESULTS.html and results.json hold everything._";

/** The last resort, where not even the opening fits: its longest piece loses its end, then all of it. */
function cut(pieces: readonly Piece[], bytesMax: number): string {
	const least = pieces.filter(({ expendable, scenario }) => expendable === 0 && scenario === undefined);
	const longest = least.reduce((most, piece) => (piece.text.length > most.text.length ? piece : most));
	const others = Buffer.byteLength(join([...least.filter((piece) => piece !== longest)])) + 2;
	const shorter = linesWithin(longest.text, bytesMax - others - Buffer.byteLength(CUT) - 2);
	const text = join(
		least.map((piece) => (piece === longest ? { ...piece, text: `${shorter}\n\n${CUT}` } : piece)),
	);
	return Buffer.byteLength(text) <= bytesMax
		? text
		: `${linesWithin(text, bytesMax - Buffer.byteLength(CUT) - 3)}\n\n${CUT}\n`;
}

/** As many whole lines as fit. */
function linesWithin(text: string, bytesMax: number): string {
	const bytes = Buffer.from(text);
	return bytes.length <= bytesMax
		? text
		: bytes.subarray(0, Math.max(bytes.lastIndexOf("\n", Math.max(bytesMax, 0)), 0)).toString("utf8");
}

function join(pieces: readonly Piece[]): string {
	return `${pieces.map(({ text }) => text).join("\n\n")}\n`;
}
