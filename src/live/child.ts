import { type ChildProcessByStdio, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { complaint, LiveFault } from "./live-fault.js";
import { inNamespace, searchPath } from "./tools.js";

/** How long a program may take to end by itself. */
const END_MILLIS = 10_000;
const STDERR_CHARACTERS = 2_000;

/** A program of ours, in a namespace or in none: its lines, its end, and how to end it. Only ever ended by its own id. */
export class Child {
	/** Set once it has ended. */
	ended: string | undefined;
	private readonly process: ChildProcessByStdio<Writable, Readable, Readable>;
	private readonly end: Promise<void>;
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
		this.process = spawn(program, args, {
			stdio: ["pipe", "pipe", "pipe"],
			env: { ...process.env, PATH: searchPath(), ...environment },
			// A Ctrl-C of the terminal is for klais, which ends its children in order.
			detached: true,
		});
		createInterface({ input: this.process.stdout }).on("line", onLine);
		this.process.stderr.on("data", (chunk: Buffer) => {
			this.stderr = (this.stderr + chunk.toString()).slice(-STDERR_CHARACTERS);
		});
		this.process.stdin.on("error", () => undefined);
		this.end = new Promise((resolve) => {
			this.process.on("error", (error) => {
				this.ended ??= error.message;
				resolve();
			});
			this.process.on("close", (code, signal) => {
				this.ended ??= code === null ? `signal ${signal}` : `exit code ${code}`;
				resolve();
			});
		});
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

	/** Its process id; undefined if it could not be started. */
	get pid(): number | undefined {
		return this.process.pid;
	}

	/** Whether it ended well. */
	get succeeded(): boolean {
		return this.ended === "exit code 0";
	}

	write(line: string): void {
		this.process.stdin.write(`${line}\n`);
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

	/** Asks it to end, and makes it end if it does not. */
	async stop(): Promise<void> {
		this.signal("SIGTERM");
		if (!(await this.endsWithin(END_MILLIS))) {
			this.signal("SIGKILL");
			await this.end;
		}
	}
}
