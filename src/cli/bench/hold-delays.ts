const ENTRIES = 65_536;
/** Delays are uniform from 1 to this many ticks. */
export const HOLD_TICKS = 1_000;

/** The delays of the hold model; every contender computes the same table: Knuth and Lewis's generator, seed 1. */
export function holdDelays(): Int32Array {
	let state = 1;
	return Int32Array.from({ length: ENTRIES }, () => {
		state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
		return 1 + ((state >>> 8) % HOLD_TICKS);
	});
}
