/** What a process of klais ends with; scripts and CI rely on these. */
export const EXIT = {
	passed: 0,
	/** A run's verdict failed, or a worker crashed. */
	failed: 1,
	/** Bad usage or input, or a folder that cannot be written. */
	usage: 2,
	/** The gate could not decide. */
	undecided: 3,
	/** 128 + SIGINT: stopped by the user, results are partial. */
	interrupted: 130,
	/** 128 + SIGTERM. */
	terminated: 143,
} as const;

/** One of `EXIT`. */
export type ExitCode = number;
