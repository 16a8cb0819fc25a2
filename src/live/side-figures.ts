import type { LiveFigure } from "../record/live-record.js";
import type { RunRecord } from "../record/run-record.js";
import { groupOf, share } from "./figure.js";
import { type GatewayMeasurement, type Measurement, totalsOf } from "./measurement.js";

/** What the run cost, what was dropped, and what the kernel counted. */
export function sideFigures(measured: Measurement, prediction: RunRecord): readonly LiveFigure[] {
	return [
		...turnaroundFigures(measured),
		...measured.gateways.flatMap((gateway, index) => gatewayFigures(gateway, index, measured.wallSeconds)),
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
	{ before, after }: GatewayMeasurement,
	index: number,
	wallSeconds: number,
): readonly LiveFigure[] {
	const figure = groupOf("Gateways");
	const user = after.cpu.userSeconds - before.cpu.userSeconds;
	const system = after.cpu.systemSeconds - before.cpu.systemSeconds;
	return [
		figure(`Gateway ${index}: user CPU`, "seconds", user, null),
		figure(`Gateway ${index}: system CPU`, "seconds", system, null),
		figure(`Gateway ${index}: of a core`, "share", share(user + system, wallSeconds), null),
		figure(`Gateway ${index}: frames received`, "frames", after.frames.received, null, {
			note: "by user space",
		}),
		figure(`Gateway ${index}: frames that found no room`, "frames", after.frames.socketDrops, null, {
			note: "in the socket's receive buffer",
		}),
		figure(`Gateway ${index}: largest sink queue`, "readings", after.gateway.queuedMax, null),
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
