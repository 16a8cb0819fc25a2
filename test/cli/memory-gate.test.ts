import { describe, expect, test } from "vitest";
import { MemoryGate } from "../../src/cli/sweep/memory-gate.js";

/** Work that ends when it is told to. */
function workAt(gate: MemoryGate, bytes: number) {
	let end: () => void = () => undefined;
	let hasBegun = false;
	const done = gate.within(bytes, () => {
		hasBegun = true;
		return new Promise<void>((resolve) => {
			end = resolve;
		});
	});
	return { done, begun: () => hasBegun, end: () => end() };
}

/** Lets everything happen that waits for nothing. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

describe("the memory gate", () => {
	test("lets in what fits, and nobody overtakes", async () => {
		const gate = new MemoryGate(100);
		const [first, second, third, small] = [60, 30, 50, 5].map((bytes) => workAt(gate, bytes)) as [
			ReturnType<typeof workAt>,
			ReturnType<typeof workAt>,
			ReturnType<typeof workAt>,
			ReturnType<typeof workAt>,
		];
		await settle();
		expect([first.begun(), second.begun(), third.begun(), small.begun()]).toEqual([true, true, false, false]);
		first.end();
		await first.done;
		await settle();
		expect([third.begun(), small.begun()]).toEqual([true, true]);
	});

	test("lets in alone what is larger than all of it, and gives back what failed work had", async () => {
		const gate = new MemoryGate(100);
		await expect(gate.within(90, () => Promise.reject(new Error("crashed")))).rejects.toThrow("crashed");
		const large = workAt(gate, 1_000);
		const small = workAt(gate, 1);
		await settle();
		expect([large.begun(), small.begun()]).toEqual([true, false]);
		large.end();
		await large.done;
		await settle();
		expect(small.begun()).toBe(true);
	});
});
