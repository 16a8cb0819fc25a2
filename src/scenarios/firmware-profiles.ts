import { MICROS_PER_SECOND, type Micros, micros } from "../units/micros.js";
import type { Firmware } from "./scenario.js";

export const FIRMWARE_PROFILE_NAMES = ["smart-meter", "tracker", "sensor", "gateway-box"] as const;
export type FirmwareProfileName = (typeof FIRMWARE_PROFILE_NAMES)[number];

function seconds(value: number): Micros {
	return micros(value * MICROS_PER_SECOND);
}

/**
 * What all profiles share. The timers and windows are the defaults of Apache Kafka's clients, for want of a standard
 * among devices: socket.connection.setup.timeout.ms 10 s and .max.ms 30 s (KIP-601), request.timeout.ms 30 s,
 * max.in.flight.requests.per.connection 5.
 */
const COMMON = {
	overflow: "drop-oldest",
	backoff: { kind: "exponential", baseMicros: seconds(1), capMicros: seconds(3_600) },
	helloTimeoutMicros: seconds(10),
	helloTimeoutMaxMicros: seconds(30),
	requestTimeoutMicros: seconds(30),
	windowFrames: 5,
	frameReadings: 64,
	readingBytes: 100,
} as const satisfies Partial<Firmware>;

/** Complete firmwares to start from; a scenario may override any field. */
export const FIRMWARE_PROFILES: Readonly<Record<FirmwareProfileName, Firmware>> = {
	// 15 minutes is the interval that EU recommendation 2012/148 names for meters. The sensor has a battery, the modem has none: the heavier case, since the backlog grows while the mains are off. 7 days of flash.
	"smart-meter": {
		...COMMON,
		readingIntervalMicros: seconds(15 * 60),
		reportIntervalMicros: seconds(3_600),
		keepAliveMicros: seconds(0),
		bufferKind: "flash",
		bufferReadings: 672,
		backup: "sensing",
		bootMinMicros: seconds(5),
		bootMaxMicros: seconds(20),
	},
	// A position a minute, reported at once, a day of flash, its own battery. Drops the oldest: the newest place counts.
	// Keep-alive 4 min: RFC 4787 recommends that NATs keep a UDP mapping for 5.
	tracker: {
		...COMMON,
		readingIntervalMicros: seconds(60),
		reportIntervalMicros: seconds(60),
		keepAliveMicros: seconds(4 * 60),
		bufferKind: "flash",
		bufferReadings: 1_440,
		backup: "sensing",
		bootMinMicros: seconds(2),
		bootMaxMicros: seconds(10),
		backoff: { kind: "full-jitter", baseMicros: seconds(1), capMicros: seconds(300) },
	},
	// The cheap mains-powered sensor: RAM only, no battery. What it had not sent is gone with the mains.
	sensor: {
		...COMMON,
		readingIntervalMicros: seconds(60),
		reportIntervalMicros: seconds(5 * 60),
		keepAliveMicros: seconds(0),
		bufferKind: "volatile",
		bufferReadings: 120,
		backup: "none",
		bootMinMicros: seconds(1),
		bootMaxMicros: seconds(5),
		backoff: { kind: "fixed", baseMicros: seconds(5), capMicros: seconds(5) },
	},
	// A site box that stands for many sensors: a reading a second, a long flash ring, a slow Linux boot.
	"gateway-box": {
		...COMMON,
		readingIntervalMicros: seconds(1),
		reportIntervalMicros: seconds(10),
		keepAliveMicros: seconds(60),
		bufferKind: "flash",
		bufferReadings: 65_535,
		overflow: "decimate",
		backup: "none",
		bootMinMicros: seconds(30),
		bootMaxMicros: seconds(90),
		backoff: { kind: "decorrelated", baseMicros: seconds(1), capMicros: seconds(300) },
		frameReadings: 255,
	},
};
