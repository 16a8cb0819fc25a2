import type { AttackMetrics, SwarmMetrics } from "../record/run-record.js";
import { formatExact, formatSeconds, NONE } from "./format.js";
import type { LabelledRun } from "./grouping.js";
import type { Table } from "./tables.js";

const RATE_DIGITS = 3;

/** What the gateways' swarm did, a figure a row and a run a column. Null where no run had a swarm. */
export function swarmTable(runs: readonly LabelledRun[]): Table | null {
	const swarms = runs.filter(({ run }) => run.virtual.swarm !== undefined);
	if (swarms.length === 0) {
		return null;
	}
	return {
		caption: "The gateways' swarm: who was blocked, how fast all knew, and what it cost, exact",
		corner: "Swarm",
		columns: swarms.map(({ label }) => label),
		rows: ROWS.map(([label, text]) => ({
			label,
			cells: swarms.map(({ run }) => ({
				text: run.virtual.swarm === undefined ? NONE : text(run.virtual.swarm, run.virtual.attack),
				bad: false,
			})),
		})),
		textual: false,
	};
}

type Row = readonly [label: string, text: (swarm: SwarmMetrics, attack: AttackMetrics | undefined) => string];

const seconds = (value: number | null) => (value === null ? NONE : formatSeconds(value));
const decimal = (value: number | null) => (value === null ? NONE : value.toFixed(1));

const ROWS: readonly Row[] = [
	["Gateways", ({ gateways }) => formatExact(gateways)],
	["Hostile devices", (_, attack) => (attack === undefined ? NONE : formatExact(attack.devices))],
	["Hostile frames", (_, attack) => (attack === undefined ? NONE : formatExact(attack.frames))],
	["Hostile sessions", (_, attack) => (attack === undefined ? NONE : formatExact(attack.sessions))],
	[
		"Hostile readings stored",
		(_, attack) => (attack === undefined ? NONE : formatExact(attack.readingsStored)),
	],
	["Hostile devices blocked", ({ devicesBlocked }) => formatExact(devicesBlocked)],
	["Hostile addresses blocked", ({ addressesBlocked }) => formatExact(addressesBlocked)],
	["Blocked by all gateways", ({ blockedEverywhere }) => formatExact(blockedEverywhere)],
	["First gateway to last, p50", ({ spreadP50Seconds }) => seconds(spreadP50Seconds)],
	["First gateway to last, p99", ({ spreadP99Seconds }) => seconds(spreadP99Seconds)],
	["First gateway to last, longest", ({ spreadMaxSeconds }) => seconds(spreadMaxSeconds)],
	["… in rounds of 20 ms", ({ spreadMaxRounds }) => decimal(spreadMaxRounds)],
	["… 3 log2 of the gateways", ({ boundRounds }) => decimal(boundRounds)],
	["Wrong blocks", ({ wrongBlocks }) => formatExact(wrongBlocks)],
	[
		"Wrong blocks per 10,000 device-hours",
		({ wrongBlocksPerDeviceHour }) => (wrongBlocksPerDeviceHour * 10_000).toFixed(RATE_DIGITS),
	],
	["Device-hours blocked wrongly", (swarm) => swarm.wrongBlockedDeviceHours.toFixed(RATE_DIGITS)],
	["Blocks that expired", ({ expired }) => formatExact(expired)],
	["Accusations by liars", ({ accusations }) => formatExact(accusations)],
	["Gateways taken for down, for up", ({ downs, ups }) => `${formatExact(downs)}, ${formatExact(ups)}`],
	[
		"Gossip per gateway and second, bytes",
		({ gossipBytesPerNodeSecond }) => formatExact(Math.round(gossipBytesPerNodeSecond)),
	],
];
