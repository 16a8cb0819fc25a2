import { z } from "zod";
import { Child } from "./child.js";
import { LiveFault } from "./live-fault.js";
import { parsed } from "./parsed.js";

const READY_MILLIS = 30_000;
const ANSWER_MILLIS = 5_000;

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
	private readonly child: Child;
	private readonly firstLine: Promise<string>;
	private admin = "";
	private readonly kill = () => this.child.signal("SIGKILL");

	private constructor(program: string, config: string) {
		let heard: (line: string) => void = () => undefined;
		this.firstLine = new Promise((resolve) => {
			heard = resolve;
		});
		const quiet = { RUST_LOG: "warn" };
		this.child = new Child("klais-gatewayd", null, program, ["--config", config], heard, quiet);
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
			const tooLate = gateway.child.endsWithin(READY_MILLIS).then(() => undefined);
			const text = await Promise.race([gateway.firstLine, tooLate]);
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
		await this.child.stop();
		process.off("exit", this.kill);
	}

	private fault(problem: string): LiveFault {
		const words = [problem, this.child.ended, this.child.complaint()].filter(
			(text) => text !== undefined && text !== "",
		);
		return new LiveFault("run", `${this.child.name}: ${words.join(": ")}`);
	}
}
