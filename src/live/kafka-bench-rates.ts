import { BenchGateway, type BenchStats, FRAME_READINGS, READING_BYTES } from "./kafka-bench-gateway.js";
import { type ProbeReport, probe } from "./kafka-bench-probe.js";
import { cpuSecondsOf } from "./kafka-bench-process.js";
import { type BenchLog, type BenchWorld, brokerPid, newLog } from "./kafka-bench-world.js";

const DEVICES = 10_000;
/** First rate that is tried, and how many halvings of the doubt follow the first failure. */
const FIRST_PER_SECOND = { full: 100_000, quick: 12_000 };
const HALVINGS = { full: 3, quick: 0 };
const STEPS_MAX = { full: 10, quick: 2 };
/** A rate is missed if it is missed so often in a row: one hiccup of the machine is not the gateway's limit. */
const TRIES = { full: 2, quick: 1 };
const SECONDS = { full: 4, quick: 1 };
/** A rate is kept up with while this share of it is sent in time's average. */
const SHARE_MIN = 0.99;
/** Longer waits at the 99th percentile are those of a queue that grows. */
const LATENCY_MICROS_MAX = 500_000;

/** What CPU time went into a second, in cores; null where nobody says. */
interface Cores {
	readonly gateway: number | null;
	readonly broker: number | null;
	readonly prober: number;
}

/** One rate, and what became of it. Readings. */
export interface RateStep {
	readonly askedPerSecond: number;
	/** Sent in time, all acknowledged, and nobody waited long. */
	readonly kept: boolean;
	readonly acked: number;
	/** What a consumer of committed records sees; null where transactions failed, and were written again. */
	readonly stored: number | null;
	/** From when a frame was to be sent until its acknowledgement came. */
	readonly latencyMicros: { readonly p50: number; readonly p99: number };
	/** From the frame's arrival at the gateway to the acknowledgement's departure. */
	readonly turnaroundMicros: { readonly p50: number; readonly p99: number };
	readonly cores: Cores;
	readonly transactions: number;
}

/** Raises the rate until it is not kept up with, then narrows it down: every rate that was tried. */
export async function risingRates(world: BenchWorld, transactions: boolean): Promise<RateStep[]> {
	const size = world.quick ? "quick" : "full";
	const steps: RateStep[] = [];
	let good = 0;
	let bad = Number.POSITIVE_INFINITY;
	let rate = FIRST_PER_SECOND[size];
	let missed = 0;
	for (let halvings = 0; steps.length < STEPS_MAX[size] && halvings <= HALVINGS[size]; ) {
		const step = await tried(world, transactions, rate);
		steps.push(step);
		world.say(`${rate} readings/s: ${step.kept ? "kept up with" : "not kept up with"}`);
		missed = step.kept ? 0 : missed + 1;
		if (!step.kept && missed < TRIES[size]) {
			continue;
		}
		missed = 0;
		[good, bad] = step.kept ? [rate, bad] : [good, rate];
		halvings += bad === Number.POSITIVE_INFINITY ? 0 : 1;
		rate = Math.round(bad === Number.POSITIVE_INFINITY ? good * 2 : (good + bad) / 2);
	}
	return steps;
}

/** The highest rate that was kept up with. */
export function highest(steps: readonly RateStep[]): RateStep | undefined {
	return steps.filter(({ kept }) => kept).sort((a, b) => b.askedPerSecond - a.askedPerSecond)[0];
}

/** A gateway and a log of its own for each rate, so that what is counted is of that rate alone. */
async function tried(world: BenchWorld, transactions: boolean, askedPerSecond: number): Promise<RateStep> {
	const log = await newLog(world);
	try {
		const gateway = await BenchGateway.start(world, { devices: DEVICES, sink: log.sink(transactions) });
		try {
			return await measured(world, gateway, log, { transactions, askedPerSecond });
		} finally {
			await gateway.stop();
		}
	} finally {
		await log.remove();
	}
}

interface Asked {
	readonly transactions: boolean;
	readonly askedPerSecond: number;
}

async function measured(
	world: BenchWorld,
	gateway: BenchGateway,
	log: BenchLog,
	{ transactions, askedPerSecond }: Asked,
): Promise<RateStep> {
	const cpu = () => Promise.all([cpuSecondsOf(gateway.pid), cpuSecondsOf(brokerPid(world))]);
	const [gatewayBefore, brokerBefore] = await cpu();
	const pace = {
		framesPerSecond: askedPerSecond / FRAME_READINGS,
		seconds: SECONDS[world.quick ? "quick" : "full"],
	};
	const report = await probe(world, {
		gateway: gateway.listen,
		devices: DEVICES,
		session: 1,
		readingBytes: READING_BYTES,
		frameReadings: FRAME_READINGS,
		pace,
	});
	const [gatewayAfter, brokerAfter] = await cpu();
	const stats = await gateway.drained();
	const cores = (from: number | null, to: number | null) =>
		from === null || to === null ? null : (to - from) / report.seconds;
	const { userSeconds, systemSeconds } = report.cpu;
	const { turnaroundNanos } = stats;
	return {
		askedPerSecond,
		kept: isKept(report, pace.framesPerSecond),
		acked: report.acked * FRAME_READINGS,
		stored: storedOf(await log.readingOffsets(), stats, transactions),
		latencyMicros: report.latencyMicros,
		turnaroundMicros: { p50: turnaroundNanos.p50 / 1_000, p99: turnaroundNanos.p99 / 1_000 },
		cores: {
			gateway: cores(gatewayBefore, gatewayAfter),
			broker: cores(brokerBefore, brokerAfter),
			prober: (userSeconds + systemSeconds) / report.seconds,
		},
		transactions: stats.sink.transactions,
	};
}

function isKept({ complete, sent, acked, achievedPerSecond, latencyMicros }: ProbeReport, wanted: number) {
	const isInTime = achievedPerSecond >= SHARE_MIN * wanted && latencyMicros.p99 <= LATENCY_MICROS_MAX;
	return complete && acked === sent && isInTime;
}

/**
 * Records among the offsets: every transaction that holds readings ends with a mark in its partition. A shard's claim is a
 * transaction, too, but holds none. What was aborted has offsets as well, and nobody sees it: then they say nothing.
 */
function storedOf(offsets: number, { sink, kafka }: BenchStats, transactions: boolean): number | null {
	const failures = Object.values(kafka.failures).reduce((sum, count) => sum + count, 0);
	if (failures > 0) {
		return null;
	}
	return transactions ? offsets - (sink.transactions - kafka.shardsOpened) : offsets;
}
