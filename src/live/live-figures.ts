import type { LiveFigure } from "../record/live-record.js";
import type { RunRecord, Series } from "../record/run-record.js";
import { groupOf, share } from "./figure.js";
import type { EnginePlan } from "./live-order.js";
import { drainSeconds } from "./live-series.js";
import { durableOf, faultsOf, type Measurement, sumOf } from "./measurement.js";
import { sideFigures } from "./side-figures.js";

/** How near to the simulator a drain has to be. */
const DRAIN_TOLERANCE = 0.1;

/** What the kernel counts each HELLO under that it answers by itself. */
const KERNEL_ANSWER = "defer";

type Figures = readonly LiveFigure[];

/** Every figure of a live run beside its prediction, in report order. */
export function liveFigures(
	measured: Measurement,
	prediction: RunRecord,
	bound: EnginePlan["bound"],
): Figures {
	return [
		...helloFigures(measured, prediction),
		...dataFigures(measured, prediction),
		...drainFigures(measured, prediction, bound),
		...connectFigures(measured, prediction),
		...ledgerFigures(measured, prediction),
		...sideFigures(measured, prediction),
	];
}

function helloFigures(measured: Measurement, { series, virtual }: RunRecord): Figures {
	const figure = groupOf("Sessions");
	const { hellos, defers, admits, connects } = measured.fleet;
	const inKernel = sumOf(measured, ({ kernel }) => kernel[KERNEL_ANSWER]?.packets ?? 0);
	// Answers to a flood are no work done for the fleet.
	const answered = Math.max(0, inKernel - (measured.flood?.framesAnswered ?? 0));
	const simulated = virtual.work.hellos;
	const deferred = total(series, "deferredPerSecond");
	const connected = virtual.attemptsPerConnect === 0 ? 0 : simulated / virtual.attemptsPerConnect;
	const unanswered = (all: number, ...parts: readonly number[]) =>
		share(Math.max(0, all - parts.reduce((x, y) => x + y, 0)), all);
	return [
		figure("HELLOs answered in the kernel", "share", share(answered, hellos), share(deferred, simulated), {
			headline: true,
			note: "predicted: every DEFER",
		}),
		figure("HELLOs sent", "frames", hellos, simulated),
		figure("HELLOs passed", "share", share(admits, hellos), share(connected, simulated)),
		figure("HELLOs deferred", "share", share(defers, hellos), share(deferred, simulated)),
		figure(
			"HELLOs dropped",
			"share",
			unanswered(hellos, admits, defers),
			unanswered(simulated, connected, deferred),
			{ note: "or not yet answered" },
		),
		figure("Attempts per session", "", share(hellos, connects), nullIfZero(virtual.attemptsPerConnect)),
	];
}

function dataFigures(measured: Measurement, { series }: RunRecord): Figures {
	const figure = groupOf("Readings on their way");
	const offered = sumOf(measured, ({ gateway }) => gateway.offered);
	const admitted = sumOf(measured, ({ gateway }) => gateway.admitted);
	const simulated = {
		offered: total(series, "offeredPerSecond"),
		admitted: total(series, "admittedPerSecond"),
	};
	const passed = share(admitted, offered);
	const predicted = share(simulated.admitted, simulated.offered);
	return [
		figure("Readings in DATA frames", "readings", offered, Math.round(simulated.offered)),
		figure("DATA admitted", "share", passed, predicted, { note: "of its readings" }),
		figure(
			"DATA turned away",
			"share",
			passed === null ? null : 1 - passed,
			predicted === null ? null : 1 - predicted,
		),
	];
}

function drainFigures({ fleet }: Measurement, { virtual }: RunRecord, bound: EnginePlan["bound"]): Figures {
	const figure = groupOf("Draining");
	const drained = drainSeconds(fleet.series, bound);
	const predicted = virtual.drainSeconds;
	const { drainBoundSeconds } = virtual;
	const ratio = (seconds: number | null) => (seconds === null ? null : share(seconds, drainBoundSeconds));
	const last = fleet.series.at(-1);
	return [
		figure("Time to drain", "seconds", drained, predicted, {
			headline: true,
			...drainVerdict(drained, predicted),
		}),
		figure("Physical bound", "seconds", null, drainBoundSeconds),
		figure("Drain against the bound", "ratio", ratio(drained), ratio(predicted)),
		figure("Backlog left at the end", "readings", last?.backlogReadings ?? null, virtual.undrainedReadings),
	];
}

/** No verdict where nothing had to drain, or where the simulator says that it does not. */
function drainVerdict(
	measured: number | null,
	predicted: number | null,
): Pick<LiveFigure, "verdict" | "note"> {
	if (predicted === null || predicted === 0) {
		return {};
	}
	const isNear = measured !== null && Math.abs(measured / predicted - 1) <= DRAIN_TOLERANCE;
	return { verdict: isNear ? "met" : "missed", note: "within 10 % of the simulator" };
}

function connectFigures({ fleet }: Measurement, { virtual }: RunRecord): Figures {
	const figure = groupOf("Connecting");
	const { connected } = fleet;
	const { devicesConnected } = virtual;
	const quantiles = [
		["p50", "p50Seconds"],
		["p95", "p95Seconds"],
		["p99.9", "p999Seconds"],
	] as const;
	const known = (value: number, count: number) => (count === 0 ? null : value);
	return [
		...quantiles.map(([name, key]) =>
			figure(
				`Connected, ${name}`,
				"seconds",
				known(connected[key], connected.count),
				known(devicesConnected[key], devicesConnected.count),
			),
		),
		figure("Devices connected again", "devices", connected.count, devicesConnected.count),
		figure("Never connected", "devices", connected.neverConnected, devicesConnected.neverConnected),
	];
}

function ledgerFigures(measured: Measurement, { ledger }: RunRecord): Figures {
	const figure = groupOf("Ledger");
	const { fleet } = measured;
	const { twice, outOfOrder } = faultsOf(measured);
	return [
		figure("Readings taken", "readings", fleet.produced, ledger.produced),
		figure("Durable", "readings", durableOf(measured), ledger.durable),
		figure("Held by devices at the end", "readings", fleet.buffered, ledger.buffered, {
			note: "measured: with those that are durable and not yet acknowledged",
		}),
		figure("Lost by devices, full buffer", "readings", fleet.lostOverflow, ledger.lostOverflow),
		figure("Lost by devices, power", "readings", fleet.lostVolatile, ledger.lostVolatile),
		figure("Stored twice", "readings", twice, ledger.duplicates),
		figure("Out of order", "readings", outOfOrder, ledger.reordered),
	];
}

/** A rate of the simulator's series, added up over the run. */
function total(
	series: Series,
	column: "offeredPerSecond" | "admittedPerSecond" | "deferredPerSecond",
): number {
	return series[column].reduce((sum, rate) => sum + rate, 0) * series.bucketSeconds;
}

function nullIfZero(value: number): number | null {
	return value === 0 ? null : value;
}
