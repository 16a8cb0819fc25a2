import { createHash } from "node:crypto";
import { loadavg } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { LiveRecord, XdpMode } from "../record/live-record.js";
import { type Common, fleetConfig, gatewayConfig } from "./configs.js";
import { environmentOf } from "./environment.js";
import { faultRows } from "./faults/fault-rows.js";
import { FaultRunner } from "./faults/fault-runner.js";
import { FleetProcess } from "./fleet-process.js";
import { Flood } from "./flood.js";
import { GatewayCrew } from "./gateway-crew.js";
import { inTopology } from "./in-topology.js";
import { isToBeMeasured } from "./kafka/kafka-needs.js";
import { KafkaSide } from "./kafka/kafka-side.js";
import { recordedWitness } from "./kafka/recorded-witness.js";
import { witnessOf } from "./kafka/run-witness.js";
import { liveChecks } from "./live-checks.js";
import { LiveFault } from "./live-fault.js";
import { liveFigures } from "./live-figures.js";
import type { LiveControl, LiveOrder } from "./live-order.js";
import { liveSeries } from "./live-series.js";
import type { Measurement } from "./measurement.js";
import type { Topology } from "./topology.js";

/** Time for every process to be ready before virtual time begins: a floor, and so much per device. */
const LEAD_MILLIS = 2_500;
const LEAD_MILLIS_PER_DEVICE = 0.015;
/** With Kafka: for the first producers, and per shard that is opened. */
const KAFKA_LEAD_MILLIS = 5_000;
const KAFKA_LEAD_MILLIS_PER_SHARD = 250;
const WATCH_MILLIS = 100;
/** What has reached a gateway when the fleet ends is stored within so many commits. */
const LAST_COMMITS = 4;
const SETTLE_MILLIS = 300;

/**
 * Runs an order: builds namespaces, starts broker, gateways and fleet, waits for the end, counts, and removes everything
 * again, whatever happens. Throws a `LiveFault` when there is nothing to record.
 */
export function runLive(order: LiveOrder, control: LiveControl): Promise<LiveRecord> {
	const { scenario, xdp, programs, sink } = order;
	const needs = {
		gateways: scenario.gateways.count,
		answersInKernel: xdp !== "off",
		programs,
		broker: sink.kind === "kafka",
	};
	return inTopology(needs, control.say, async (topology, folder) => {
		const kafka = await startKafka(order, control, topology);
		try {
			return await new LiveRun(order, control, topology, folder, kafka).run();
		} finally {
			await kafka?.remove();
		}
	});
}

async function startKafka(
	{ scenario, plan, faults }: LiveOrder,
	control: LiveControl,
	{ broker }: Topology,
): Promise<KafkaSide | undefined> {
	if (broker === undefined) {
		return undefined;
	}
	const proxied = faults.flatMap(({ kind, gateway }) => (kind === "delay-endtxn" ? (gateway ?? 0) : []));
	const needs = {
		shards: plan.cluster.shards,
		proxied: [...new Set(proxied)],
		measured: isToBeMeasured(scenario),
	};
	return KafkaSide.start(broker, needs, control.say);
}

/** One run over a topology that stands. */
class LiveRun {
	private readonly crew: GatewayCrew;
	private fleet: FleetProcess | undefined;
	private readonly flood: Flood | undefined;
	private readonly faults: FaultRunner | undefined;
	private readonly common: Common;
	private readonly originMillis: number;
	private readonly load = loadavg()[0] ?? 0;

	constructor(
		private readonly order: LiveOrder,
		private readonly control: LiveControl,
		private readonly topology: Topology,
		private readonly folder: string,
		private readonly kafka: KafkaSide | undefined,
	) {
		const { flood, programs, scenario } = order;
		const lead = leadMillis(order);
		const originNanos = process.hrtime.bigint() + BigInt(Math.round(lead * 1e6));
		this.originMillis = Date.now() + lead;
		// The seed makes the keys too, so that a run that is repeated sends the same bytes. They guard nothing but this run.
		const masterKey = createHash("sha256").update(`master key, seed ${scenario.seed}`).digest("hex");
		this.common = { masterKey: masterKey.slice(0, 32), originNanos };
		this.crew = new GatewayCrew(topology, programs, folder, (gateway) =>
			gatewayConfig(order, topology, gateway, this.common, kafka?.bootstrapOf(gateway) ?? ""),
		);
		if (flood !== undefined) {
			this.flood = new Flood(flood, programs, topology, folder, scenario.devices.count);
		}
		if (kafka !== undefined) {
			const targets = { topology, crew: this.crew, kafka };
			this.faults = new FaultRunner(order.faults, targets, this.originMillis, control.say);
		}
	}

	async run(): Promise<LiveRecord> {
		try {
			await this.start();
			this.faults?.begin();
			await this.watch();
			const fleet = await (this.fleet as FleetProcess).report();
			const flood = await this.flood?.end();
			const wallSeconds = Math.max(0, this.virtualMicros() / 1e6 / this.order.speed);
			await this.faults?.end();
			this.faults?.check();
			await sleep(this.settleMillis());
			const gateways = await this.crew.measure();
			// What they have accepted is stored when they have ended.
			await this.crew.stop();
			const kafka = await this.witness();
			return this.record({
				fleet,
				gateways,
				wallSeconds,
				...(flood === undefined ? {} : { flood }),
				...(kafka === undefined ? {} : { kafka }),
			});
		} finally {
			await this.faults?.end();
			await Promise.all([this.fleet?.stop(), this.flood?.stop()]);
			await this.crew.stop();
		}
	}

	private async start(): Promise<void> {
		const { order, topology, folder, common } = this;
		await this.crew.start();
		if (this.virtualMicros() > 0) {
			throw new LiveFault(
				"setup",
				`the gateways were not ready in ${leadMillis(order) / 1_000} s: is the machine busy?`,
			);
		}
		const tap = this.flood === undefined ? {} : { tap: this.flood.tap };
		const ledger = this.kafka === undefined ? {} : { ledger: this.ledgerFile };
		const config = { ...fleetConfig(order, topology, common), ...tap, ...ledger };
		const changes = order.plan.powerChanges();
		this.fleet = await FleetProcess.start(topology.fleet, order.programs, folder, config, changes);
		await this.flood?.begin();
		await this.crew.mark();
	}

	/** Watches over the processes until the fleet ends, or is told to. */
	private async watch(): Promise<void> {
		const fleet = this.fleet as FleetProcess;
		while (!(await fleet.endsWithin(WATCH_MILLIS))) {
			this.crew.check("run");
			this.faults?.check();
			this.kafka?.check();
			await this.flood?.watch();
			this.control.progress(Math.max(0, this.virtualMicros()), fleet.progress.framesSent);
			if (this.control.stopped()) {
				fleet.interrupt();
				return;
			}
		}
		fleet.check();
	}

	private async witness(): Promise<Measurement["kafka"]> {
		const { kafka, faults, topology, folder, order, control } = this;
		if (kafka === undefined || faults === undefined || topology.broker === undefined) {
			return undefined;
		}
		const place = { bootstrap: kafka.bootstrap, namespace: topology.broker.namespace, folder };
		control.say("the witness reads what Kafka has");
		const { ledgerFile: ledger, originMillis } = this;
		const tally = await witnessOf(order, place, { ledger, originMillis, faults: faults.done });
		const layout = { shards: order.plan.cluster.shards, gateways: topology.gateways.length };
		const rows = faultRows(faults.done, tally.faults, { ...layout, originMillis });
		return { tally, faults: rows, endsHeld: kafka.endsHeld };
	}

	private get ledgerFile(): string {
		return join(this.folder, "ledger.bin");
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
		const { scenario, policy, speed, xdp: asked, prediction, plan, sink, faults } = this.order;
		const modes = new Set(measured.gateways.map(({ after }) => after.xdp));
		const [mode] = modes;
		const used: XdpMode | "mixed" = modes.size === 1 && mode !== undefined ? mode : "mixed";
		const reason = measured.gateways.find(({ after }) => after.reason !== null)?.after.reason;
		const xdp = { asked, used, reason: used === asked ? null : (reason ?? "no reason was given") };
		const { kafka } = measured;
		return {
			scenario: scenario.name,
			policy,
			seed: scenario.seed,
			devices: scenario.devices.count,
			speed,
			gateways: scenario.gateways.count,
			sink: sink.kind,
			xdp,
			complete: measured.fleet.complete,
			seconds: measured.wallSeconds,
			environment: environmentOf(this.order, this.topology, this.load),
			assertions: liveChecks(measured, { exactlyOnce: plan.cluster.deduplicate, xdp, faults }),
			figures: liveFigures(measured, prediction, plan.bound),
			series: liveSeries(measured.fleet.series, prediction.series),
			...(kafka === undefined ? {} : { witness: recordedWitness(kafka.tally), faults: kafka.faults }),
		};
	}
}

/** Between the moment when everything is decided and the beginning of virtual time. */
function leadMillis({ scenario, plan, sink }: LiveOrder): number {
	const kafka = KAFKA_LEAD_MILLIS + plan.cluster.shards * KAFKA_LEAD_MILLIS_PER_SHARD;
	const alone = LEAD_MILLIS + scenario.devices.count * LEAD_MILLIS_PER_DEVICE;
	return sink.kind === "kafka" ? alone + kafka : alone;
}
