import { describe, expect, test } from "vitest";
import { PlainDevice, type PlainFirmware } from "../../../src/live/plain/plain-device.js";

const SECOND = 1_000_000;
const FIRMWARE: PlainFirmware = {
	readingMicros: SECOND,
	reportMicros: SECOND,
	bufferReadings: 10,
	overflow: "drop-oldest",
	isVolatile: false,
	sensingBackup: true,
	frameReadings: 4,
	requestTimeoutMicros: 5 * SECOND,
	backoffBaseMicros: SECOND,
	backoffCapMicros: 8 * SECOND,
	gateways: 3,
};

function device(change: Partial<PlainFirmware> = {}) {
	const acknowledged: number[] = [];
	const made = new PlainDevice({ ...FIRMWARE, ...change }, 0, 1, (reading) => acknowledged.push(reading));
	return { made, acknowledged };
}

describe("a plain device", () => {
	test("sends what its report carries, keeps it until it is told, then lets it go", () => {
		const { made, acknowledged } = device();
		expect(made.send(0)).toEqual([0]);
		expect(made.send(1.5 * SECOND)).toBeUndefined();
		expect(made.held).toBe(2);
		made.acknowledge(1.5 * SECOND);
		expect(acknowledged).toEqual([0]);
		expect(made.send(1.5 * SECOND)).toEqual([1]);
	});

	test("sends again after a time-out, to the next gateway, after a pause that doubles", () => {
		const { made } = device();
		expect(made.send(0)).toEqual([0]);
		expect(made.timeOut(5 * SECOND - 1, 1)).toBe(false);
		expect(made.timeOut(5 * SECOND, 1)).toBe(true);
		expect(made.gateway).toBe(2);
		expect(made.nextMicros(5 * SECOND)).toBe(6 * SECOND);
		expect(made.send(6 * SECOND - 1)).toBeUndefined();
		expect(made.send(6 * SECOND)).toEqual([0, 1, 2, 3]);
		expect(made.counts.sentAgain).toBe(1);
		made.fail(6 * SECOND, 1);
		expect(made.gateway).toBe(0);
		expect(made.nextMicros(6 * SECOND)).toBe(8 * SECOND);
	});

	test("an answer after the power was gone finds nobody: flash has it still, and sends it again", () => {
		const { made, acknowledged } = device();
		made.send(0);
		made.powerOff(0.5 * SECOND);
		made.acknowledge(0.6 * SECOND);
		expect(acknowledged).toEqual([]);
		made.powerOn(3.5 * SECOND, SECOND);
		expect(made.send(4 * SECOND)).toBeUndefined();
		expect(made.send(4.5 * SECOND)).toEqual([0, 1, 2, 3]);
		expect(made.counts).toMatchObject({ taken: 5, lostVolatile: 0, sentAgain: 1 });
	});

	test("without backup no readings are taken meanwhile, and RAM is lost and said so", () => {
		const { made } = device({ isVolatile: true, sensingBackup: false });
		made.advance(2 * SECOND);
		made.powerOff(2.5 * SECOND);
		made.powerOn(7.5 * SECOND, 0);
		made.advance(9 * SECOND);
		expect(made.counts).toMatchObject({ taken: 5, lostVolatile: 3 });
		expect(made.send(9 * SECOND)).toEqual([8, 9]);
	});

	test.each([
		["drop-oldest", [3, 4, 5]],
		["drop-newest", [0, 1, 2]],
	] as const)("a full buffer: %s", (overflow, kept) => {
		const { made, acknowledged } = device({ bufferReadings: 3, overflow });
		made.send(0);
		made.advance(5 * SECOND);
		expect(made.held).toBe(3);
		expect(made.counts.lostOverflow).toBe(3);
		made.acknowledge(5 * SECOND);
		// What was given up is lost by the device's own word, even if it is stored after all.
		expect(acknowledged).toEqual(overflow === "drop-oldest" ? [] : [0]);
		expect(made.send(5 * SECOND)).toEqual(kept.filter((reading) => !acknowledged.includes(reading)));
	});
});
