import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Child } from "../child.js";
import { LiveFault } from "../live-fault.js";
import { parsed } from "../parsed.js";
import { type PlainFleetConfig, type PlainFleetReport, plainFleetReportSchema } from "./plain-config.js";

const PROGRAM = fileURLToPath(new URL("./fleet-child.js", import.meta.url));
/** A stopped fleet writes what it has within this time. */
const REPORT_MILLIS = 15_000;

/** The plain devices of a run, in the fleet's namespace. */
export class PlainFleetProcess {
	/** Requests that devices have sent so far. */
	requests = 0;
	private last: { readonly requests?: number; readonly report?: unknown } = {};
	private readonly child: Child;

	private constructor(namespace: string, file: string) {
		this.child = new Child("the plain fleet", namespace, process.execPath, [PROGRAM, file], (line) => {
			this.last = JSON.parse(line) as typeof this.last;
			this.requests = this.last.requests ?? this.requests;
		});
	}

	static async start(
		namespace: string,
		folder: string,
		config: PlainFleetConfig,
	): Promise<PlainFleetProcess> {
		const file = join(folder, "plain-fleet.json");
		await writeFile(file, JSON.stringify(config));
		return new PlainFleetProcess(namespace, file);
	}

	/** Resolves when it ends, or after so long: whether it has ended. */
	endsWithin(millis: number): Promise<boolean> {
		return this.child.endsWithin(millis);
	}

	/** Tells it to end now. */
	interrupt(): void {
		this.child.signal("SIGTERM");
	}

	/** What it did; waits for its end. Throws a fault of the run if it has nothing to say. */
	async report(): Promise<PlainFleetReport> {
		if (!(await this.endsWithin(REPORT_MILLIS))) {
			throw new LiveFault("run", `the plain fleet did not end within ${REPORT_MILLIS / 1_000} s`);
		}
		const { report } = this.last;
		if (report === undefined) {
			this.child.check("run");
		}
		return parsed(plainFleetReportSchema, JSON.stringify(report), "the plain fleet's report");
	}

	async stop(): Promise<void> {
		await this.child.stop();
	}
}
