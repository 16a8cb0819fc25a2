import { type ChildProcessByStdio, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { complaint, LiveFault } from "./live-fault.js";
import { RunningProcess } from "./running-process.js";
import { inNamespace, searchPath } from "./tools.js";

/** How long a program may take to end by itself. */
const END_MILLIS = 10_000;
const STDERR_CHARACTERS = 2_000;

/** A program of ours, in a namespace or in none: its lines, its end, and how to end it. Only ever ended by its own id. */
export class Child extends RunningProcess {
	private readonly process: ChildProcessByStdio<Writable, Readable, Readable>;
	private stderr = "";

	/** `onLine` gets every line of its standard output. */
	constructor(
		readonly name: string,
		namespace: string | null,
		command: string,
		commandArgs: readonly string[],
		onLine: (line: string) => void,
		environment: Readonly<Record<string, string>> = {},
	) {
		const here = { program: command, args: commandArgs };
		const { program, args } = namespace === null ? here : inNamespace(namespace, command, commandArgs);
		const child = spawn(program, args, {
			stdio: ["pipe", "pipe", "pipe"],
			env: { ...process.env, PATH: searchPath(), ...environment },
			// A Ctrl-C of the terminal is for klais, which ends its children in order.
			detached: true,
		});
		super(child, "close");
		this.process = child;
		createInterface({ input: child.stdout }).on("line", onLine);
		this.process.stderr.on("data", (chunk: Buffer) => {
			this.stderr = (this.stderr + chunk.toString()).slice(-STDERR_CHARACTERS);
		});
		this.process.stdin.on("error", () => undefined);
	}

	/** Throws, with its complaint, if it has ended. */
	check(stage: LiveFault["stage"]): void {
		if (this.ended !== undefined) {
			throw new LiveFault(stage, `${this.name} ended (${this.ended}): ${this.complaint()}`);
		}
	}

	/** The end of what it said on its standard error. */
	complaint(): string {
		return complaint(this.stderr);
	}

	/** Whether it ended well. */
	get succeeded(): boolean {
		return this.ended === "exit code 0";
	}

	write(line: string): void {
		this.process.stdin.write(`${line}\n`);
	}

	/** Asks it to end, and makes it end if it does not. */
	async stop(): Promise<void> {
		this.signal("SIGTERM");
		if (!(await this.endsWithin(END_MILLIS))) {
			this.signal("SIGKILL");
			await this.end;
		}
	}
}
