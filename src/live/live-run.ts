import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { loadavg } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import type { LiveRecord, XdpMode } from "../record/live-record.js";
import { type Common, fleetConfig, gatewayConfig, pollMode } from "./configs.js";
import { FleetProcess } from "./fleet-process.js";
import { Flood } from "./flood.js";
import { GatewayProcess } from "./gateway-process.js";
import { inTopology } from "./in-topology.js";
import { liveChecks } from "./live-checks.js";
import { liveFigures } from "./live-figures.js";
import type { LiveControl, LiveOrder } from "./live-order.js";
import { liveSeries } from "./live-series.js";
import type { Measurement } from "./measurement.js";
import { namespacesOf, type Topology } from "./topology.js";

/** Time for every process to be ready before virtual time begins: a floor, and so much per device. */
const LEAD_MILLIS = 2_500;
const LEAD_MILLIS_PER_DEVICE = 0.015;
const WATCH_MILLIS = 100;
/** What has reached a gateway when the fleet ends is stored within so many commits. */
const LAST_COMMITS = 4;
const SETTLE_MILLIS = 300;

/**
 * Runs an order: builds namespaces, starts gateways and fleet, waits for the end, counts, and removes everything again,
 * whatever happens. Throws a `LiveFault` when there is nothing to record.
 */
export function runLive(order: LiveOrder, control: LiveControl): Promise<LiveRecord> {
	const { scenario, xdp, programs } = order;
	const needs = { gateways: scenario.gateways.count, answersInKernel: xdp !== "off", programs };
	return inTopology(needs, control.say, (topology, folder) =>
		new LiveRun(order, control, topology, folder).run(),
	);
}

/** One run over a topology that stands. */
class LiveRun {
	private readonly gateways: GatewayProcess[] = [];
	private fleet: FleetProcess | undefined;
	private readonly flood: Flood | undefined;
	private readonly common: Common;
	private readonly load = loadavg()[0] ?? 0;

	constructor(
		private readonly order: LiveOrder,
		private readonly control: LiveControl,
		private readonly topology: Topology,
		private readonly folder: string,
	) {
		const lead = LEAD_MILLIS + order.scenario.devices.count * LEAD_MILLIS_PER_DEVICE;
		const originNanos = process.hrtime.bigint() + BigInt(Math.round(lead * 1e6));
		// The seed makes the keys too, so that a run that is repeated sends the same bytes. They guard nothing but this run.
		const masterKey = createHash("sha256").update(`master key, seed ${order.scenario.seed}`).digest("hex");
		this.common = { masterKey: masterKey.slice(0, 32), originNanos };
		const { flood, programs, scenario } = order;
		if (flood !== undefined) {
			this.flood = new Flood(flood, programs, topology, folder, scenario.devices.count);
		}
	}

	async run(): Promise<LiveRecord> {
		try {
			const before = await this.start();
			await this.watch();
			const fleet = await (this.fleet as FleetProcess).report();
			const flood = await this.flood?.end();
			const wallSeconds = Math.max(0, this.virtualMicros() / 1e6 / this.order.speed);
			await sleep(this.settleMillis());
			const after = await Promise.all(this.gateways.map((gateway) => gateway.stats()));
			const gateways = before.map((stats, index) => ({ before: stats, after: after[index] ?? stats }));
			return this.record({ fleet, gateways, wallSeconds, ...(flood === undefined ? {} : { flood }) });
		} finally {
			await Promise.all([this.fleet?.stop(), this.flood?.stop()]);
			await Promise.all(this.gateways.map((gateway) => gateway.stop()));
		}
	}

	private async start() {
		const { order, topology, folder, common } = this;
		for (const [gateway, { namespace }] of topology.gateways.entries()) {
			const config = gatewayConfig(order, topology, gateway, common);
			this.gateways.push(await GatewayProcess.start(gateway, namespace, order.programs, folder, config));
		}
		await Promise.all(this.gateways.map((gateway) => gateway.ready()));
		const tap = this.flood === undefined ? {} : { tap: this.flood.tap };
		const config = { ...fleetConfig(order, topology, common), ...tap };
		const changes = order.plan.powerChanges();
		this.fleet = await FleetProcess.start(topology.fleet, order.programs, folder, config, changes);
		await this.flood?.begin();
		return Promise.all(this.gateways.map((gateway) => gateway.stats()));
	}

	/** Watches over the processes until the fleet ends, or is told to. */
	private async watch(): Promise<void> {
		const fleet = this.fleet as FleetProcess;
		while (!(await fleet.endsWithin(WATCH_MILLIS))) {
			for (const gateway of this.gateways) {
				gateway.check("run");
			}
			await this.flood?.watch();
			this.control.progress(Math.max(0, this.virtualMicros()), fleet.progress.framesSent);
			if (this.control.stopped()) {
				fleet.interrupt();
				return;
			}
		}
		fleet.check();
	}

	private virtualMicros(): number {
		const nanos = Number(process.hrtime.bigint() - this.common.originNanos);
		return (nanos / 1_000) * this.order.speed;
	}

	private settleMillis(): number {
		const { gateways, broker } = this.order.scenario;
		const commit = gateways.commitIntervalMicros + broker.commitMedianMicros;
		return SETTLE_MILLIS + (LAST_COMMITS * commit) / 1_000 / this.order.speed;
	}

	private record(measured: Measurement): LiveRecord {
		const { scenario, policy, speed, xdp: asked, prediction, plan } = this.order;
		const modes = new Set(measured.gateways.map(({ after }) => after.xdp));
		const [mode] = modes;
		const used: XdpMode | "mixed" = modes.size === 1 && mode !== undefined ? mode : "mixed";
		const reason = measured.gateways.find(({ after }) => after.reason !== null)?.after.reason;
		const xdp = { asked, used, reason: used === asked ? null : (reason ?? "no reason was given") };
		return {
			scenario: scenario.name,
			policy,
			seed: scenario.seed,
			devices: scenario.devices.count,
			speed,
			gateways: scenario.gateways.count,
			xdp,
			complete: measured.fleet.complete,
			seconds: measured.wallSeconds,
			environment: this.environment(),
			assertions: liveChecks(measured, { exactlyOnce: plan.cluster.deduplicate, xdp }),
			figures: liveFigures(measured, prediction, plan.bound),
			series: liveSeries(measured.fleet.series, prediction.series),
		};
	}

	private environment(): Readonly<Record<string, string>> {
		const { broker, gateways } = this.order.scenario;
		const each = Math.floor(broker.capacityPerSecond / gateways.count);
		return {
			Network: `${namespacesOf(this.topology).length} namespaces, veth, MTU 1500, checksums in software`,
			Sink: `mock, ${each} readings/s a gateway, committed after ${broker.commitMedianMicros / 1_000} ms`,
			"Gateways wait for packets": pollMode(gateways.count) === "busy" ? "by polling" : "asleep",
			"Load average at the start": this.load.toFixed(2),
			"kernel.bpf_stats_enabled": sysctl("kernel/bpf_stats_enabled"),
		};
	}
}

/** A setting of the kernel; `unknown` where it has none of that name. */
function sysctl(name: string): string {
	try {
		return readFileSync(`/proc/sys/${name}`, "utf8").trim();
	} catch {
		return "unknown";
	}
}
