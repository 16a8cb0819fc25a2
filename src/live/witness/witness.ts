import { writeFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Child } from "../child.js";
import { LiveFault } from "../live-fault.js";
import { parsed } from "../parsed.js";
import type { WitnessOrder } from "./order.js";
import { summed, type Tally, tallySchema } from "./tally.js";

const PROGRAM = fileURLToPath(new URL("./witness-child.js", import.meta.url));
/** Each takes a core while it reads. */
const PROCESSES_MAX = 4;
/** Kafka gives records, or says that it has none, well within this time; an open transaction may take as long. */
const STALL_MILLIS = 180_000;
const WATCH_MILLIS = 100;

/** Where a witness stands, and what it looks at. */
export interface Witnessing {
	readonly order: Omit<WitnessOrder, "part" | "parts">;
	/** From where the broker can be reached; null: from here. */
	readonly namespace: string | null;
	/** For its files. */
	readonly folder: string;
	/** Processes, by default as many as there are cores. */
	readonly processes?: number;
}

/**
 * The independent witness: a Kafka client of its own reads what is stored, committed records only, and holds it against what
 * devices must have produced and against what they were told. `progress` hears how many records were read. Throws a
 * `LiveFault` when it cannot look.
 */
export async function witness(
	{ order, namespace, folder, processes = availableParallelism() }: Witnessing,
	progress: (records: number) => void = () => undefined,
): Promise<Tally> {
	const parts = Math.max(1, Math.min(processes, PROCESSES_MAX, order.shards));
	const witnesses = await Promise.all(
		Array.from({ length: parts }, async (_, part) => {
			const file = join(folder, `witness-${part}.json`);
			await writeFile(file, JSON.stringify({ ...order, part, parts } satisfies WitnessOrder));
			return new Part(part, namespace, file);
		}),
	);
	try {
		const tallies = witnesses.map((each) =>
			each.tally(() => progress(witnesses.reduce((sum, { records }) => sum + records, 0))),
		);
		return summed(await Promise.all(tallies));
	} finally {
		await Promise.all(witnesses.map((each) => each.stop()));
	}
}

interface Line {
	readonly records?: number;
	readonly tally?: unknown;
	readonly error?: string;
}

/** One process of the witness. */
class Part {
	records = 0;
	private heard = process.hrtime.bigint();
	private last: Line = {};
	private readonly child: Child;

	constructor(part: number, namespace: string | null, file: string) {
		this.child = new Child(`witness ${part}`, namespace, process.execPath, [PROGRAM, file], (line) => {
			this.heard = process.hrtime.bigint();
			this.last = JSON.parse(line) as Line;
			this.records = this.last.records ?? this.records;
		});
	}

	/** What it has found; `heard` is called now and then until then. */
	async tally(heard: () => void): Promise<Tally> {
		while (!(await this.child.endsWithin(WATCH_MILLIS))) {
			heard();
			if (process.hrtime.bigint() - this.heard > BigInt(STALL_MILLIS) * 1_000_000n) {
				throw new LiveFault("run", `${this.child.name} has read nothing for ${STALL_MILLIS / 1_000} s`);
			}
		}
		const { tally, error } = this.last;
		if (error !== undefined) {
			throw new LiveFault("run", `${this.child.name}: ${error}`);
		}
		if (tally === undefined) {
			this.child.check("run");
		}
		return parsed(tallySchema, JSON.stringify(tally), this.child.name);
	}

	stop(): Promise<void> {
		return this.child.stop();
	}
}
