import { createWriteStream } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { z } from "zod";
import { Child } from "./child.js";
import { MASTER_KEY, READING_BYTES } from "./kafka-bench-gateway.js";
import { FIRST_DEVICE_ADDRESS } from "./kafka-bench-probe.js";
import { killAtExit } from "./kafka-bench-process.js";
import type { BenchWorld } from "./kafka-bench-world.js";
import { LiveFault } from "./live-fault.js";
import { FLEET_PROGRAM } from "./machine.js";
import { parsed } from "./parsed.js";

/** A reading each, and a report of it, so often. */
const REPORT_MICROS = 2_000_000;
/** Devices get power within this time, one after the other. */
const POWER_MICROS = 500_000;
/** Readings from then on are timed: everybody is there. */
const TIMED_FROM_MICROS = { full: 4_000_000, quick: 2_000_000 };
/** They are interrupted long before. */
const END_MICROS = 300_000_000;
/** What takes longer than this was delayed: a commit takes a tenth of it. */
const LATE_MICROS = 1_000_000;
/** A report of thousands of devices. */
const REPORT_MILLIS = 20_000;

const whole = z.number().nonnegative();
const progressSchema = z.looseObject({ timeMicros: whole, online: whole });
const quantiles = z.looseObject({ count: whole, p50: whole, p99: whole, max: whole });
const reportSchema = z.looseObject({
	produced: whole,
	buffered: whole,
	acked: z.number(),
	lostOverflow: whole,
	lostVolatile: whole,
	delays: z.looseObject({ all: quantiles, late: quantiles }),
	lagMicros: z.looseObject({ p99: whole }),
});

/** What the devices saw. Readings. */
export type DeviceReport = z.output<typeof reportSchema>;

/** Devices of which some have power. */
export interface BenchFleet {
	/** Numbers from 0 on. */
	readonly devices: number;
	readonly firstWithPower: number;
	readonly withPower: number;
	readonly gateways: readonly string[];
}

let fleets = 0;

/** Real device stacks that report all the time, through whatever happens to their gateways. */
export class DevicesAtWork {
	private online = 0;
	private timeMicros = 0;
	private readonly child: Child;
	private readonly release: () => void;

	private constructor(
		program: string,
		config: string,
		private readonly reportFile: string,
		private readonly fleet: BenchFleet,
		private readonly timedFromMicros: number,
	) {
		this.child = new Child("the fleet", null, program, ["--config", config], (line) => {
			const progress = progressSchema.safeParse(JSON.parse(line));
			if (progress.success) {
				({ online: this.online, timeMicros: this.timeMicros } = progress.data);
			}
		});
		this.release = killAtExit(this.child);
	}

	/** Starts them. */
	static async start({ programs, folder, quick }: BenchWorld, fleet: BenchFleet): Promise<DevicesAtWork> {
		fleets += 1;
		const transitions = join(folder, `power-${fleets}.csv`);
		const file = join(folder, `fleet-${fleets}.json`);
		const report = join(folder, `fleet-report-${fleets}.json`);
		await pipeline(Readable.from(powerLines(fleet)), createWriteStream(transitions));
		const timedFromMicros = TIMED_FROM_MICROS[quick ? "quick" : "full"];
		const delays = { fromMicros: timedFromMicros, lateMicros: LATE_MICROS };
		await writeFile(file, JSON.stringify({ ...configOf(fleet), delays, transitions, report }));
		return new DevicesAtWork(join(programs, FLEET_PROGRAM), file, report, fleet, timedFromMicros);
	}

	/** Whether all of them are connected, and what they read from now on is timed. */
	areThere(): boolean {
		this.child.check("run");
		return this.online === this.fleet.withPower && this.timeMicros > this.timedFromMicros;
	}

	/** Ends them: what they saw. Throws a `LiveFault` when they do not say. */
	async report(): Promise<DeviceReport> {
		const { child } = this;
		child.signal("SIGTERM");
		if (!(await child.endsWithin(REPORT_MILLIS)) || !child.succeeded) {
			throw new LiveFault("run", `the fleet failed: ${child.ended ?? "no end"}: ${child.complaint()}`);
		}
		return parsed(reportSchema, await readFile(this.reportFile, "utf8"), "the fleet's report");
	}

	async stop(): Promise<void> {
		await this.child.stop();
		this.release();
	}
}

function* powerLines({ firstWithPower, withPower }: BenchFleet): Iterable<string> {
	for (let n = 0; n < withPower; n++) {
		const at = Math.floor((POWER_MICROS * n) / withPower);
		yield `${at},${firstWithPower + n},on,0\n`;
	}
}

/** Devices on a wire, so to say: they find out within two seconds that nobody answers. */
function configOf({ devices, gateways }: BenchFleet): object {
	return {
		schema: "klais.fleet/1",
		devices,
		firstAddress: FIRST_DEVICE_ADDRESS,
		sourcePort: 0,
		gateways,
		masterKey: MASTER_KEY,
		keyEpoch: 0,
		assumeOnline: false,
		originNanos: null,
		timeScale: 1,
		untilMicros: END_MICROS,
		readingBytes: READING_BYTES,
		seriesMicros: 1_000_000,
		fleet: {
			devices,
			keyLow: 1,
			keyHigh: 2,
			readingMicros: REPORT_MICROS,
			reportMicros: REPORT_MICROS,
			keepAliveMicros: 0,
			storage: "flash",
			bufferReadings: 600,
			overflow: "drop-oldest",
			sensingBackup: true,
			backoffKind: "full-jitter",
			backoffBaseMicros: 100_000,
			backoffCapMicros: 1_000_000,
			helloTimeoutMicros: 500_000,
			helloTimeoutMaxMicros: 2_000_000,
			requestTimeoutMicros: 500_000,
			retransmissionsMax: 1,
			windowFrames: 4,
			frameReadings: 12,
			liveFirst: true,
			gateways: gateways.length,
		},
	};
}
