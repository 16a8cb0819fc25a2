import { type ChildProcessByStdio, spawn } from "node:child_process";
import { createInterface, type Interface } from "node:readline";
import type { Readable, Writable } from "node:stream";
import { x } from "tinyexec";

/** Words of a failed program that are worth repeating. */
const COMPLAINT_CHARACTERS = 400;

/** Runs a program to its end and returns what it wrote. Throws, with its complaint, when it fails. */
export async function runToEnd(
	command: string,
	args: readonly string[],
	timeoutMillis?: number,
): Promise<string> {
	const options = timeoutMillis === undefined ? {} : { timeout: timeoutMillis };
	const { exitCode, stdout, stderr } = await x(command, [...args], options);
	if (exitCode !== 0) {
		throw new Error(`${command} ended with ${exitCode ?? "a signal"}: ${complaint(stderr)}`);
	}
	return stdout;
}

function complaint(stderr: string): string {
	const text = stderr.trim();
	return text.length > COMPLAINT_CHARACTERS ? `…${text.slice(-COMPLAINT_CHARACTERS)}` : text;
}

/**
 * A program that takes one sample per line on its standard input, and answers each with one line of JSON, the first once
 * it is ready. It ends when its input does: it does not outlive its parent.
 */
export class SampleProcess<T> {
	private readonly child: ChildProcessByStdio<Writable, Readable, Readable>;
	private readonly lines: Interface;
	private stderr = "";
	private readonly answers: string[] = [];
	private waiting: { resolve(line: string): void; reject(error: Error): void } | undefined;
	private ended: Error | undefined;

	constructor(
		readonly name: string,
		command: string,
		args: readonly string[],
	) {
		this.child = spawn(command, args, { stdio: ["pipe", "pipe", "pipe"] });
		this.lines = createInterface({ input: this.child.stdout });
		this.lines.on("line", (line) => this.answer(line));
		this.child.stderr.on("data", (chunk: Buffer) => {
			this.stderr = (this.stderr + chunk.toString()).slice(-COMPLAINT_CHARACTERS);
		});
		this.child.stdin.on("error", () => undefined);
		this.child.on("error", (error) => this.end(error));
		this.child.on("close", (code) =>
			this.end(new Error(`${name} ended with ${code ?? "a signal"}: ${complaint(this.stderr)}`)),
		);
	}

	/** Resolves once it is set up and warm. */
	async ready(): Promise<void> {
		await this.next();
	}

	/** Takes a sample. */
	async sample(): Promise<T> {
		this.child.stdin.write("\n");
		return JSON.parse(await this.next()) as T;
	}

	/** Ends it. */
	stop(): void {
		this.child.stdin.end();
	}

	private next(): Promise<string> {
		const line = this.answers.shift();
		if (line !== undefined) {
			return Promise.resolve(line);
		}
		if (this.ended !== undefined) {
			return Promise.reject(this.ended);
		}
		return new Promise((resolve, reject) => {
			this.waiting = { resolve, reject };
		});
	}

	private answer(line: string): void {
		const { waiting } = this;
		this.waiting = undefined;
		if (waiting === undefined) {
			this.answers.push(line);
		} else {
			waiting.resolve(line);
		}
	}

	private end(error: Error): void {
		this.ended ??= error;
		this.waiting?.reject(this.ended);
		this.waiting = undefined;
	}
}
