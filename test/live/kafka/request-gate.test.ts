import { describe, expect, test } from "vitest";
import { type GateWorld, RequestGate } from "../../../src/live/kafka/request-gate.js";

const END_TXN = 26;
const PRODUCE = 0;

function request(apiKey: number, body: string): Buffer {
	const head = Buffer.alloc(6);
	head.writeInt32BE(2 + body.length, 0);
	head.writeInt16BE(apiKey, 4);
	return Buffer.concat([head, Buffer.from(body)]);
}

/** A gate and what has got through it. */
function gateWith(delay: number) {
	let passed = Buffer.alloc(0);
	const due: (() => void)[] = [];
	const counts = { held: 0, overflows: 0, delay };
	const world: GateWorld = {
		write: (bytes) => {
			passed = Buffer.concat([passed, bytes]);
		},
		delayMillis: () => counts.delay,
		after: (_, work) => due.push(work),
		held: () => {
			counts.held += 1;
		},
		overflow: () => {
			counts.overflows += 1;
		},
	};
	return { gate: new RequestGate(world), passed: () => passed, due, counts };
}

const everyByte = (bytes: Buffer) => [...bytes].map((byte) => Buffer.from([byte]));
const STREAM = [request(PRODUCE, "one"), request(END_TXN, ""), request(PRODUCE, "a longer one")];

describe("the gate of a connection to Kafka", () => {
	test.each([
		["whole", [Buffer.concat(STREAM)]],
		["request by request", STREAM],
		["byte by byte", everyByte(Buffer.concat(STREAM))],
	])("passes everything as it came, %s", (_, chunks) => {
		const { gate, passed, counts } = gateWith(0);
		for (const chunk of chunks) {
			gate.take(chunk);
		}
		expect(passed()).toEqual(Buffer.concat(STREAM));
		expect(counts.held).toBe(0);
	});

	test.each([
		["whole", [Buffer.concat(STREAM)]],
		["byte by byte", everyByte(Buffer.concat(STREAM))],
	])("holds an EndTxn and what comes after it, in order, %s", (_, chunks) => {
		const { gate, passed, due, counts } = gateWith(100);
		for (const chunk of chunks) {
			gate.take(chunk);
		}
		expect(passed()).toEqual(STREAM[0]);
		expect(counts.held).toBe(1);
		due[0]?.();
		expect(passed()).toEqual(Buffer.concat(STREAM));
	});

	test("sends what is held also when its sender has gone, and ends only then", () => {
		const { gate, passed, due } = gateWith(100);
		gate.take(request(END_TXN, "commit"));
		let isOver = false;
		gate.end(() => {
			isOver = true;
		});
		expect(isOver).toBe(false);
		due[0]?.();
		expect(passed()).toEqual(request(END_TXN, "commit"));
		expect(isOver).toBe(true);
	});

	test("ends at once where nothing is held", () => {
		const { gate } = gateWith(100);
		let isOver = false;
		gate.take(request(PRODUCE, "one"));
		gate.end(() => {
			isOver = true;
		});
		expect(isOver).toBe(true);
	});
});
