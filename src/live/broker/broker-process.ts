import { spawn } from "node:child_process";
import { closeSync, existsSync, openSync, readSync, statSync } from "node:fs";
import { open } from "node:fs/promises";
import { isThere } from "../machine.js";
import { RunningProcess } from "../running-process.js";
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
export class BrokerProcess extends RunningProcess {
	private readonly killNow = () => this.signal("SIGKILL");
	/** Where this process's output begins in the file. */
	private readonly logStart: number;

	constructor(private readonly command: Command) {
		const { program, args } = withoutOrphans(command);
		const logStart = existsSync(command.logFile) ? statSync(command.logFile).size : 0;
		const log = openSync(command.logFile, "a");
		const broker = spawn(program, args, {
			stdio: ["ignore", log, log],
			env: { ...process.env, PATH: searchPath() },
			// A Ctrl-C of the terminal is for klais, which ends its children in order.
			detached: true,
		});
		closeSync(log);
		super(broker, "exit");
		this.logStart = logStart;
		process.once("exit", this.killNow);
		this.end.then(() => process.off("exit", this.killNow));
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
