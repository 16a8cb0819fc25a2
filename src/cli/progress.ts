import type { WriteStream } from "node:tty";
import { formatCount, formatSeconds } from "../reports/format.js";
import { MICROS_PER_SECOND } from "../units/micros.js";
import type { JobProgress } from "./job-order.js";
import type { Job } from "./run-plan.js";
import type { JobOutcome, PoolWatcher } from "./run-pool.js";
import { coloursFor } from "./talk.js";

const BAR_CELLS = 20;
const BAR_REDRAW_MS = 250;
const LINE_INTERVAL_MS = 10_000;
const HIDE_CURSOR = "\u001b[?25l";
const SHOW_CURSOR = "\u001b[?25h";

/** Shows on stderr how far the jobs are. */
export interface ProgressView extends PoolWatcher {
	/** Ends a job that was started, with a line. */
	finish(job: Job, line: string): void;
	/** Says a line without disturbing what is drawn. */
	note(text: string): void;
	/** Ends the view; whatever it drew and no longer holds goes. */
	close(): void;
}

/** Bars on a terminal; plain lines in CI, in a pipe and on a dumb terminal. */
export function progressView(stream: WriteStream): ProgressView {
	return isInteractive(stream) ? new Bars(stream) : new Lines(stream);
}

/** Whether somebody watches lines that are drawn anew. */
export function isInteractive(stream: WriteStream): boolean {
	const { CI, TERM } = process.env;
	const isCi = CI !== undefined && CI !== "" && CI !== "0" && CI !== "false";
	return stream.isTTY === true && !isCi && TERM !== "dumb";
}

interface Running {
	readonly job: Job;
	readonly read: () => JobProgress;
	readonly startedMs: number;
	saidMs: number;
}

/** A bar per running job, redrawn in place; what has ended stays above as a line. */
class Bars implements ProgressView {
	private readonly running = new Map<Job, Running>();
	private readonly timer: NodeJS.Timeout;
	private drawn = 0;

	constructor(private readonly stream: WriteStream) {
		stream.write(HIDE_CURSOR);
		this.timer = setInterval(() => this.redraw(), BAR_REDRAW_MS);
	}

	started(job: Job, read: () => JobProgress): void {
		this.running.set(job, { job, read, startedMs: performance.now(), saidMs: 0 });
		this.redraw();
	}

	ended(job: Job, outcome: JobOutcome): void {
		this.finish(job, endLine(job, outcome));
	}

	finish(job: Job, line: string): void {
		this.running.delete(job);
		this.redraw(`${line}\n`);
	}

	note(text: string): void {
		this.redraw(`${text}\n`);
	}

	close(): void {
		clearInterval(this.timer);
		this.running.clear();
		this.redraw(SHOW_CURSOR);
	}

	private redraw(above = ""): void {
		const colours = coloursFor(this.stream);
		const entries = [...this.running.values()];
		const labelWidth = Math.max(0, ...entries.map(({ job }) => job.label.length));
		const bars = entries.map((entry) => {
			const { share, words } = standing(entry);
			const filled = Math.round(share * BAR_CELLS);
			const cells = "█".repeat(filled) + "░".repeat(BAR_CELLS - filled);
			// A line that wraps would be two to move up over.
			const line = `${entry.job.label.padEnd(labelWidth)} ${cells} ${words}`.slice(0, this.width());
			return `${line.replace(/[█░]+/, (bar) => colours.cyan(bar))}\n`;
		});
		const erase = this.drawn === 0 ? "" : `\u001b[${this.drawn}A\u001b[J`;
		this.stream.write(`${erase}${above}${bars.join("")}`);
		this.drawn = bars.length;
	}

	private width(): number {
		return Math.max(1, (this.stream.columns ?? 80) - 1);
	}
}

/** A line at each job's start and end, and every ten seconds in between. */
class Lines implements ProgressView {
	private readonly running = new Map<Job, Running>();
	private readonly timer: NodeJS.Timeout;

	constructor(private readonly stream: WriteStream) {
		this.timer = setInterval(() => this.report(), 1_000);
	}

	started(job: Job, read: () => JobProgress): void {
		const now = performance.now();
		this.running.set(job, { job, read, startedMs: now, saidMs: now });
		const devices = job.scenario.devices.count.toLocaleString("en-US");
		const time = formatSeconds(job.scenario.durationMicros / MICROS_PER_SECOND);
		this.stream.write(`${job.label}: started, ${devices} devices, ${time} of virtual time\n`);
	}

	ended(job: Job, outcome: JobOutcome): void {
		this.finish(job, endLine(job, outcome));
	}

	finish(job: Job, line: string): void {
		this.running.delete(job);
		this.stream.write(`${line}\n`);
	}

	note(text: string): void {
		this.stream.write(`${text}\n`);
	}

	close(): void {
		clearInterval(this.timer);
	}

	private report(): void {
		for (const entry of this.running.values()) {
			if (performance.now() - entry.saidMs >= LINE_INTERVAL_MS) {
				entry.saidMs = performance.now();
				this.stream.write(`${entry.job.label}: ${standing(entry).words}\n`);
			}
		}
	}
}

function standing({ job, read, startedMs }: Running): { share: number; words: string } {
	const { atMicros, events } = read();
	if (events === 0) {
		return { share: 0, words: "starting" };
	}
	const seconds = (performance.now() - startedMs) / 1_000;
	const share = Math.min(1, atMicros / job.scenario.durationMicros);
	const percent = `${Math.floor(share * 100)} %`.padStart(5);
	const at = formatSeconds(Math.floor(atMicros / MICROS_PER_SECOND));
	const speed = `${formatCount(Math.round(events / seconds))} events/s`;
	// Virtual time runs unevenly, a storm is slow: no more than a rough word, and none at the very start.
	const left =
		share < 0.005 ? "" : `, about ${formatSeconds(Math.ceil((seconds * (1 - share)) / share))} left`;
	return { share, words: `${percent} (${at}), ${speed}${left}` };
}

function endLine({ label }: Job, outcome: JobOutcome): string {
	if (outcome.kind === "crashed") {
		return `${label}: crashed`;
	}
	if (outcome.kind === "skipped") {
		return `${label}: not started`;
	}
	const { wall, complete } = outcome.record;
	const events = `${formatCount(wall.events)} events, ${formatCount(Math.round(wall.eventsPerSecond))}/s`;
	return `${label}: ${complete ? "done in" : "stopped after"} ${formatSeconds(wall.seconds)}, ${events}`;
}
