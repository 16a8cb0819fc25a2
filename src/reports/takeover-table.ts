import type { Takeover } from "../record/run-record.js";
import { formatExact, formatSeconds, NONE } from "./format.js";
import type { LabelledRun } from "./grouping.js";
import type { Table, TableRow } from "./tables.js";

/** Rows of one run that are shown; results.json has all. */
const ROWS_MAX = 40;

/** A fault of a gateway a row. Null where no gateway was hit, or nobody owns devices. */
export function takeoverTable(runs: readonly LabelledRun[]): Table | null {
	const rows = runs.flatMap(({ label, run }) =>
		(run.virtual.takeovers ?? []).slice(0, ROWS_MAX).map((takeover) => rowOf(label, takeover)),
	);
	if (rows.length === 0) {
		return null;
	}
	return {
		caption: "Gateways replaced: from the fault to the first commit by whoever owns their shards next, exact",
		corner: "Fault",
		columns: ["Shards", "Taken", "First commit after", "Last shard's after", "Readings delayed", "Delay p99"],
		rows,
		textual: false,
	};
}

function rowOf(label: string, takeover: Takeover): TableRow {
	const { kind, gateway, atSeconds, shards, shardsTaken, readingsDelayed } = takeover;
	const seconds = (value: number | null) => (value === null ? NONE : formatSeconds(value));
	const texts = [
		formatExact(shards),
		formatExact(shardsTaken),
		seconds(takeover.firstCommitSeconds),
		seconds(takeover.lastCommitSeconds),
		formatExact(readingsDelayed),
		seconds(takeover.delayP99Seconds),
	];
	return {
		label: `${label}: ${kind}, gateway ${gateway}, at ${formatSeconds(atSeconds)}`,
		cells: texts.map((text) => ({ text, bad: false })),
	};
}
