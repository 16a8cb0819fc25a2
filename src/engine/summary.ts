import { type Balance, emptyBalance, settleDevice } from "../record/ledger.js";
import type {
	LedgerTotals,
	Percentiles,
	Quantiles,
	RunRecord,
	VirtualMetrics,
} from "../record/run-record.js";
import type { Scenario } from "../scenarios/scenario.js";
import { brokerSlowdowns, meanSpeed } from "./broker-slowdowns.js";
import type { Collector } from "./collector.js";
import { decisionRows } from "./decisions.js";
import type { NativeCluster, NativeFleet } from "./native.js";
import { type PlanFacts, quantile } from "./plan-facts.js";
import type { Production } from "./production.js";
import { settlingOf } from "./settling.js";
import { SHARD_DEVICES } from "./shard-wheels.js";
import { attackMetrics, swarmMetrics } from "./swarm.js";
import type { World } from "./world.js";

/** What a run has to show at its end. */
export interface FinishedRun {
	readonly scenario: Scenario;
	readonly seed: string;
	readonly world: World;
	readonly facts: PlanFacts;
	readonly collector: Collector;
	readonly fleet: NativeFleet;
	readonly cluster: NativeCluster;
	readonly sliceMicros: number;
	readonly slices: number;
	readonly drainedMicros: number | null;
	gatewayStats(): Float64Array;
}

/** Ends a run: settles every device's account and puts the record together. */
export function summarise(
	run: FinishedRun,
	production: Production,
	atMicros: number,
	complete: boolean,
	elapsedSeconds: () => number,
): RunRecord {
	const { scenario, world } = run;
	const digest = `${run.fleet.digest()}${run.cluster.digest()}`;
	const { balance, fairness } = settle(run, production, run.fleet, atMicros);
	const decisions = decisionRows(run.cluster, scenario.gateways.count);
	const seconds = elapsedSeconds();
	return {
		scenario: scenario.name,
		policy: world.policy.name,
		seed: run.seed,
		devices: scenario.devices.count,
		workers: 1,
		config: configOf(run),
		digest,
		complete,
		ledger: ledgerOf(run, balance),
		virtual: virtualOf(run, fairness, atMicros),
		series: run.collector.series,
		percentiles: percentilesOf(run),
		...(decisions.length === 0 ? {} : { decisions }),
		wall: {
			seconds,
			events: world.events,
			eventsPerSecond: seconds === 0 ? 0 : Math.round(world.events / seconds),
			peakRssBytes: process.resourceUsage().maxRSS * 1024,
			phases: {},
		},
	};
}

function settle(run: FinishedRun, production: Production, fleet: NativeFleet, atMicros: number) {
	const { world } = run;
	const { count } = run.scenario.devices;
	const balance = emptyBalance();
	const rows = new Float64Array(SHARD_DEVICES * 4);
	const phases = new Float64Array(SHARD_DEVICES);
	let sum = 0;
	let squares = 0;
	for (let first = 0; first < count; first += SHARD_DEVICES) {
		fleet.settle(atMicros, first, rows);
		fleet.phases(first, phases);
		const some = Math.min(SHARD_DEVICES, count - first);
		for (let n = 0; n < some; n++) {
			const device = first + n;
			const produced = production.taken(device, phases[n] as number, atMicros);
			const lost = rows[4 * n + 1] as number;
			if (lost > 0) {
				world.ledger.lose(device, lost, 0);
			}
			const acked = { live: rows[4 * n + 2] as number, backfill: rows[4 * n + 3] as number };
			settleDevice(balance, world.ledger, device, produced, rows[4 * n] as number, acked);
			const share = produced === 0 ? 1 : world.ledger.durable(device) / produced;
			sum += share;
			squares += share * share;
		}
	}
	return { balance, fairness: squares === 0 ? 1 : (sum * sum) / (count * squares) };
}

function ledgerOf(run: FinishedRun, balance: Balance): LedgerTotals {
	const { ledger } = run.world;
	const { produced, buffered, lostOverflow, lostVolatile, ackedLost, imbalance } = balance;
	const off = produced - ledger.durableTotal - buffered - lostOverflow - lostVolatile;
	const sums = off === 0 ? null : `the sums are ${off} readings apart`;
	return {
		produced,
		durable: ledger.durableTotal,
		buffered,
		lostOverflow,
		lostVolatile,
		duplicates: ledger.duplicates,
		reordered: balance.reordered,
		ackedLost,
		imbalance: imbalance ?? sums,
	};
}

function virtualOf(run: FinishedRun, jainFairness: number, atMicros: number): VirtualMetrics {
	const { world, collector, facts, scenario } = run;
	const { bound } = facts;
	const { series } = collector;
	const stats = run.gatewayStats();
	const waits = world.sortedWaits();
	const drain = run.drainedMicros === null ? null : (run.drainedMicros - bound.startMicros) / 1_000_000;
	const boundEnd = bound.endMicros ?? scenario.durationMicros;
	const drainBoundSeconds = (boundEnd - bound.startMicros) / 1_000_000;
	const names = run.cluster.dropNames();
	const native = run.cluster.drops();
	const drops = Object.fromEntries(names.map((name, n) => [name, native[n] ?? 0]).filter(([, n]) => n !== 0));
	const own = Object.fromEntries(Object.entries(world.drops).filter(([, n]) => n !== 0));
	const swarm = swarmMetrics(run.cluster, world, atMicros);
	const attack = attackMetrics(world);
	const sections = { ...(swarm && { swarm }), ...(attack && { attack }) };
	return {
		drainSeconds: drain,
		drainBoundSeconds,
		drainRatio: drain === null || drainBoundSeconds === 0 ? null : drain / drainBoundSeconds,
		undrainedReadings: world.owedTotal,
		devicesConnected: { ...quantiles(waits), count: waits.length, neverConnected: world.stillWaiting() },
		devicesConnectedBound: quantiles(facts.sessionWaits),
		peakOfferedPerSecond: largest(series.offeredPerSecond),
		peakAdmittedPerSecond: largest(series.admittedPerSecond),
		capacityPerSecond: scenario.broker.capacityPerSecond,
		utilisation: utilisation(run),
		attemptsPerConnect: world.connects === 0 ? 0 : world.attempts / world.connects,
		liveLatencyMicros: collector.latency("before", "outage", "recovery", "after"),
		liveLatencyBeforeMicros: collector.latency("before"),
		liveLatencyRecoveryMicros: collector.latency("recovery"),
		backfillAgeSeconds: collector.backfillAges(),
		jainFairness,
		...settlingOf(
			series,
			scenario.broker.capacityPerSecond,
			bound.startMicros / 1_000_000,
			boundEnd / 1_000_000,
		),
		peakSinkQueueReadings: stats[7] as number,
		forecast: null,
		...(world.policy.exactlyOnce ? { takeovers: world.takeovers.rows() } : {}),
		...sections,
		drops: { ...drops, ...own },
		work: { events: world.events, frames: world.frames, hellos: world.hellosSent, slices: run.slices },
	};
}

/** Percentages that a curve needs to show both its body and its tail. */
const PERCENTS = [1, 5, 10, 25, 50, 75, 90, 95, 98, 99, 99.5, 99.8, 99.9, 99.95, 99.98, 99.99] as const;

function percentilesOf({ collector, world, facts }: FinishedRun): Percentiles {
	// By hundredths of a percent: 99.9 / 100 is not the same number as 0.999.
	const seconds = (sorted: Float64Array) =>
		PERCENTS.map((percent) => quantile(sorted, Math.round(percent * 100) / 10_000));
	return {
		percents: PERCENTS,
		liveBeforeMicros: collector.latencyPercentiles(PERCENTS, "before"),
		liveRecoveryMicros: collector.latencyPercentiles(PERCENTS, "recovery"),
		connectedSeconds: seconds(world.sortedWaits()),
		connectedBoundSeconds: seconds(facts.sessionWaits),
	};
}

/** Durable readings in the busy period of the bound, over what the broker could have stored in it. */
function utilisation(run: FinishedRun): number {
	const { series } = run.collector;
	const start = run.facts.bound.startMicros / 1_000_000;
	const end = (run.facts.bound.endMicros ?? run.scenario.durationMicros) / 1_000_000;
	const slowdowns = brokerSlowdowns(run.scenario.outages);
	let durable = 0;
	let possible = 0;
	series.timeSeconds.forEach((time, n) => {
		if (time < start || time + series.bucketSeconds > end) {
			return;
		}
		durable += series.durablePerSecond[n] as number;
		const [from, to] = [time * 1_000_000, (time + series.bucketSeconds) * 1_000_000];
		possible += run.scenario.broker.capacityPerSecond * meanSpeed(slowdowns, from, to);
	});
	return possible === 0 ? 0 : durable / possible;
}

function quantiles(sorted: Float64Array): Quantiles {
	return {
		p50Seconds: quantile(sorted, 0.5),
		p95Seconds: quantile(sorted, 0.95),
		p999Seconds: quantile(sorted, 0.999),
	};
}

function largest(values: readonly number[]): number {
	return values.reduce((x, y) => Math.max(x, y), 0);
}

function configOf(run: FinishedRun): unknown {
	const { outages, ...rest } = run.scenario;
	return {
		...rest,
		outages: outages.map((outage) =>
			"cohorts" in outage ? { ...outage, cohorts: outage.cohorts.length } : outage,
		),
		policy: run.world.policy,
		sliceMicros: run.sliceMicros,
	};
}
