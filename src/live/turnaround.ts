import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import type { XdpMode } from "../record/live-record.js";
import { Child } from "./child.js";
import { ADMIN_ADDRESS, GatewayProcess } from "./gateway-process.js";
import type { GatewayStats } from "./gateway-stats.js";
import { inTopology } from "./in-topology.js";
import { LiveFault } from "./live-fault.js";
import { FLEET_PROGRAM } from "./machine.js";
import { openGateway } from "./open-gateway.js";
import { parsed } from "./parsed.js";
import { FIRST_DEVICE_ADDRESS, GATEWAY_PORT, type Topology } from "./topology.js";

const DEVICES = 10_000;
const READING_BYTES = 16;
const MASTER_KEY = "4b4c414953207475726e61726f756e64";
/** A rate is kept up with while this share of it is sent in time's average, and every frame of it acknowledged. */
const SHARE_MIN = 0.99;
/** Beyond this at the 99th percentile the prober calls itself saturated. */
const LAG_MICROS_MAX = 1_000;
/** First rate that is tried, and how many halvings of the doubt follow the first failure. */
const FIRST_PER_SECOND = 20_000;
const STEPS_MAX = 12;
const HALVINGS = 4;
const SETTLE_MILLIS = 500;
/** Both poll: on one core they would take turns. */
const PROBE_CORE = 0;
const GATEWAY_CORE = 1;
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
	/** Seconds of one probe: while the maximum is looked for, and of a round. */
	readonly searchSeconds: number;
	readonly roundSeconds: number;
	readonly rounds: number;
	/** Parts of the maximum at which rounds are run, such as 2 for half of it. */
	readonly parts: readonly number[];
}

/** One round: the daemon's own clock, from the frame's arrival to its ACK, and the prober's. */
export interface TurnaroundRound {
	readonly turnaroundNanos: GatewayStats["turnaroundNanos"];
	readonly probe: ProbeReport;
	/** CPU time of the daemon per DATA frame, without its polling; null: too short to tell. */
	readonly frameCpuNanos: number | null;
	/** Share of the round in which the daemon was ready to run and had no core. */
	readonly waitedShare: number;
}

/** Rounds at a part of the maximum. */
export interface TurnaroundLoad {
	readonly part: number;
	readonly ratePerSecond: number;
	readonly rounds: readonly TurnaroundRound[];
}

export interface Turnaround {
	/** Frames per second, one gateway, all acknowledged. */
	readonly maxPerSecond: number;
	readonly loads: readonly TurnaroundLoad[];
}

/**
 * Measures a gateway's turnaround in namespaces, open loop at parts of the highest rate that is kept up with: live DATA of one
 * reading each, admitted by the filter, stored by a mock sink that decides at once. Throws a `LiveFault` when the namespaces,
 * the daemon or the probe fail.
 */
export function measureTurnaround(order: TurnaroundOrder, say: (text: string) => void): Promise<Turnaround> {
	// No HELLO, no answer by the filter: a program at the prober's end would cost the gateway's core a copy of every ACK.
	const needs = { gateways: 1, answersInKernel: false, programs: order.programs };
	return inTopology(needs, say, async (topology, folder) => {
		const bench = new TurnaroundBench(order, topology, folder);
		const maxPerSecond = await bench.maximum(say);
		const loads = order.parts.map((part) => ({
			part,
			ratePerSecond: Math.floor(maxPerSecond / part),
			rounds: [] as TurnaroundRound[],
		}));
		for (let round = 1; round <= order.rounds; round++) {
			// In turn, so that a noisy minute does not fall on one of the loads.
			for (const { ratePerSecond, rounds } of loads) {
				say(`round ${round} of ${order.rounds}, ${ratePerSecond} frames/s`);
				rounds.push(await bench.round(ratePerSecond));
			}
		}
		return { maxPerSecond, loads };
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
		for (let step = 0, halvings = 0; step < STEPS_MAX && halvings < HALVINGS; step++) {
			const { probe } = await this.probed(rate, this.order.searchSeconds);
			const kept = isKept(probe, rate);
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
		const { probe, stats, waitedShare } = await this.probed(ratePerSecond, this.order.roundSeconds);
		const frameCpuNanos = stats.service?.dataNanos ?? null;
		return { turnaroundNanos: stats.turnaroundNanos, probe, frameCpuNanos, waitedShare };
	}

	/** A daemon of its own for each probe, so that its histogram holds that probe alone. */
	private async probed(framesPerSecond: number, seconds: number) {
		const { order, topology, folder } = this;
		const [place] = topology.gateways;
		if (place === undefined) {
			throw new Error("a topology without a gateway");
		}
		const config = daemonConfig(`${place.address}:${GATEWAY_PORT}`, place.link, order.xdp);
		const onCore = ["taskset", "-c", String(GATEWAY_CORE)];
		const gateway = await GatewayProcess.start(0, place.namespace, order.programs, folder, config, onCore);
		try {
			await gateway.ready();
			const before = await waitedNanos(gateway.pid);
			const probe = await this.probe(`${place.address}:${GATEWAY_PORT}`, framesPerSecond, seconds);
			const waited = (await waitedNanos(gateway.pid)) - before;
			return { probe, stats: await gateway.stats(), waitedShare: waited / (seconds * 1e9) };
		} finally {
			await gateway.stop();
		}
	}

	private async probe(gateway: string, framesPerSecond: number, seconds: number): Promise<ProbeReport> {
		const file = join(this.folder, "probe.json");
		const report = join(this.folder, "probe-report.json");
		const config = { ...probeConfig(gateway), framesPerSecond, seconds, report };
		await writeFile(file, JSON.stringify(config));
		const command = [
			"-c",
			String(PROBE_CORE),
			join(this.order.programs, FLEET_PROGRAM),
			"probe",
			"--config",
			file,
		];
		const child = new Child("the probe", this.topology.fleet, "taskset", command, () => {});
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

/** For how long a process's main thread has waited for a core, in nanoseconds (the second figure of its `schedstat`). */
async function waitedNanos(pid: number | undefined): Promise<number> {
	const text = await readFile(`/proc/${pid}/task/${pid}/schedstat`, "utf8").catch(() => "");
	return Number(text.split(" ")[1] ?? Number.NaN);
}

/** Every frame was acknowledged, and they were sent as fast as they were to be. */
function isKept({ complete, sent, acked, achievedPerSecond }: ProbeReport, framesPerSecond: number): boolean {
	return complete && acked === sent && achievedPerSecond >= SHARE_MIN * framesPerSecond;
}

function missed({ sent, acked, achievedPerSecond }: ProbeReport): string {
	return `${sent - acked} of ${sent} not acknowledged, ${Math.round(achievedPerSecond)} a second sent`;
}

/** Everything passes the dam, and commits come as fast as they can. */
function daemonConfig(listen: string, link: string, xdp: XdpMode): object {
	return openGateway({
		listen,
		admin: ADMIN_ADDRESS,
		interface: xdp === "off" ? null : link,
		xdp,
		devices: DEVICES,
		masterKey: MASTER_KEY,
		poll: "busy",
		policy: {
			admission: "open",
			sessionsPerSecond: 10_000,
			backfillQueueReadings: 100_000,
			commitIntervalMicros: 10,
			batchReadingsMax: 10_000,
			shards: 1,
			bufferReadings: 1_000,
			frameReadings: 50,
		},
	});
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
