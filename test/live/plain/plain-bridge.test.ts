import { describe, expect, test } from "vitest";
import { type BridgeSettings, PlainBridge, type PlainReading } from "../../../src/live/plain/plain-bridge.js";

const SETTINGS: BridgeSettings = {
	acknowledges: "stored",
	queueReadingsMax: 10,
	batchReadingsMax: 4,
	sendsMax: 2,
	lingerMillis: 50,
};

/** A producer whose calls a test ends, and a clock that it moves. */
function world(change: Partial<BridgeSettings> = {}) {
	const sent: { readonly indexes: number[]; end: (error?: Error) => Promise<void> }[] = [];
	const timers: (() => void)[] = [];
	const answers: string[] = [];
	const bridge = new PlainBridge(
		{ ...SETTINGS, ...change },
		{
			send: (readings) =>
				new Promise((resolve, reject) => {
					const end = async (error?: Error) => {
						error === undefined ? resolve() : reject(error);
						await new Promise(setImmediate);
					};
					sent.push({ indexes: readings.map(({ index }) => index), end });
				}),
			after: (_, work) => timers.push(work),
		},
	);
	const take = (...indexes: number[]) =>
		bridge.take(indexes.map(reading), (isStored) =>
			answers.push(`${indexes.join("+")} ${isStored ? "stored" : "not"}`),
		);
	return { bridge, sent, answers, take, tick: () => timers.shift()?.() };
}

const reading = (index: number): PlainReading => ({
	device: 0,
	index,
	takenMillis: 0,
	value: Buffer.alloc(1),
});

describe("a plain gateway", () => {
	test("gathers requests, whole, into batches of bounded size, and answers when the producer has", async () => {
		const { sent, answers, take, tick } = world();
		take(0, 1);
		take(2);
		take(3, 4);
		take(5);
		expect(sent).toEqual([]);
		tick();
		expect(sent.map(({ indexes }) => indexes)).toEqual([
			[0, 1, 2],
			[3, 4, 5],
		]);
		expect(answers).toEqual([]);
		await sent[1]?.end();
		expect(answers).toEqual(["3+4 stored", "5 stored"]);
	});

	test("calls the producer only so often at once, and refuses what it has no room for", async () => {
		const { sent, answers, take, tick } = world({ sendsMax: 1 });
		take(0, 1, 2, 3);
		take(4, 5, 6, 7);
		take(8, 9, 10);
		expect(answers).toEqual(["8+9+10 not"]);
		tick();
		expect(sent).toHaveLength(1);
		await sent[0]?.end();
		expect(sent).toHaveLength(2);
		take(8, 9, 10);
		expect(answers).toEqual(["8+9+10 not", "0+1+2+3 stored"]);
	});

	test("an error of the producer is the devices' to deal with: a time-out stores twice", async () => {
		const { sent, answers, take, tick } = world();
		take(0);
		tick();
		await sent[0]?.end(new Error("no answer in time"));
		expect(answers).toEqual(["0 not"]);
		take(0);
		tick();
		await sent[1]?.end();
		expect(sent.map(({ indexes }) => indexes)).toEqual([[0], [0]]);
		expect(answers).toEqual(["0 not", "0 stored"]);
	});

	test("one that answers early has told devices what it may yet lose, and sends again by itself", async () => {
		const { bridge, sent, answers, take, tick } = world({ acknowledges: "accepted" });
		take(0);
		expect(answers).toEqual(["0 stored"]);
		tick();
		await sent[0]?.end(new Error("no broker"));
		expect(sent).toHaveLength(1);
		tick();
		expect(sent[1]?.indexes).toEqual([0]);
		let isIdle = false;
		const idle = bridge.idle().then(() => {
			isIdle = true;
		});
		await new Promise(setImmediate);
		expect(isIdle).toBe(false);
		await sent[1]?.end();
		await idle;
		expect(answers).toEqual(["0 stored"]);
	});
});
