import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, existsSync, openSync, readSync, statSync } from "node:fs";
import { open } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { isThere } from "../machine.js";
import { inNamespace, searchPath } from "../tools.js";

const POLL_MILLIS = 20;
const TAIL_BYTES = 64 << 10;

/** How a program is started. */
export interface Command {
	readonly program: string;
	readonly args: readonly string[];
	/** A network namespace, or none. */
	readonly namespace: string | undefined;
	/** Where its output goes: at the end of what is there. */
	readonly logFile: string;
}

/**
 * A process that outlives nobody: it ends with the one that started it, however that ends. It writes to a file, as whoever
 * waits for something else for minutes would leave a pipe full.
 */
export class BrokerProcess {
	/** How it ended; undefined while it runs. */
	ended: string | undefined;
	private readonly process: ChildProcess;
	private readonly end: Promise<void>;
	private readonly killNow = () => this.signal("SIGKILL");
	/** Where this process's output begins in the file. */
	private readonly logStart: number;

	constructor(private readonly command: Command) {
		const { program, args } = withoutOrphans(command);
		this.logStart = existsSync(command.logFile) ? statSync(command.logFile).size : 0;
		const log = openSync(command.logFile, "a");
		this.process = spawn(program, args, {
			stdio: ["ignore", log, log],
			env: { ...process.env, PATH: searchPath() },
			// A Ctrl-C of the terminal is for klais, which ends its children in order.
			detached: true,
		});
		closeSync(log);
		process.once("exit", this.killNow);
		this.end = new Promise((resolve) => {
			const finish = (how: string) => {
				this.ended ??= how;
				process.off("exit", this.killNow);
				resolve();
			};
			this.process.on("error", (error) => finish(error.message));
			this.process.on("exit", (code, signal) =>
				finish(code === null ? `signal ${signal}` : `exit code ${code}`),
			);
		});
	}

	get pid(): number | undefined {
		return this.process.pid;
	}

	signal(signal: NodeJS.Signals): void {
		if (this.ended === undefined) {
			this.process.kill(signal);
		}
	}

	/** Resolves when it ends, or after so long: whether it has ended. */
	async endsWithin(millis: number): Promise<boolean> {
		await Promise.race([this.end, sleep(millis, undefined, { ref: false })]);
		return this.ended !== undefined;
	}

	/** Waits until it has written `words`: false if it ended before, or took longer. */
	async says(words: string, millis: number): Promise<boolean> {
		const until = process.hrtime.bigint() + BigInt(millis) * 1_000_000n;
		const file = await open(this.command.logFile);
		try {
			let place = this.logStart;
			let rest = "";
			const buffer = Buffer.alloc(TAIL_BYTES);
			while (process.hrtime.bigint() < until) {
				const over = this.ended !== undefined;
				for (let bytes = -1; bytes !== 0; place += bytes) {
					({ bytesRead: bytes } = await file.read(buffer, 0, TAIL_BYTES, place));
					const text = rest + buffer.toString("latin1", 0, bytes);
					if (text.includes(words)) {
						return true;
					}
					rest = text.slice(-words.length);
				}
				if (over) {
					return false;
				}
				await this.endsWithin(POLL_MILLIS);
			}
			return false;
		} finally {
			await file.close();
		}
	}

	/** The end of what it wrote. */
	tail(): string {
		const { logFile } = this.command;
		const file = openSync(logFile, "r");
		try {
			const from = Math.max(this.logStart, statSync(logFile).size - TAIL_BYTES);
			const buffer = Buffer.alloc(TAIL_BYTES);
			return buffer.toString("utf8", 0, readSync(file, buffer, 0, TAIL_BYTES, from));
		} finally {
			closeSync(file);
		}
	}
}

function withoutOrphans({ program, args, namespace }: Command): { program: string; args: readonly string[] } {
	const own = namespace === undefined ? { program, args } : inNamespace(namespace, program, args);
	if (process.platform !== "linux" || !isThere("setpriv")) {
		return own;
	}
	return { program: "setpriv", args: ["--pdeathsig", "KILL", own.program, ...own.args] };
}
