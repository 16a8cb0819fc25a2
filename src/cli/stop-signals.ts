import { performance } from "node:perf_hooks";
import { EXIT, type ExitCode } from "./exit-codes.js";

const CODES = { SIGINT: EXIT.interrupted, SIGTERM: EXIT.terminated } as const;

/** npm passes a Ctrl-C on to a process that the terminal has already sent it to: the echo is no second wish. */
const ECHO_MS = 500;

/** Turns the first SIGINT or SIGTERM into a request to stop, and the second into the end of the process. */
export class StopSignals {
	/** Shared memory; slot 0 is 1 once the user wants to stop. */
	readonly flag = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
	/** The exit code of the signal that came; undefined while none has. */
	exitCode: ExitCode | undefined;
	private firstAt = 0;
	private readonly handlers = Object.entries(CODES).map(
		([signal, code]) => [signal as keyof typeof CODES, () => this.receive(code)] as const,
	);

	/** `onFirst` tells the user what happens now; `onSecond` cleans the terminal up. */
	constructor(
		private readonly onFirst: () => void,
		private readonly onSecond: () => void,
	) {
		for (const [signal, handler] of this.handlers) {
			process.on(signal, handler);
		}
	}

	/** From here on signals do what they always do. */
	release(): void {
		for (const [signal, handler] of this.handlers) {
			process.off(signal, handler);
		}
	}

	private receive(code: ExitCode): void {
		if (this.exitCode === undefined) {
			this.exitCode = code;
			this.firstAt = performance.now();
			Atomics.store(this.flag, 0, 1);
			this.onFirst();
		} else if (performance.now() - this.firstAt > ECHO_MS) {
			this.onSecond();
			process.exit(this.exitCode);
		}
	}
}
