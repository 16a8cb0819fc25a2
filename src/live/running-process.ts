import type { ChildProcess } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";

/** A process of ours: whether it has ended, and how. Only ever signalled by its own id, and never after its end. */
export class RunningProcess {
	/** How it ended; undefined while it runs. */
	ended: string | undefined;
	protected readonly end: Promise<void>;

	/** `over`: the process is gone, or its output is at its end too. */
	constructor(
		private readonly running: ChildProcess,
		over: "exit" | "close",
	) {
		this.end = new Promise((resolve) => {
			const finish = (how: string) => {
				this.ended ??= how;
				resolve();
			};
			running.on("error", (error) => finish(error.message));
			running.on(over, (code: number | null, signal: string | null) =>
				finish(code === null ? `signal ${signal}` : `exit code ${code}`),
			);
		});
	}

	/** Its process id; undefined if it could not be started. */
	get pid(): number | undefined {
		return this.running.pid;
	}

	signal(signal: NodeJS.Signals): void {
		if (this.ended === undefined) {
			this.running.kill(signal);
		}
	}

	/** Resolves when it ends, or after so long: whether it has ended. */
	async endsWithin(millis: number): Promise<boolean> {
		await Promise.race([this.end, sleep(millis, undefined, { ref: false })]);
		return this.ended !== undefined;
	}
}
