import type { WriteStream } from "node:tty";
import { formatSeconds } from "../../reports/format.js";
import { isInteractive, type ProgressView } from "../progress.js";
import type { Job } from "../run-plan.js";
import type { JobOutcome } from "../run-pool.js";
import { coloursFor } from "../talk.js";

const BAR_CELLS = 30;
const BAR_REDRAW_MS = 500;
const LINE_INTERVAL_MS = 10_000;
const ERASE_LINE = "\r\u001b[K";

/** How far all runs together are: hundreds of bars, or of lines, would tell nobody anything. */
export class SweepView implements ProgressView {
	readonly #startedMs = performance.now();
	readonly #interactive: boolean;
	readonly #timer: NodeJS.Timeout;
	#done = 0;
	#running = 0;
	#saidDone = -1;

	constructor(
		private readonly stream: WriteStream,
		private readonly total: number,
	) {
		this.#interactive = isInteractive(stream);
		this.#timer = setInterval(() => this.#show(), this.#interactive ? BAR_REDRAW_MS : LINE_INTERVAL_MS);
		this.note(`${total.toLocaleString("en-US")} runs`);
	}

	started(): void {
		this.#running += 1;
	}

	/** How many runs are under way, where whoever runs them only counts. */
	atWork(count: number): void {
		this.#running = count;
	}

	ended(job: Job, outcome: JobOutcome): void {
		this.#running = Math.max(0, this.#running - 1);
		this.#done += outcome.kind === "skipped" ? 0 : 1;
		if (outcome.kind === "crashed") {
			this.note(`${job.label}: crashed`);
		}
	}

	finish(job: Job, line: string): void {
		this.#running = Math.max(0, this.#running - 1);
		this.#done += 1;
		this.note(`${job.label}: ${line}`);
	}

	note(text: string): void {
		this.stream.write(`${this.#interactive ? ERASE_LINE : ""}${text}\n`);
	}

	close(): void {
		clearInterval(this.#timer);
		const seconds = (performance.now() - this.#startedMs) / 1_000;
		this.note(`${this.#standing()} in ${formatSeconds(seconds)}`);
	}

	#show(): void {
		if (this.#interactive) {
			const filled = Math.round((this.#done / this.total) * BAR_CELLS);
			const bar = coloursFor(this.stream).cyan("█".repeat(filled) + "░".repeat(BAR_CELLS - filled));
			this.stream.write(`${ERASE_LINE}${bar} ${this.#standing()}${this.#left()}`);
		} else if (this.#done !== this.#saidDone) {
			this.#saidDone = this.#done;
			this.note(`${this.#standing()}${this.#left()}`);
		}
	}

	#standing(): string {
		const count = (value: number) => value.toLocaleString("en-US");
		const running = this.#running === 0 ? "" : `, ${count(this.#running)} at work`;
		return `${count(this.#done)} of ${count(this.total)} done${running}`;
	}

	#left(): string {
		if (this.#done === 0) {
			return "";
		}
		const seconds = (performance.now() - this.#startedMs) / 1_000;
		const left = Math.ceil((seconds * (this.total - this.#done)) / this.#done);
		return left === 0 ? "" : `, about ${formatSeconds(left)} left`;
	}
}
