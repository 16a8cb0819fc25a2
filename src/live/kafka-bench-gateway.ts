import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { Child } from "./child.js";
import { killAtExit } from "./kafka-bench-process.js";
import { type BenchWorld, SHARDS } from "./kafka-bench-world.js";
import { LiveFault } from "./live-fault.js";
import { GATEWAY_PROGRAM } from "./machine.js";
import { NO_LIMIT_PER_SECOND, openGateway } from "./open-gateway.js";
import { parsed } from "./parsed.js";

export const MASTER_KEY = "4b4c414953206b61666b612062656e63";
/** Readings of so many bytes, so many in a frame: 1.2 kB, which fits. */
export const READING_BYTES = 100;
export const FRAME_READINGS = 12;

/** How often each shard commits. */
const COMMIT_MICROS = 50_000;
const BATCH_READINGS_MAX = 20_000;
/** More than a device sends meanwhile: its own bucket refuses nobody. */
const BUFFER_READINGS = 10_000;
/** A gateway of ten million devices, or one that restores a million marks. */
const READY_MILLIS = 60_000;
const ANSWER_MILLIS = 5_000;
const DRAIN_MILLIS = 20_000;
const POLL_MILLIS = 10;

const readySchema = z.looseObject({ ready: z.literal(true), listen: z.string(), admin: z.string() });

const whole = z.number().nonnegative();
const quantiles = z.looseObject({ count: whole, p50: whole, p99: whole, max: whole });
const statsSchema = z.looseObject({
	gateway: z.looseObject({
		hellos: whole,
		admitted: whole,
		queued: whole,
		/** Shards served now, and times that one was taken over. */
		shards: whole.optional(),
		takeovers: whole.optional(),
	}),
	sink: z.looseObject({ readings: whole, transactions: whole, undecided: whole }),
	kafka: z.looseObject({
		checkpoints: whole,
		shardsOpened: whole,
		recordsRestored: whole,
		failures: z.record(z.string(), whole),
		commitMicros: quantiles,
	}),
	turnaroundNanos: quantiles,
});

/** What a gateway with Kafka behind it has counted. */
export type BenchStats = z.output<typeof statsSchema>;

/** What differs between the gateways. */
export interface BenchGatewayOptions {
	readonly devices: number;
	readonly sink: object;
	/** Address and port; by default one that is free. */
	readonly listen?: string;
	/** Of several: its number, how many there are, and how they know of each other. */
	readonly gateway?: number;
	readonly gateways?: number;
	readonly swarm?: object;
}

/** The configuration of a gateway on loopback, its dam in user space. Nothing is refused. */
export function benchGatewayConfig({ listen = "127.0.0.1:0", swarm, ...given }: BenchGatewayOptions): object {
	const config = openGateway({
		...given,
		listen,
		admin: "127.0.0.1:0",
		interface: null,
		xdp: "off",
		masterKey: MASTER_KEY,
		poll: "sleep",
		policy: {
			admission: "slots",
			sessionsPerSecond: NO_LIMIT_PER_SECOND,
			backfillQueueReadings: NO_LIMIT_PER_SECOND,
			commitIntervalMicros: COMMIT_MICROS,
			batchReadingsMax: BATCH_READINGS_MAX,
			shards: SHARDS,
			bufferReadings: BUFFER_READINGS,
			frameReadings: FRAME_READINGS,
		},
	});
	return swarm === undefined ? config : { ...config, swarm };
}

let started = 0;

/** A gateway daemon on loopback that writes to Kafka: it takes no privileges. */
export class BenchGateway {
	private readonly child: Child;
	private admin = "";
	/** Where it takes frames. */
	listen = "";
	/** From its start until it served. */
	readySeconds = Number.NaN;
	private readonly release: () => void;

	private constructor(program: string, config: string, onLine: (line: string) => void) {
		const quiet = { RUST_LOG: "warn" };
		this.child = new Child("klais-gatewayd", null, program, ["--config", config], onLine, quiet);
		this.release = killAtExit(this.child);
	}

	/** Starts one; resolves once it serves all of its shards. Throws a `LiveFault` when it does not. */
	static async start({ programs, folder }: BenchWorld, options: BenchGatewayOptions): Promise<BenchGateway> {
		started += 1;
		const file = join(folder, `gateway-${started}.json`);
		await writeFile(file, JSON.stringify(benchGatewayConfig(options)));
		const begin = performance.now();
		let heard: (line: string) => void = () => undefined;
		const firstLine = new Promise<string>((resolve) => {
			heard = resolve;
		});
		const gateway = new BenchGateway(join(programs, GATEWAY_PROGRAM), file, heard);
		try {
			const tooLate = gateway.child.endsWithin(READY_MILLIS).then(() => undefined);
			const text = await Promise.race([firstLine, tooLate]);
			if (text === undefined) {
				throw gateway.fault("did not get ready");
			}
			const { listen, admin } = parsed(readySchema, text, "the gateway's first line");
			[gateway.listen, gateway.admin] = [listen, admin];
			await gateway.until("is not ready", READY_MILLIS, async () => (await gateway.ask("/ready")).ok);
			gateway.readySeconds = (performance.now() - begin) / 1_000;
			return gateway;
		} catch (error) {
			await gateway.stop();
			throw error instanceof LiveFault ? error : gateway.fault((error as Error).message);
		}
	}

	get pid(): number | undefined {
		return this.child.pid;
	}

	/** What it counted so far. Throws a `LiveFault` when it does not say. */
	async stats(): Promise<BenchStats> {
		try {
			return parsed(statsSchema, await (await this.ask("/stats")).text(), "the gateway's /stats");
		} catch (error) {
			throw this.fault((error as Error).message);
		}
	}

	/** Waits until the sink has decided everything that was accepted: what it has counted then. */
	async drained(): Promise<BenchStats> {
		let last = await this.stats();
		await this.until("has not stored everything", DRAIN_MILLIS, async () => {
			last = await this.stats();
			return last.gateway.queued === 0 && last.sink.undecided === 0;
		});
		return last;
	}

	/** Asks again and again until it holds. Throws a `LiveFault` that names `problem` when that takes too long. */
	async until(problem: string, millis: number, holds: () => Promise<boolean>): Promise<void> {
		const end = performance.now() + millis;
		while (!(await holds())) {
			if (performance.now() > end) {
				throw this.fault(problem);
			}
			await sleep(POLL_MILLIS);
		}
	}

	/** Kills it (-9). */
	async kill(): Promise<void> {
		this.child.signal("SIGKILL");
		await this.stop();
	}

	/** Asks it to end, and makes it end if it does not. */
	async stop(): Promise<void> {
		await this.child.stop();
		this.release();
	}

	private ask(path: string): Promise<Response> {
		return fetch(`http://${this.admin}${path}`, { signal: AbortSignal.timeout(ANSWER_MILLIS) });
	}

	private fault(problem: string): LiveFault {
		const words = [problem, this.child.ended, this.child.complaint()].filter(
			(text) => text !== undefined && text !== "",
		);
		return new LiveFault("run", `${this.child.name}: ${words.join(": ")}`);
	}
}
