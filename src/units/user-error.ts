/**
 * A mistake that a user can make and mend. `message` says what was expected and what to do;
 * `file`, `line`, `column` and `key` say where, as far as the place is known.
 */
export interface UserError {
	readonly kind:
		| "usage"
		| "not-found"
		| "unreadable"
		| "syntax"
		| "schema"
		| "unknown-key"
		| "limit"
		| "unwritable"
		/** The request is sound, but this machine, or this way of running, cannot do it. */
		| "unsupported";
	readonly message: string;
	readonly file?: string;
	readonly line?: number;
	readonly column?: number;
	readonly key?: string;
}
