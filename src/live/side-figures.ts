import type { LiveFigure } from "../record/live-record.js";
import type { RunRecord } from "../record/run-record.js";
import { groupOf, share } from "./figure.js";
import { type GatewayMeasurement, type Measurement, totalsOf } from "./measurement.js";

/** What the run cost, what was dropped, and what the kernel counted. */
export function sideFigures(measured: Measurement, prediction: RunRecord): readonly LiveFigure[] {
	return [
		...turnaroundFigures(measured),
		...measured.gateways.flatMap((gateway) => gatewayFigures(gateway, measured.wallSeconds)),
		...shardFigures(measured),
		...kafkaFigures(measured),
		...fleetFigures(measured),
		...floodFigures(measured),
		...dropFigures(measured, prediction),
		...kernelFigures(measured),
	];
}

function turnaroundFigures({ gateways }: Measurement): readonly LiveFigure[] {
	const figure = groupOf("Gateways");
	const of = (key: "p50" | "p99" | "p999") => {
		const known = gateways.map(({ after }) => after.turnaroundNanos).filter(({ count }) => count > 0);
		return known.length === 0 ? null : Math.max(...known.map((nanos) => nanos[key])) / 1e9;
	};
	const note = "DATA in to ACK out, commit included; of the slowest gateway";
	return (["p50", "p99", "p999"] as const).map((key) =>
		figure(`Turnaround, ${key === "p999" ? "p99.9" : key}`, "seconds", of(key), null, { note }),
	);
}

function gatewayFigures(
	{ name, before, after }: GatewayMeasurement,
	wallSeconds: number,
): readonly LiveFigure[] {
	const figure = groupOf("Gateways");
	const user = after.cpu.userSeconds - (before?.cpu.userSeconds ?? 0);
	const system = after.cpu.systemSeconds - (before?.cpu.systemSeconds ?? 0);
	return [
		figure(`Gateway ${name}: user CPU`, "seconds", user, null),
		figure(`Gateway ${name}: system CPU`, "seconds", system, null),
		figure(`Gateway ${name}: of a core`, "share", share(user + system, wallSeconds), null),
		figure(`Gateway ${name}: frames received`, "frames", after.frames.received, null, {
			note: "by user space",
		}),
		figure(`Gateway ${name}: frames that found no room`, "frames", after.frames.socketDrops, null, {
			note: "in the socket's receive buffer",
		}),
		figure(`Gateway ${name}: largest sink queue`, "readings", after.gateway.queuedMax, null),
	];
}

/** How shards changed hands, where gateways say so. */
function shardFigures({ gateways }: Measurement): readonly LiveFigure[] {
	const figure = groupOf("Gateways");
	const sum = (key: "redirected" | "takeovers" | "fenced") =>
		gateways.some(({ after }) => after.gateway[key] !== undefined)
			? gateways.reduce((all, { after }) => all + (after.gateway[key] ?? 0), 0)
			: undefined;
	const rows = [
		["HELLOs sent on to the owner", "frames", sum("redirected")],
		["Shards claimed", "shards", sum("takeovers")],
		["Shards lost to another gateway", "shards", sum("fenced")],
	] as const;
	return rows.flatMap(([name, unit, count]) =>
		count === undefined ? [] : [figure(name, unit, count, null)],
	);
}

function kafkaFigures({ gateways, kafka }: Measurement): readonly LiveFigure[] {
	const figure = groupOf("Kafka");
	const all = gateways.flatMap(({ after }) => after.kafka ?? []);
	if (all.length === 0 || kafka === undefined) {
		return [];
	}
	const sum = (of: (counts: (typeof all)[number]) => number) =>
		all.reduce((total, counts) => total + of(counts), 0);
	const slowest = (key: "p50" | "p99" | "max") =>
		Math.max(...all.map(({ commitMicros }) => commitMicros[key])) / 1e6;
	const failures = new Map<string, number>();
	for (const [reason, count] of all.flatMap((counts) => Object.entries(counts.failures))) {
		failures.set(reason, (failures.get(reason) ?? 0) + count);
	}
	const note = "of the slowest gateway";
	return [
		figure(
			"Commits",
			"transactions",
			sum(({ commitMicros }) => commitMicros.count),
			null,
		),
		figure("Commit, p50", "seconds", slowest("p50"), null, { note }),
		figure("Commit, p99", "seconds", slowest("p99"), null, { note }),
		figure("Commit, longest", "seconds", slowest("max"), null, { note }),
		figure(
			"Marks stored",
			"records",
			sum(({ checkpoints }) => checkpoints),
			null,
		),
		figure(
			"Shards opened",
			"shards",
			sum(({ shardsOpened }) => shardsOpened),
			null,
		),
		figure(
			"Records read to restore marks",
			"records",
			sum(({ recordsRestored }) => recordsRestored),
			null,
		),
		figure("Throttled by the broker", "seconds", sum(({ throttledMillis }) => throttledMillis) / 1_000, null),
		figure(
			"Times that the broker was left alone",
			"",
			sum(({ circuitOpened }) => circuitOpened),
			null,
		),
		...[...failures]
			.filter(([, count]) => count > 0)
			.map(([reason, count]) => figure(`failed: ${reason}`, "transactions or openings", count, null)),
		figure("Witness: reading took", "seconds", kafka.tally.seconds, null),
	];
}

function fleetFigures({ fleet, wallSeconds }: Measurement): readonly LiveFigure[] {
	const figure = groupOf("Generator");
	const { cpu, lagMicros } = fleet;
	const late = (key: keyof typeof lagMicros & ("p50" | "p99" | "max"), name: string) =>
		figure(`Sent late, ${name}`, "seconds", lagMicros[key] / 1e6, null, {
			note: "behind the intended time: the load does not wait for answers",
		});
	return [
		figure("Fleet: of a core", "share", share(cpu.userSeconds + cpu.systemSeconds, wallSeconds), null),
		figure("Frames sent by devices", "frames", fleet.framesSent, null),
		figure("Frames received by devices", "frames", fleet.framesReceived, null),
		figure("Frames that could not be sent", "frames", countOf(fleet.sendErrors), null),
		figure("Frames that found no room at devices", "frames", fleet.receiveOverflows, null),
		figure("Frames that devices refused", "frames", countOf(fleet.wireErrors), null),
		late("p50", "p50"),
		late("p99", "p99"),
		late("max", "most"),
	];
}

function floodFigures({ flood }: Measurement): readonly LiveFigure[] {
	if (flood === undefined) {
		return [];
	}
	const figure = groupOf("Flood");
	return [
		figure("Hostile frames sent", "frames", flood.framesSent, null),
		figure("Hostile frames per second", "frames", flood.framesPerSecond, null),
		...Object.entries(flood.sentByKind).map(([kind, count]) =>
			figure(`flood: ${kind}`, "frames", count, null),
		),
		figure("Hostile frames that were answered", "frames", flood.framesAnswered, null, {
			note: "a copy of a HELLO gets the DEFER that its device got",
		}),
		figure("Bytes out per hostile byte in", "ratio", share(flood.bytesAnswered, flood.bytesSent), null),
	];
}

function dropFigures(measured: Measurement, { virtual }: RunRecord): readonly LiveFigure[] {
	const figure = groupOf("Frames dropped, by reason");
	const dropped = totalsOf(measured, ({ drops }) => drops);
	const wire = totalsOf(measured, ({ wireErrors }) => wireErrors);
	const names = new Set([...dropped.keys(), ...Object.keys(virtual.drops)]);
	return [
		...[...names]
			.map((name) => figure(`dropped: ${name}`, "frames", dropped.get(name) ?? 0, virtual.drops[name] ?? 0))
			.filter(({ measured: count, predicted }) => count !== 0 || predicted !== 0),
		...[...wire]
			.filter(([, count]) => count > 0)
			.map(([name, count]) => figure(`wire: ${name}`, "frames", count, 0)),
	];
}

function kernelFigures(measured: Measurement): readonly LiveFigure[] {
	const figure = groupOf("Kernel counters");
	const packets = totalsOf(measured, ({ kernel }) => mapped(kernel, ({ packets: count }) => count));
	const readings = totalsOf(measured, ({ kernel }) => mapped(kernel, ({ readings: count }) => count));
	return [...packets]
		.filter(([, count]) => count > 0)
		.flatMap(([name, count]) => {
			const inside = readings.get(name) ?? 0;
			return [
				figure(`kernel: ${name}`, "packets", count, null),
				...(inside === 0 ? [] : [figure(`kernel: ${name}, readings`, "readings", inside, null)]),
			];
		});
}

function countOf(counts: Readonly<Record<string, number>>): number {
	return Object.values(counts).reduce((sum, count) => sum + count, 0);
}

function mapped<From, To>(
	record: Readonly<Record<string, From>>,
	change: (value: From) => To,
): Record<string, To> {
	return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, change(value)]));
}
