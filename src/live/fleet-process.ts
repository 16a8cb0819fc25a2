import { createWriteStream } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { Child } from "./child.js";
import { type FleetReport, parseFleetProgress, parseFleetReport } from "./fleet-report.js";
import { LiveFault } from "./live-fault.js";
import type { PowerChange } from "./live-order.js";
import { FLEET_PROGRAM } from "./machine.js";

const CHUNK_LINES = 4_096;
/** A stopped fleet writes what it has within this time. */
const REPORT_MILLIS = 15_000;

/** The packet fleet in its namespace: every device of the scenario. */
export class FleetProcess {
	/** How far it is. */
	progress = { timeMicros: 0, framesSent: 0 };
	private readonly child: Child;
	/** It listens to signals from its first line on; one that comes sooner would end it without a report. */
	private isListening = false;
	private isInterrupted = false;

	private constructor(
		namespace: string,
		programs: string,
		config: string,
		private readonly reportFile: string,
	) {
		this.child = new Child(
			"the fleet",
			namespace,
			join(programs, FLEET_PROGRAM),
			["--config", config],
			(line) => {
				this.progress = parseFleetProgress(line) ?? this.progress;
				this.isListening = true;
				if (this.isInterrupted) {
					this.child.signal("SIGTERM");
				}
			},
		);
	}

	/** Writes the configuration and the power cuts to `folder`, and starts the fleet. */
	static async start(
		namespace: string,
		programs: string,
		folder: string,
		config: object,
		changes: Iterable<PowerChange>,
	): Promise<FleetProcess> {
		const transitions = join(folder, "transitions.csv");
		const report = join(folder, "fleet-report.json");
		const file = join(folder, "fleet.json");
		await pipeline(Readable.from(transitionLines(changes)), createWriteStream(transitions));
		await writeFile(file, JSON.stringify({ ...config, transitions, report }));
		return new FleetProcess(namespace, programs, file, report);
	}

	/** Throws when it has ended badly. */
	check(): void {
		if (!this.child.succeeded) {
			this.child.check("run");
		}
	}

	/** Resolves when it ends, or after so long: whether it has ended. */
	endsWithin(millis: number): Promise<boolean> {
		return this.child.endsWithin(millis);
	}

	/** Tells it to stop sending and to write its report. */
	interrupt(): void {
		this.isInterrupted = true;
		if (this.isListening) {
			this.child.signal("SIGTERM");
		}
	}

	/** What it did; waits for its end. Throws a fault of the run if it has nothing to say. */
	async report(): Promise<FleetReport> {
		if (!(await this.endsWithin(REPORT_MILLIS))) {
			throw new LiveFault("run", `the fleet did not end within ${REPORT_MILLIS / 1_000} s`);
		}
		try {
			return parseFleetReport(await readFile(this.reportFile, "utf8"));
		} catch (error) {
			this.check();
			throw new LiveFault("run", `the fleet left no report: ${(error as Error).message}`);
		}
	}

	async stop(): Promise<void> {
		await this.child.stop();
	}
}

function* transitionLines(changes: Iterable<PowerChange>): Iterable<string> {
	let lines: string[] = [];
	for (const { atMicros, device, on, bootMicros } of changes) {
		lines.push(`${atMicros},${device},${on ? "on" : "off"},${bootMicros}\n`);
		if (lines.length === CHUNK_LINES) {
			yield lines.join("");
			lines = [];
		}
	}
	yield lines.join("");
}
