/** What stops without it: `run` means that nothing can be simulated. */
export type Needed = "run" | "build" | "tests" | "live" | "kafka" | "later";

/** One line of `klais doctor`. */
export interface Check {
	readonly name: string;
	readonly ok: boolean;
	/** What was found, or what is missing. */
	readonly found: string;
	readonly needed: Needed;
	/** What works only with it, and how to get it. */
	readonly help: string;
}
