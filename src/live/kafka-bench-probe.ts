import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { Child } from "./child.js";
import { MASTER_KEY } from "./kafka-bench-gateway.js";
import { killAtExit } from "./kafka-bench-process.js";
import type { BenchWorld } from "./kafka-bench-world.js";
import { LiveFault } from "./live-fault.js";
import { FLEET_PROGRAM } from "./machine.js";
import { parsed } from "./parsed.js";

/** Device `i` sends from the address `i + 1` behind it: room for 11 million. */
export const FIRST_DEVICE_ADDRESS = "127.80.0.0";
/** How long the last answers may take. */
const SETTLE_MILLIS = 2_000;
/** Beyond what a probe is to take. */
const PATIENCE_MILLIS = 30_000;
/** As fast as a window allows, and no longer than this. */
const AS_FAST_AS_ANSWERED = { framesPerSecond: 1e9, seconds: 600 };

/** Frames that wait for an answer: few enough that no socket's buffer overflows. */
const WINDOW_FRAMES = 8_192;

const whole = z.number().nonnegative();
const quantiles = z.looseObject({ p50: whole, p99: whole, max: whole });
const reportSchema = z.looseObject({
	complete: z.boolean(),
	achievedPerSecond: whole,
	seconds: whole,
	sent: whole,
	acked: whole,
	latencyMicros: quantiles,
	lagMicros: quantiles,
	cpu: z.looseObject({ userSeconds: whole, systemSeconds: whole }),
});

/** What a prober saw. Frames. */
export type ProbeReport = z.output<typeof reportSchema>;

/** What a prober sends. */
export interface ProbeLoad {
	readonly gateway: string;
	readonly frame?: "data" | "hello";
	/** Of the whole fleet, and the first that sends. */
	readonly devices: number;
	readonly firstDevice?: number;
	readonly session: number;
	readonly readingBytes: number;
	readonly frameReadings: number;
	/** An open load; without it, as fast as it is answered. */
	readonly pace?: { readonly framesPerSecond: number; readonly seconds: number };
	readonly framesMax?: number;
}

let probes = 0;

/** A prober at work. */
export class Probe {
	private readonly release: () => void;

	private constructor(
		private readonly child: Child,
		private readonly report: string,
	) {
		this.release = killAtExit(child);
	}

	/** Starts it. */
	static async start({ programs, folder }: BenchWorld, load: ProbeLoad): Promise<Probe> {
		probes += 1;
		const file = join(folder, `probe-${probes}.json`);
		const report = join(folder, `probe-report-${probes}.json`);
		const { gateway, pace, ...given } = load;
		const config = {
			schema: "klais.fleet-probe/1",
			firstAddress: FIRST_DEVICE_ADDRESS,
			sourcePort: 0,
			gateways: [gateway],
			masterKey: MASTER_KEY,
			keyEpoch: 0,
			settleMillis: SETTLE_MILLIS,
			// Its core is wanted elsewhere.
			poll: "sleep",
			...given,
			...(pace ?? { ...AS_FAST_AS_ANSWERED, windowFrames: WINDOW_FRAMES }),
			report,
		};
		await writeFile(file, JSON.stringify(config));
		const program = join(programs, FLEET_PROGRAM);
		return new Probe(new Child("the probe", null, program, ["probe", "--config", file], () => {}), report);
	}

	/** What it saw; waits for its end, at most so long. Throws a `LiveFault` when it fails. */
	async ended(seconds: number): Promise<ProbeReport> {
		const { child } = this;
		try {
			if (!(await child.endsWithin(seconds * 1_000 + PATIENCE_MILLIS)) || !child.succeeded) {
				throw new LiveFault("run", `the probe failed: ${child.ended ?? "no end"}: ${child.complaint()}`);
			}
			return parsed(reportSchema, await readFile(this.report, "utf8"), "the probe's report");
		} finally {
			await child.stop();
			this.release();
		}
	}

	/** Ends it early: what it saw. */
	async interrupt(): Promise<ProbeReport> {
		this.child.signal("SIGTERM");
		return this.ended(SETTLE_MILLIS / 1_000);
	}
}

/** Runs a prober to its end. */
export async function probe(world: BenchWorld, load: ProbeLoad): Promise<ProbeReport> {
	const { seconds } = load.pace ?? AS_FAST_AS_ANSWERED;
	return (await Probe.start(world, load)).ended(seconds);
}

/**
 * Sends as many frames as fast as they are answered, and all of them must be. Throws a `LiveFault` otherwise: what is to be
 * measured next is not there.
 */
export async function probeAll(
	world: BenchWorld,
	load: Omit<ProbeLoad, "pace"> & { readonly framesMax: number },
): Promise<ProbeReport> {
	const report = await probe(world, load);
	if (!report.complete || report.acked !== load.framesMax) {
		throw new LiveFault("run", `${report.acked} of ${load.framesMax} frames were answered`);
	}
	return report;
}
