import { expect, test } from "vitest";
import { poolSize } from "../../src/cli/memory-need.js";

const GIB = 2 ** 30;
const FACTS = { workers: undefined, cores: 4, jobs: 6, devices: 1_000_000, freeBytes: 64 * GIB };

test("as many runs at a time as cores, jobs and memory allow", () => {
	expect(poolSize(FACTS)).toEqual({ size: 4 });
	expect(poolSize({ ...FACTS, jobs: 2 })).toEqual({ size: 2 });
	expect(poolSize({ ...FACTS, workers: 9 })).toEqual({ size: 6 });
	const large = { ...FACTS, devices: 10_000_000 };
	expect(poolSize({ ...large, freeBytes: 8 * GIB })).toEqual({
		size: 2,
		warning: expect.stringMatching(/10,000,000 devices takes about 2\.\d+ GiB .* no more than 2 at a time/),
	});
	expect(poolSize({ ...large, freeBytes: GIB })).toEqual({
		size: 1,
		warning: expect.stringContaining("even one may not fit"),
	});
	// The user knows better, and is told.
	expect(poolSize({ ...large, workers: 3, freeBytes: GIB })).toEqual({
		size: 3,
		warning: expect.stringContaining("3 at a time may not fit"),
	});
});
