import { NO_LIMIT_PER_SECOND, openGateway } from "./open-gateway.js";

/** A load of one kind of frame: what one costs can then be read off, with nothing to tell apart. */
export type CalibrationLoad =
	| { readonly kind: "sessions" }
	| { readonly kind: "data"; readonly readings: number };

/** DATA of several sizes, so that the cost of a frame and that of a reading come apart; then sessions. */
export const CALIBRATION_LOADS: readonly CalibrationLoad[] = [
	...[1, 10, 40, 80].map((readings) => ({ kind: "data", readings }) as const),
	{ kind: "sessions" },
];

const DEVICES = 20_000;
/** Each device sends a frame this often: 40,000 frames per second in all. */
const PERIOD_MICROS = 500_000;
/** The first device loses its power then. */
const FIRST_CUT_MICROS = 200_000;
/** A device without readings sends nothing but HELLO: ten days, so that of the whole fleet none has a reading meanwhile. */
const NEVER_MICROS = 864_000_000_000;
const READING_BYTES = 16;
const MASTER_KEY = "4b4c41495320612063616c6962726174";
const FRAME_READINGS = 80;
const BUFFER_READINGS = 10_000;

/** A gateway on loopback, its dam in user space. Nothing is refused, and the sink decides at once. */
export function calibrationGateway(): object {
	return openGateway({
		listen: "127.0.0.1:0",
		admin: "127.0.0.1:0",
		interface: null,
		xdp: "off",
		devices: DEVICES,
		masterKey: MASTER_KEY,
		// Turns without a frame cost nothing that belongs to frames.
		poll: "sleep",
		policy: {
			admission: "slots",
			sessionsPerSecond: NO_LIMIT_PER_SECOND,
			backfillQueueReadings: NO_LIMIT_PER_SECOND,
			// Short, so that the acknowledgement of a frame falls into the stretch of work that is timed with it.
			commitIntervalMicros: 1_000,
			batchReadingsMax: 100_000,
			shards: 2,
			bufferReadings: BUFFER_READINGS,
			frameReadings: FRAME_READINGS,
		},
	});
}

/** The fleet that sends a load for so long, its files apart. */
export function calibrationFleet(load: CalibrationLoad, gateway: string, seconds: number): object {
	const reportMicros = load.kind === "data" ? PERIOD_MICROS : NEVER_MICROS;
	return {
		schema: "klais.fleet/1",
		devices: DEVICES,
		firstAddress: "127.80.0.0",
		sourcePort: 0,
		gateways: [gateway],
		masterKey: MASTER_KEY,
		keyEpoch: 0,
		assumeOnline: true,
		originNanos: null,
		timeScale: 1,
		untilMicros: Math.round(seconds * 1e6),
		readingBytes: READING_BYTES,
		seriesMicros: 1_000_000,
		fleet: {
			devices: DEVICES,
			keyLow: 1,
			keyHigh: 2,
			readingMicros: load.kind === "data" ? reportMicros / load.readings : reportMicros,
			reportMicros,
			keepAliveMicros: 0,
			storage: "flash",
			bufferReadings: BUFFER_READINGS,
			overflow: "drop-oldest",
			sensingBackup: true,
			backoffKind: "full-jitter",
			backoffBaseMicros: 1_000_000,
			backoffCapMicros: 4_000_000,
			helloTimeoutMicros: 2_000_000,
			helloTimeoutMaxMicros: 8_000_000,
			requestTimeoutMicros: 2_000_000,
			retransmissionsMax: 3,
			windowFrames: 4,
			frameReadings: FRAME_READINGS,
			liveFirst: true,
			gateways: 1,
		},
	};
}

/** Lines of power cuts, one device after the other, again and again: each return is a HELLO. */
export function calibrationCuts(load: CalibrationLoad, seconds: number): string {
	if (load.kind === "data") {
		return "";
	}
	const lines: string[] = [];
	const steps = Math.floor(((seconds * 1e6 - FIRST_CUT_MICROS) * DEVICES) / PERIOD_MICROS);
	for (let step = 0; step < steps; step++) {
		const at = FIRST_CUT_MICROS + Math.floor((step * PERIOD_MICROS) / DEVICES);
		lines.push(`${at},${step % DEVICES},off,0\n`);
		if (step >= DEVICES / 2) {
			lines.push(`${at},${(step - DEVICES / 2) % DEVICES},on,0\n`);
		}
	}
	return lines.join("");
}
