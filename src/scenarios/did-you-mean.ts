import { closest, distance } from "fastest-levenshtein";

/** Longer words are no slip of the finger, and would cost quadratic time. */
const MAX_WORD_LENGTH = 64;

/** ` Did you mean "x"?` when one of `known` is close to `word`, else the empty string. */
export function didYouMean(word: string, known: readonly string[]): string {
	if (word.length === 0 || word.length > MAX_WORD_LENGTH || known.length === 0) {
		return "";
	}
	const folded = word.toLowerCase();
	const sameLetters = known.find((candidate) => candidate.toLowerCase() === folded);
	const best = sameLetters ?? closest(word, [...known]);
	const near = sameLetters !== undefined || distance(word, best) <= Math.max(2, Math.floor(best.length / 3));
	return near ? ` Did you mean "${best}"?` : "";
}
