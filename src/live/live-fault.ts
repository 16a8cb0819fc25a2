/** What went wrong with a live run, in words for its user. */
export class LiveFault extends Error {
	/** `setup`: the machine does not do what a live run needs. `run`: the run itself broke. */
	constructor(
		readonly stage: "setup" | "run",
		message: string,
	) {
		super(message);
	}
}

/** Words of a failed program that are worth repeating. */
const COMPLAINT_CHARACTERS = 400;

/** The end of what a failed program said, on one line. */
export function complaint(text: string): string {
	const words = text.trim().replace(/\s*\n\s*/g, "; ");
	return words.length > COMPLAINT_CHARACTERS ? `…${words.slice(-COMPLAINT_CHARACTERS)}` : words;
}
