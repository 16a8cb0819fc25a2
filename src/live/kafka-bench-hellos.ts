import { BenchGateway, type BenchStats, FRAME_READINGS, READING_BYTES } from "./kafka-bench-gateway.js";
import { Probe, type ProbeReport, probe, probeAll } from "./kafka-bench-probe.js";
import { type BenchWorld, newLog } from "./kafka-bench-world.js";

/** Devices that connect, and those that send meanwhile. */
const CONNECTING = { full: 1_000_000, quick: 20_000 };
const SENDING = { full: 10_000, quick: 1_000 };
const SENDING_FRAMES_PER_SECOND = { full: 2_000, quick: 500 };
/** How long the other devices send: longer than anything takes. */
const SENDING_SECONDS = 300;
/** The second time, at a part of the rate that the first one came to, for so long. */
const PART = 0.5;
const PACED_SECONDS = { full: 5, quick: 1 };
/** All of them begin with the first session. */
const [FIRST_SESSION, SECOND_SESSION] = [2, 3];

/** Devices that connect while others' readings are committed. */
export interface Hellos {
	readonly devices: number;
	/** As fast as they are answered. */
	readonly perSecond: number;
	/** Committed in that time. */
	readonly transactions: number;
	/** At half of that rate: from when a HELLO was to be sent until its ADMIT came. */
	readonly pacedPerSecond: number;
	readonly unanswered: number;
	readonly latencyMicros: ProbeReport["latencyMicros"];
	/** What a commit took meanwhile, readings and all, at the gateway. */
	readonly turnaroundMicros: { readonly p50: number; readonly p99: number };
	/** What the others sent, and what was acknowledged of it. */
	readonly readings: { readonly sent: number; readonly acked: number };
}

/** Measures how fast devices connect while commits go on. */
export async function hellos(world: BenchWorld): Promise<Hellos> {
	const size = world.quick ? "quick" : "full";
	const [connecting, sending] = [CONNECTING[size], SENDING[size]];
	const log = await newLog(world);
	try {
		const devices = connecting + sending;
		const gateway = await BenchGateway.start(world, { devices, sink: log.sink() });
		try {
			const others = await Probe.start(world, {
				gateway: gateway.listen,
				devices,
				firstDevice: connecting,
				session: 1,
				readingBytes: READING_BYTES,
				frameReadings: FRAME_READINGS,
				pace: { framesPerSecond: SENDING_FRAMES_PER_SECOND[size], seconds: SENDING_SECONDS },
			});
			await gateway.until("commits nothing", SENDING_SECONDS * 1_000, async () => {
				return (await gateway.stats()).sink.readings > 0;
			});
			return await measured(world, gateway, connecting, others);
		} finally {
			await gateway.stop();
		}
	} finally {
		await log.remove();
	}
}

async function measured(
	world: BenchWorld,
	gateway: BenchGateway,
	devices: number,
	others: Probe,
): Promise<Hellos> {
	const size = world.quick ? "quick" : "full";
	const hello = {
		gateway: gateway.listen,
		frame: "hello",
		devices,
		readingBytes: 1,
		frameReadings: 1,
	} as const;
	let rest: ProbeReport | undefined;
	try {
		world.say(`${devices} devices connect`);
		const before = await gateway.stats();
		const all = await probeAll(world, { ...hello, session: FIRST_SESSION, framesMax: devices });
		const after = await gateway.stats();
		const perSecond = devices / all.seconds;
		const pace = { framesPerSecond: perSecond * PART, seconds: PACED_SECONDS[size] };
		world.say(`${Math.round(pace.framesPerSecond)} devices a second connect`);
		const paced = await probe(world, { ...hello, session: SECOND_SESSION, pace });
		rest = await others.interrupt();
		const { turnaroundNanos } = await gateway.stats();
		return {
			devices,
			perSecond,
			transactions: transactionsBetween(before, after),
			pacedPerSecond: pace.framesPerSecond,
			unanswered: paced.sent - paced.acked,
			latencyMicros: paced.latencyMicros,
			turnaroundMicros: { p50: turnaroundNanos.p50 / 1_000, p99: turnaroundNanos.p99 / 1_000 },
			readings: { sent: rest.sent * FRAME_READINGS, acked: rest.acked * FRAME_READINGS },
		};
	} finally {
		if (rest === undefined) {
			await others.interrupt().catch(() => undefined);
		}
	}
}

function transactionsBetween({ sink: before }: BenchStats, { sink: after }: BenchStats): number {
	return after.transactions - before.transactions;
}
