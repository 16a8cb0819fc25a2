/** Integer microseconds of virtual time, counted from the scenario's start; 0 to 2^53 - 1. */
export type Micros = number & { readonly unit: "Micros" };

export const MICROS_PER_MILLISECOND = 1_000;
export const MICROS_PER_SECOND = 1_000_000;

/** Brands a whole number of microseconds. Throws on a fraction: that is a bug in the caller. */
export function micros(value: number): Micros {
	if (!Number.isSafeInteger(value)) {
		throw new RangeError(`not a whole number of microseconds: ${value}`);
	}
	return value as Micros;
}
