import { loadNative } from "../engine/native.js";
import type { UserError } from "../units/user-error.js";

/** A library that is missing or of another machine would fail every run: said before the first. */
export function nativeProblem(): UserError | undefined {
	try {
		loadNative();
		return undefined;
	} catch (error) {
		const [reason] = String((error as Error).message).split("\n");
		const message = `cannot be loaded (${reason}): \`npm run setup\` builds it, \`klais doctor\` says what is missing`;
		return { kind: "unreadable", file: "native/klais.node", message };
	}
}
