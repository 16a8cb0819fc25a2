/** How `klais-xdp` ends. */
export const XDP_EXIT = {
	passed: 0,
	/** A packet met another fate than it should: what was found out is printed all the same. */
	found: 1,
	/** Bad usage or input, or the kernel refused something. */
	failed: 2,
	/** This machine, or this user, cannot do it at all. */
	unable: 3,
} as const;
