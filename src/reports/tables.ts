import type { BenchRecord, ResultsFile } from "../record/run-record.js";
import { formatBytes, formatCount, formatExact, formatRate, formatSeconds, NONE } from "./format.js";
import type { LabelledRun } from "./grouping.js";
import { dropReasons, LEDGER, METRICS, type Metric, totalDrops } from "./metrics.js";

export interface Cell {
	readonly text: string;
	readonly bad: boolean;
}

/** A table as every renderer takes it; the first column names the row. */
export interface Table {
	readonly caption: string;
	readonly corner: string;
	readonly columns: readonly string[];
	/** A colour a column, where columns are policies. */
	readonly colours?: readonly string[];
	readonly rows: readonly TableRow[];
	/** Texts rather than numbers: aligned to the left. */
	readonly textual: boolean;
}

export interface TableRow {
	readonly label: string;
	/** A heading over the rows from this one on. */
	readonly group?: string;
	/** What the row means, for a tooltip. */
	readonly means?: string;
	readonly cells: readonly Cell[];
}

const plain = (text: string): Cell => ({ text, bad: false });

/** Policies side by side: a metric a row, a run a column. `metrics` is the short or the full list. */
export function metricTable(
	runs: readonly LabelledRun[],
	metrics: readonly Metric[],
	caption: string,
): Table {
	let group = "";
	const rows = metrics.map((metric): TableRow => {
		const opens = metric.group !== group;
		group = metric.group;
		return {
			label: metric.label,
			means: metric.means,
			...(opens ? { group } : {}),
			cells: runs.map(({ run }) => ({ text: metric.show(run), bad: metric.tone(run) === "bad" })),
		};
	});
	return {
		caption,
		corner: "",
		columns: runs.map((entry) => entry.label),
		colours: runs.map((entry) => entry.colour),
		rows,
		textual: false,
	};
}

/** The metrics that lead, and all of them. */
export const HEADLINES: readonly Metric[] = METRICS.filter((metric) => metric.headline);

export function ledgerTable(runs: readonly LabelledRun[]): Table {
	return {
		caption: "Ledger: every reading, exact",
		corner: "Readings",
		columns: runs.map((entry) => entry.label),
		colours: runs.map((entry) => entry.colour),
		rows: LEDGER.map((column) => ({
			label: column.label,
			means: column.means,
			cells: runs.map(({ run }) => {
				const value = column.value(run);
				return { text: formatExact(value), bad: column.mustBeZero && value !== 0 };
			}),
		})),
		textual: false,
	};
}

/** Null when no run dropped a frame. */
export function dropTable(runs: readonly LabelledRun[]): Table | null {
	const reasons = dropReasons(runs.map((entry) => entry.run)).filter((reason) =>
		runs.some(({ run }) => (run.virtual.drops[reason] ?? 0) > 0),
	);
	if (reasons.length === 0) {
		return null;
	}
	const rows = reasons.map(
		(reason): TableRow => ({
			label: reason,
			cells: runs.map(({ run }) => plain(formatExact(run.virtual.drops[reason] ?? 0))),
		}),
	);
	const sum = { label: "all", cells: runs.map(({ run }) => plain(formatExact(totalDrops(run)))) };
	return {
		caption: "Frames dropped, by reason",
		corner: "Reason",
		columns: runs.map((entry) => entry.label),
		colours: runs.map((entry) => entry.colour),
		rows: reasons.length > 1 ? [...rows, sum] : rows,
		textual: false,
	};
}

export function determinismTable(runs: readonly LabelledRun[]): Table {
	return {
		caption: "Determinism: the same scenario, seed and version give the same digest on any machine",
		corner: "Run",
		columns: ["Seed", "Devices", "Workers", "Digest of the event trace", "Ran to its end"],
		rows: runs.map(({ label, run }) => ({
			label,
			cells: [
				plain(run.seed),
				plain(formatExact(run.devices)),
				plain(formatExact(run.workers)),
				plain(run.digest),
				{ text: run.complete ? "yes" : "NO, stopped", bad: !run.complete },
			],
		})),
		textual: true,
	};
}

export function wallTable(runs: readonly LabelledRun[]): Table {
	const phases = [...new Set(runs.flatMap(({ run }) => Object.keys(run.wall.phases)))];
	const row = (label: string, show: (entry: LabelledRun) => string): TableRow => ({
		label,
		cells: runs.map((entry) => plain(show(entry))),
	});
	return {
		caption: "Wall clock: noisy, differs from run to run",
		corner: "",
		columns: runs.map((entry) => entry.label),
		colours: runs.map((entry) => entry.colour),
		rows: [
			row("Wall time", ({ run }) => formatSeconds(run.wall.seconds)),
			row("Events handled", ({ run }) => formatCount(run.wall.events)),
			row("Events per second", ({ run }) => formatRate(Math.round(run.wall.eventsPerSecond))),
			row("Peak memory", ({ run }) => formatBytes(run.wall.peakRssBytes)),
			...phases.map((phase) =>
				row(`Phase: ${phase}`, ({ run }) => {
					const seconds = run.wall.phases[phase];
					return seconds === undefined ? NONE : formatSeconds(seconds);
				}),
			),
		],
		textual: false,
	};
}

/** Null without benchmarks. */
export function benchTable(bench: readonly BenchRecord[]): Table | null {
	if (bench.length === 0) {
		return null;
	}
	return {
		caption: "Micro-benchmarks: noisy, wall clock",
		corner: "Benchmark",
		columns: ["Median", "Fastest", "Slowest", "Unit", "Better", "Samples"],
		rows: bench.map((record) => {
			const sorted = [...record.samples].sort((a, b) => a - b);
			const [fast, slow] =
				record.better === "lower" ? [sorted[0], sorted.at(-1)] : [sorted.at(-1), sorted[0]];
			const show = (value: number | undefined) => plain(value === undefined ? NONE : formatCount(value));
			return {
				label: record.name,
				cells: [
					show(median(sorted)),
					show(fast),
					show(slow),
					plain(record.unit),
					plain(record.better),
					{ text: String(sorted.length), bad: sorted.length === 0 },
				],
			};
		}),
		textual: false,
	};
}

function median(sorted: readonly number[]): number | undefined {
	const upper = sorted[Math.floor(sorted.length / 2)];
	const lower = sorted[Math.floor((sorted.length - 1) / 2)];
	return upper === undefined || lower === undefined ? undefined : (upper + lower) / 2;
}

export function environmentTable(results: ResultsFile): Table {
	const { host, tool } = results;
	const row = (label: string, text: string): TableRow => ({ label, cells: [plain(text)] });
	const dirty = tool.dirty ? ", with uncommitted changes" : "";
	return {
		caption: "Environment",
		corner: "",
		columns: ["Value"],
		rows: [
			row("klais", tool.version),
			row("Commit", `${tool.commit || "unknown"}${dirty}`),
			row("CPU", `${host.cpu}, ${host.cores} ${host.cores === 1 ? "core" : "cores"}`),
			row("Memory", formatBytes(host.memoryBytes)),
			row("System", `${host.os}, kernel ${host.kernel}`),
			row("Node.js", host.node),
			row("Rust", host.rustc),
		],
		textual: true,
	};
}
