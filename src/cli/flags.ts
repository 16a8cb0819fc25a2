import { didYouMean } from "../scenarios/did-you-mean.js";
import { parseWhole } from "../units/quantity.js";
import type { Result } from "../units/result.js";
import type { UserError } from "../units/user-error.js";

/** Reads flags one by one and keeps every mistake, so that the user sees all of them at once. */
export class FlagReader {
	readonly errors: UserError[] = [];

	/** Notes a mistake. */
	reject(key: string, message: string): void {
		this.errors.push({ kind: "usage", key, message });
	}

	/** A whole number from `min` to `max`; undefined when the flag is not given, or wrong. */
	whole(key: string, text: string | undefined, min: number, max: number): number | undefined {
		if (text === undefined) {
			return undefined;
		}
		const value = parseWhole(text);
		if (value.ok && value.value >= min && value.value <= max) {
			return value.value;
		}
		const range = `expected a whole number from ${min} to ${max}`;
		this.reject(key, `${range}, found ${JSON.stringify(text.slice(0, 60))}`);
		return undefined;
	}

	/** A number by the reader given; undefined when the flag is not given, or wrong. */
	number(
		key: string,
		text: string | undefined,
		parse: (text: string) => Result<number, string>,
	): number | undefined {
		if (text === undefined) {
			return undefined;
		}
		const value = parse(text);
		if (value.ok) {
			return value.value;
		}
		this.reject(key, value.error);
		return undefined;
	}

	/** Words out of `known`, from lists with commas; undefined when the flag is not given. */
	words<Word extends string>(
		key: string,
		lists: readonly string[] | undefined,
		known: readonly Word[],
	): Word[] | undefined {
		if (lists === undefined) {
			return undefined;
		}
		const words = lists.flatMap((list) => list.split(",")).map((word) => word.trim());
		const found: Word[] = [];
		for (const word of words) {
			const match = known.find((candidate) => candidate === word);
			if (match === undefined) {
				const named = word === "" ? "an empty name" : `unknown name ${JSON.stringify(word.slice(0, 60))}`;
				this.reject(key, `${named}.${didYouMean(word, known)} There are: ${known.join(", ")}.`);
			} else if (found.includes(match)) {
				this.reject(key, `${match} is there twice`);
			} else {
				found.push(match);
			}
		}
		return found;
	}

	/** A text that must not be empty. */
	text(key: string, text: string, what: string): string {
		if (text.trim() === "") {
			this.reject(key, `expected ${what}, found nothing`);
		}
		return text;
	}
}

/** The object without its undefined values: an option that is not given must not be there at all. */
export function given<T extends object>(values: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
	const entries = Object.entries(values).filter(([, value]) => value !== undefined);
	return Object.fromEntries(entries) as { [K in keyof T]?: Exclude<T[K], undefined> };
}
