import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { z } from "zod";
import { parsed } from "./gateway-stats.js";
import { complaint, LiveFault } from "./live-fault.js";

const READY_MILLIS = 30_000;
const ANSWER_MILLIS = 5_000;
const END_MILLIS = 10_000;
const STDERR_CHARACTERS = 2_000;

const readySchema = z.looseObject({ ready: z.literal(true), listen: z.string(), admin: z.string() });

const nanos = z.number().nonnegative();
const statsSchema = z.looseObject({
	service: z.looseObject({
		helloNanos: nanos.nullable(),
		dataNanos: nanos.nullable(),
		readingNanos: nanos.nullable(),
		samples: z.int().nonnegative(),
	}),
	gateway: z.looseObject({ hellos: z.number().nonnegative(), deferred: z.number().nonnegative() }),
});

export type CalibrationStats = z.output<typeof statsSchema>;

/** A gateway daemon on loopback, in no namespace: it takes no privileges. */
export class CalibrationGateway {
	private readonly process: ChildProcessByStdio<null, Readable, Readable>;
	private readonly end: Promise<void>;
	private ended: string | undefined;
	private stderr = "";
	private admin = "";
	private readonly kill = () => this.process.kill("SIGKILL");

	private constructor(program: string, config: string) {
		this.process = spawn(program, ["--config", config], {
			stdio: ["ignore", "pipe", "pipe"],
			env: { ...process.env, RUST_LOG: "warn" },
		});
		this.process.stderr.on("data", (chunk: Buffer) => {
			this.stderr = (this.stderr + chunk.toString()).slice(-STDERR_CHARACTERS);
		});
		this.end = new Promise<void>((resolve) => {
			this.process.on("error", (error) => {
				this.ended ??= error.message;
				resolve();
			});
			this.process.on("close", (code, signal) => {
				this.ended ??= `ended with ${code ?? signal}`;
				resolve();
			});
		});
		// The last resort where nothing is awaited any more.
		process.once("exit", this.kill);
	}

	/** Starts the daemon: it, and the address that it takes frames at. Throws a `LiveFault` when it does not get ready. */
	static async start(
		program: string,
		config: string,
	): Promise<{ gateway: CalibrationGateway; listen: string }> {
		const gateway = new CalibrationGateway(program, config);
		try {
			const lines = createInterface({ input: gateway.process.stdout });
			const late = AbortSignal.timeout(READY_MILLIS);
			const line = once(lines, "line", { signal: late }).then(([text]: string[]) => text ?? "");
			const text = await Promise.race([line, gateway.end.then(() => undefined)]);
			line.catch(() => undefined);
			if (text === undefined) {
				throw gateway.fault("did not get ready");
			}
			const { listen, admin } = parsed(readySchema, text, "the gateway's first line");
			gateway.admin = admin;
			return { gateway, listen };
		} catch (error) {
			await gateway.stop();
			throw error instanceof LiveFault ? error : gateway.fault((error as Error).message);
		}
	}

	/** What it counted so far. Throws a `LiveFault` when it does not say. */
	async stats(): Promise<CalibrationStats> {
		try {
			const signal = AbortSignal.timeout(ANSWER_MILLIS);
			const answer = await fetch(`http://${this.admin}/stats`, { signal });
			return parsed(statsSchema, await answer.text(), "the gateway's /stats");
		} catch (error) {
			throw this.fault((error as Error).message);
		}
	}

	/** Asks it to end, and makes it end if it does not. */
	async stop(): Promise<void> {
		this.process.kill("SIGTERM");
		const force = setTimeout(this.kill, END_MILLIS);
		await this.end;
		clearTimeout(force);
		process.off("exit", this.kill);
	}

	private fault(problem: string): LiveFault {
		const words = [problem, this.ended, complaint(this.stderr)].filter(
			(text) => text !== undefined && text !== "",
		);
		return new LiveFault("run", `klais-gatewayd: ${words.join(": ")}`);
	}
}
