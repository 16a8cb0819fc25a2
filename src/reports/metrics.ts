import type { LatencyMicros, RunRecord } from "../record/run-record.js";
import { deviceLosses, drainState, unaccountedReadings } from "../record/verdict.js";
import {
	formatCount,
	formatExact,
	formatMicros,
	formatPercent,
	formatRate,
	formatRatio,
	formatSeconds,
	NONE,
} from "./format.js";
import { SETTLING } from "./settling-metrics.js";

/** How a value speaks for itself in a table: `bad` is what the reader must not overlook. */
type Tone = "plain" | "bad";

export interface Metric {
	/** Path in the run record. */
	readonly id: string;
	readonly label: string;
	readonly group: MetricGroup;
	/** What it means, in plain words. */
	readonly means: string;
	/** In the short table that comes first. */
	readonly headline: boolean;
	readonly show: (run: RunRecord) => string;
	readonly tone: (run: RunRecord) => Tone;
}

type MetricGroup = "Drain" | "Devices" | "Live readings" | "Backfill" | "Load" | "Integrity" | "Work";

/** What a table says where a run has not drained. Loud on purpose: a dash would read as "no problem". */
export const NEVER_DRAINED = "never drained";

const plain = (): Tone => "plain";
const badWhen =
	(test: (run: RunRecord) => boolean) =>
	(run: RunRecord): Tone =>
		test(run) ? "bad" : "plain";
const notDrained = badWhen((run) => drainState(run) === "never");

/** "Nothing had to drain" and "it never drained" are opposites, and both are null in the record. */
function drainOr(run: RunRecord, value: number | null, format: (value: number) => string): string {
	switch (drainState(run)) {
		case "drained":
			return value === null ? NONE : format(value);
		case "never":
			return NEVER_DRAINED;
		case "stopped":
			return "not when stopped";
		case "nothing":
			return "nothing to drain";
	}
}

function metric(
	group: MetricGroup,
	id: string,
	label: string,
	means: string,
	show: (run: RunRecord) => string,
	options: { readonly headline?: boolean; readonly tone?: (run: RunRecord) => Tone } = {},
): Metric {
	return { group, id, label, means, show, headline: options.headline ?? false, tone: options.tone ?? plain };
}

const drain: readonly Metric[] = [
	metric(
		"Drain",
		"virtual.drainRatio",
		"Drain against the bound",
		"Time to drain over the least time that physics allows; 1.00x is perfect.",
		(run) => drainOr(run, run.virtual.drainRatio, formatRatio),
		{ headline: true, tone: notDrained },
	),
	metric(
		"Drain",
		"virtual.drainSeconds",
		"Time to drain",
		"From the start of the bound's longest busy period until every reading of the outage's backlog is durable.",
		(run) => drainOr(run, run.virtual.drainSeconds, formatSeconds),
		{ headline: true, tone: notDrained },
	),
	metric(
		"Drain",
		"virtual.drainBoundSeconds",
		"Physical bound",
		"The same for an ideal sink: backlog over spare capacity (capacity less live readings), fed by the same returns.",
		(run) => formatSeconds(run.virtual.drainBoundSeconds),
		{ headline: true },
	),
	metric(
		"Drain",
		"virtual.undrainedReadings",
		"Backlog left at the end",
		"Readings of the outage's backlog that are not durable when the scenario ends.",
		(run) => formatCount(run.virtual.undrainedReadings),
		{ headline: true, tone: badWhen((run) => run.virtual.undrainedReadings > 0) },
	),
	metric(
		"Drain",
		"virtual.utilisation",
		"Capacity put to use",
		"Durable readings (duplicates apart) in the busy period over what the broker could have stored.",
		(run) => formatPercent(run.virtual.utilisation),
		{ headline: true },
	),
];

const QUANTILES = [
	["p50Seconds", "p50", "half of the devices", true],
	["p95Seconds", "p95", "95 % of the devices", true],
	["p999Seconds", "p99.9", "99.9 % of the devices", false],
] as const;

const devices: readonly Metric[] = [
	...QUANTILES.flatMap(([key, name, share, headline]) => [
		metric(
			"Devices",
			`virtual.devicesConnected.${key}`,
			`Connected, ${name}`,
			`From back on power and network until the session is open, for ${share}.`,
			(run) =>
				run.virtual.devicesConnected.count === 0 ? NONE : formatSeconds(run.virtual.devicesConnected[key]),
			{ headline },
		),
		metric(
			"Devices",
			`virtual.devicesConnectedBound.${key}`,
			`Connected, ${name}, ideal`,
			`The same for an ideal first-come first-served queue of sessions, ${share}.`,
			(run) =>
				run.virtual.devicesConnected.count === 0
					? NONE
					: formatSeconds(run.virtual.devicesConnectedBound[key]),
			{ headline },
		),
	]),
	metric(
		"Devices",
		"virtual.devicesConnected.count",
		"Reconnects measured",
		"How many reconnects the quantiles above stand on.",
		(run) => formatCount(run.virtual.devicesConnected.count),
	),
	metric(
		"Devices",
		"virtual.devicesConnected.neverConnected",
		"Never connected",
		"Devices that came back and had no session until the end.",
		(run) => formatCount(run.virtual.devicesConnected.neverConnected),
		{ tone: badWhen((run) => run.virtual.devicesConnected.neverConnected > 0) },
	),
	metric(
		"Devices",
		"virtual.attemptsPerConnect",
		"Attempts per connect",
		"HELLO frames sent for each session opened: radio, battery and gateway CPU spent on knocking.",
		(run) => showAttempts(run),
		{ headline: true },
	),
	metric(
		"Devices",
		"virtual.jainFairness",
		"Fairness (Jain)",
		"Jain's index over the cohorts' mean time to connect: 1 when no neighbourhood waits longer than another.",
		(run) => run.virtual.jainFairness.toFixed(3),
		{ headline: true },
	),
];

const LIVE = [
	["liveLatencyBeforeMicros", "before", "before the outage"],
	["liveLatencyRecoveryMicros", "in recovery", "while devices come back and backlogs drain"],
	["liveLatencyMicros", "whole run", "over the whole run"],
] as const;

const POINTS = [
	["p50", "p50"],
	["p99", "p99"],
	["p999", "p99.9"],
	["max", "max"],
] as const;

/** A latency that no reading has measured is unknown, not zero. */
export function showLatency(latency: LatencyMicros, point: "p50" | "p99" | "p999" | "max"): string {
	return latency.count === 0 ? NONE : formatMicros(latency[point]);
}

const live: readonly Metric[] = LIVE.flatMap(([key, when, means]) => [
	...POINTS.map(([point, name]) =>
		metric(
			"Live readings",
			`virtual.${key}.${point}`,
			`Live ${name}, ${when}`,
			`From a live report's due time until it is durable, ${name} ${means}.`,
			(run) => showLatency(run.virtual[key], point),
			{ headline: point === "p99" && when !== "whole run" },
		),
	),
	metric(
		"Live readings",
		`virtual.${key}.count`,
		`Live readings, ${when}`,
		`Live readings made durable ${means}: what the figures above stand on.`,
		(run) => formatCount(run.virtual[key].count),
	),
]);

const backfill: readonly Metric[] = (["p50", "p99", "max"] as const).map((point) =>
	metric(
		"Backfill",
		`virtual.backfillAgeSeconds.${point}`,
		`Backfill age, ${point}`,
		`How old a buffered reading was when it became durable, ${point}.`,
		(run) => formatSeconds(run.virtual.backfillAgeSeconds[point]),
	),
);

const load: readonly Metric[] = [
	metric(
		"Load",
		"virtual.capacityPerSecond",
		"Broker capacity",
		"Readings per second that the broker can store.",
		(run) => formatRate(run.virtual.capacityPerSecond),
	),
	metric(
		"Load",
		"virtual.peakOfferedPerSecond",
		"Peak offered",
		"Most readings per second that reached the gateways, every copy counted.",
		(run) => formatRate(run.virtual.peakOfferedPerSecond),
		{ headline: true },
	),
	metric(
		"Load",
		"virtual.peakAdmittedPerSecond",
		"Peak admitted",
		"Most readings per second that the gateways accepted for the sink.",
		(run) => formatRate(run.virtual.peakAdmittedPerSecond),
	),
	metric(
		"Load",
		"virtual.peakSinkQueueReadings",
		"Peak sink queue",
		"Most readings that waited in the gateways for the broker: memory that a real gateway must have.",
		(run) => formatCount(run.virtual.peakSinkQueueReadings),
		{ headline: true },
	),
	metric(
		"Load",
		"virtual.drops",
		"Frames dropped",
		"Frames thrown away anywhere on the way, all reasons together; by reason in a table of their own.",
		(run) => formatCount(totalDrops(run)),
		{ headline: true },
	),
];

const integrity: readonly Metric[] = [
	metric(
		"Integrity",
		"ledger.duplicates",
		"Stored twice",
		"Readings that are in Kafka more than once.",
		(run) => formatCount(run.ledger.duplicates),
		{ headline: true, tone: badWhen((run) => run.ledger.duplicates > 0) },
	),
	metric(
		"Integrity",
		"ledger.lost",
		"Lost by devices",
		"Readings that a device could not keep: its buffer was full (lostOverflow) or volatile at power loss (lostVolatile).",
		(run) => formatCount(deviceLosses(run.ledger)),
		{ headline: true },
	),
	metric(
		"Integrity",
		"ledger.ackedLost",
		"Acknowledged, then lost",
		"Readings that a device deleted because it was told they were durable, and that are not. Must be 0.",
		(run) => formatCount(run.ledger.ackedLost),
		{ headline: true, tone: badWhen((run) => run.ledger.ackedLost > 0) },
	),
];

const work: readonly Metric[] = (
	[
		["events", "Events", "Events that the simulator handled."],
		["frames", "Frames", "Frames that went over the wires."],
		["hellos", "HELLO frames", "Requests for a session."],
		["slices", "Time slices", "Steps of virtual time, each as long as the shortest network latency."],
	] as const
).map(([key, label, means]) =>
	metric("Work", `virtual.work.${key}`, label, means, (run) => formatExact(run.virtual.work[key])),
);

/** Every exact metric of a run, in report order. */
export const METRICS: readonly Metric[] = [
	...drain,
	...SETTLING.map((each) => ({ ...each, headline: false, tone: plain })),
	...devices,
	...live,
	...backfill,
	...load,
	...integrity,
	...work,
];

/** Without a single connect there is no figure per connect. */
export function showAttempts(run: RunRecord): string {
	const { devicesConnected, attemptsPerConnect } = run.virtual;
	return devicesConnected.count === 0 ? NONE : String(Number(attemptsPerConnect.toPrecision(3)));
}

/** Frames dropped for whatever reason. */
export function totalDrops(run: RunRecord): number {
	return Object.values(run.virtual.drops).reduce((sum, count) => sum + count, 0);
}

export interface LedgerColumn {
	readonly label: string;
	readonly means: string;
	readonly value: (run: RunRecord) => number;
	/** A value other than 0 is a fault. */
	readonly mustBeZero: boolean;
}

/** The ledger, exact to the reading. */
export const LEDGER: readonly LedgerColumn[] = [
	{
		label: "Produced",
		means: "Readings that the sensors took.",
		value: (run) => run.ledger.produced,
		mustBeZero: false,
	},
	{
		label: "Durable",
		means: "In Kafka, each counted once.",
		value: (run) => run.ledger.durable,
		mustBeZero: false,
	},
	{
		label: "Buffered",
		means: "Still safe in a device's buffer at the end.",
		value: (run) => run.ledger.buffered,
		mustBeZero: false,
	},
	{
		label: "Lost: overflow",
		means: "Lost by the device: its buffer was full.",
		value: (run) => run.ledger.lostOverflow,
		mustBeZero: false,
	},
	{
		label: "Lost: volatile",
		means: "Lost by the device: its buffer was RAM, and power went.",
		value: (run) => run.ledger.lostVolatile,
		mustBeZero: false,
	},
	{
		label: "Unaccounted",
		means: "Produced less all of the above. Anything but 0 fails the run.",
		value: (run) => unaccountedReadings(run.ledger),
		mustBeZero: true,
	},
	{
		label: "Duplicates",
		means: "Stored again on top of durable.",
		value: (run) => run.ledger.duplicates,
		mustBeZero: true,
	},
	{
		label: "Reordered",
		means: "Durable out of their lane's order.",
		value: (run) => run.ledger.reordered,
		mustBeZero: true,
	},
	{
		label: "Acked, lost",
		means: "Acknowledged as durable and not there. Anything but 0 fails the run.",
		value: (run) => run.ledger.ackedLost,
		mustBeZero: true,
	},
];

/** Reasons for drops over all runs, the most frequent first. */
export function dropReasons(runs: readonly RunRecord[]): readonly string[] {
	const totals = new Map<string, number>();
	for (const run of runs) {
		for (const [reason, count] of Object.entries(run.virtual.drops)) {
			totals.set(reason, (totals.get(reason) ?? 0) + count);
		}
	}
	return [...totals].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).map(([reason]) => reason);
}
