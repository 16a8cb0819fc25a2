import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import type { XdpMode } from "../record/live-record.js";
import { Child } from "./child.js";
import { ADMIN_ADDRESS, GatewayProcess } from "./gateway-process.js";
import { type GatewayStats, parsed } from "./gateway-stats.js";
import { inTopology } from "./in-topology.js";
import { LiveFault } from "./live-fault.js";
import { FLEET_PROGRAM } from "./machine.js";
import { FIRST_DEVICE_ADDRESS, GATEWAY_PORT, type Topology } from "./topology.js";

const DEVICES = 10_000;
const READING_BYTES = 16;
const MASTER_KEY = "4b4c414953207475726e61726f756e64";
/** A rate is kept up while the generator is late by less than this at the 99th percentile. */
const LAG_MICROS_MAX = 1_000;
/** First rate that is tried, and how many halvings of the doubt follow the first failure. */
const FIRST_PER_SECOND = 20_000;
const DOUBLINGS_MAX = 8;
const HALVINGS = 3;
const SETTLE_MILLIS = 500;
/** Beyond what a probe is to take. */
const PATIENCE_MILLIS = 20_000;

const whole = z.number().nonnegative();
const quantiles = z.looseObject({ p50: whole, p99: whole, p999: whole, max: whole });
const reportSchema = z.looseObject({
	complete: z.boolean(),
	achievedPerSecond: whole,
	sent: whole,
	acked: whole,
	latencyMicros: quantiles,
	lagMicros: quantiles,
});

type ProbeReport = z.output<typeof reportSchema>;

/** What is measured, and how long. */
export interface TurnaroundOrder {
	readonly programs: string;
	readonly xdp: XdpMode;
	/** Seconds of one probe: while the maximum is looked for, and at half of it. */
	readonly searchSeconds: number;
	readonly roundSeconds: number;
	readonly rounds: number;
}

/** One round at half of the maximum rate: the daemon's own clock, from the frame's arrival to its ACK, and the prober's. */
export interface TurnaroundRound {
	readonly turnaroundNanos: GatewayStats["turnaroundNanos"];
	readonly probe: ProbeReport;
	/** The daemon's, per frame received. */
	readonly cpuNanosPerFrame: number;
}

export interface Turnaround {
	/** Frames per second, one gateway, all acknowledged. */
	readonly maxPerSecond: number;
	readonly ratePerSecond: number;
	readonly rounds: readonly TurnaroundRound[];
}

/**
 * Measures a gateway's turnaround in namespaces, open loop at half of the highest rate that it keeps up with: live DATA of
 * one reading each, admitted by the filter, stored by a mock sink that decides at once. Throws a `LiveFault` when the
 * namespaces, the daemon or the probe fail.
 */
export function measureTurnaround(order: TurnaroundOrder, say: (text: string) => void): Promise<Turnaround> {
	return inTopology({ ...order, gateways: 1 }, say, async (topology, folder) => {
		const bench = new TurnaroundBench(order, topology, folder);
		const maxPerSecond = await bench.maximum(say);
		const ratePerSecond = Math.floor(maxPerSecond / 2);
		const rounds: TurnaroundRound[] = [];
		for (let round = 1; round <= order.rounds; round++) {
			say(`round ${round} of ${order.rounds}, ${ratePerSecond} frames/s`);
			rounds.push(await bench.round(ratePerSecond));
		}
		return { maxPerSecond, ratePerSecond, rounds };
	});
}

class TurnaroundBench {
	constructor(
		private readonly order: TurnaroundOrder,
		private readonly topology: Topology,
		private readonly folder: string,
	) {}

	/** The highest rate that is kept up with: doubled until one is not, then narrowed down. */
	async maximum(say: (text: string) => void): Promise<number> {
		let good = 0;
		let bad = Number.POSITIVE_INFINITY;
		let rate = FIRST_PER_SECOND;
		for (let step = 0, halvings = 0; step < DOUBLINGS_MAX && halvings < HALVINGS; step++) {
			const { probe } = await this.probed(rate, this.order.searchSeconds);
			const kept = isKept(probe);
			say(`${rate} frames/s: ${kept ? "kept up with" : `not kept up with, ${missed(probe)}`}`);
			[good, bad] = kept ? [rate, bad] : [good, rate];
			halvings += bad === Number.POSITIVE_INFINITY ? 0 : 1;
			rate = Math.floor(bad === Number.POSITIVE_INFINITY ? good * 2 : (good + bad) / 2);
		}
		if (good === 0) {
			throw new LiveFault(
				"run",
				`not even ${FIRST_PER_SECOND} frames/s are kept up with: is the machine busy?`,
			);
		}
		return good;
	}

	async round(ratePerSecond: number): Promise<TurnaroundRound> {
		const { probe, stats } = await this.probed(ratePerSecond, this.order.roundSeconds);
		const cpuSeconds = stats.cpu.userSeconds + stats.cpu.systemSeconds;
		const cpuNanosPerFrame = (cpuSeconds * 1e9) / Math.max(1, stats.frames.received);
		return { turnaroundNanos: stats.turnaroundNanos, probe, cpuNanosPerFrame };
	}

	/** A daemon of its own for each probe, so that its histogram holds that probe alone. */
	private async probed(framesPerSecond: number, seconds: number) {
		const { order, topology, folder } = this;
		const [place] = topology.gateways;
		if (place === undefined) {
			throw new Error("a topology without a gateway");
		}
		const config = daemonConfig(`${place.address}:${GATEWAY_PORT}`, place.link, order.xdp);
		const gateway = await GatewayProcess.start(0, place.namespace, order.programs, folder, config);
		try {
			await gateway.ready();
			const probe = await this.probe(`${place.address}:${GATEWAY_PORT}`, framesPerSecond, seconds);
			return { probe, stats: await gateway.stats() };
		} finally {
			await gateway.stop();
		}
	}

	private async probe(gateway: string, framesPerSecond: number, seconds: number): Promise<ProbeReport> {
		const file = join(this.folder, "probe.json");
		const report = join(this.folder, "probe-report.json");
		const config = { ...probeConfig(gateway), framesPerSecond, seconds, report };
		await writeFile(file, JSON.stringify(config));
		const program = join(this.order.programs, FLEET_PROGRAM);
		const child = new Child("the probe", this.topology.fleet, program, ["probe", "--config", file], () => {});
		try {
			if (!(await child.endsWithin(seconds * 1_000 + PATIENCE_MILLIS)) || !child.succeeded) {
				throw new LiveFault("run", `the probe failed: ${child.ended ?? "no end"}: ${child.complaint()}`);
			}
			return parsed(reportSchema, await readFile(report, "utf8"), "the probe's report");
		} finally {
			await child.stop();
		}
	}
}

/** Every frame was acknowledged, and sent when it was to be. */
function isKept({ complete, sent, acked, lagMicros }: ProbeReport): boolean {
	return complete && acked === sent && lagMicros.p99 <= LAG_MICROS_MAX;
}

function missed({ sent, acked, lagMicros }: ProbeReport): string {
	return `${sent - acked} of ${sent} not acknowledged, sent ${lagMicros.p99} us late at p99`;
}

/** Everything passes the dam, and commits come as fast as they can. */
function daemonConfig(listen: string, link: string, xdp: XdpMode): object {
	return {
		schema: "klais.gatewayd/1",
		gateway: 0,
		gateways: 1,
		listen,
		admin: ADMIN_ADDRESS,
		interface: xdp === "off" ? null : link,
		xdp,
		devices: DEVICES,
		masterKey: MASTER_KEY,
		keyEpoch: 0,
		assumeOnline: true,
		originNanos: null,
		timeScale: 1,
		poll: "busy",
		policy: {
			gateways: 1,
			devices: DEVICES,
			keyLow: 1,
			keyHigh: 2,
			admission: "open",
			deduplicate: true,
			capacityPerSecond: 10_000_000,
			sessionsPerSecond: 10_000,
			slotWindowMicros: 10_000_000,
			overbookPermille: 1_000,
			sinkQueueReadings: 10_000_000,
			undecidedFramesMax: Number.MAX_SAFE_INTEGER,
			backfillQueueReadings: 100_000,
			commitIntervalMicros: 10,
			batchReadingsMax: 10_000,
			producers: 1,
			batchesInFlightMax: 1,
			bufferReadings: 1_000,
			frameReadings: 50,
		},
		sink: { kind: "mock", commitMicros: 0, readingsPerSecond: 0 },
	};
}

function probeConfig(gateway: string): object {
	return {
		schema: "klais.fleet-probe/1",
		devices: DEVICES,
		firstAddress: FIRST_DEVICE_ADDRESS,
		sourcePort: 40_000,
		gateways: [gateway],
		masterKey: MASTER_KEY,
		keyEpoch: 0,
		session: 1,
		readingBytes: READING_BYTES,
		settleMillis: SETTLE_MILLIS,
		poll: "busy",
		lagLimitMicros: LAG_MICROS_MAX,
	};
}
