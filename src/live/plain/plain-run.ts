import { join } from "node:path";
import type { LiveVariant } from "../../record/live-record.js";
import { FaultRunner } from "../faults/fault-runner.js";
import { inTopology } from "../in-topology.js";
import { isToBeMeasured } from "../kafka/kafka-needs.js";
import { KafkaSide } from "../kafka/kafka-side.js";
import { recordedWitness } from "../kafka/recorded-witness.js";
import { witnessOf } from "../kafka/run-witness.js";
import type { LiveControl, LiveOrder } from "../live-order.js";
import type { Topology } from "../topology.js";
import { plainFleetConfig, plainGatewayConfig } from "./configs.js";
import { PlainCrew } from "./plain-crew.js";
import { PlainFleetProcess } from "./plain-fleet-process.js";
import type { PlainVariant } from "./plain-variant.js";

/** Time for the fleet to be ready before the run begins: a floor, and so much per device. */
const LEAD_MILLIS = 2_000;
const LEAD_MILLIS_PER_DEVICE = 0.03;
const WATCH_MILLIS = 100;
/** What was acknowledged is in the log: no transaction has to end first. */
const PATIENCE_MILLIS = 3_000;

/**
 * Carries an order out with plain devices and kafkajs producers in place of protocol and gateways: namespaces, broker, readings,
 * power cuts and faults are the same. Throws a `LiveFault` when there is nothing to record.
 */
export function runPlain(
	order: LiveOrder,
	variant: PlainVariant,
	control: LiveControl,
): Promise<LiveVariant> {
	const { scenario, plan, programs } = order;
	const needs = { gateways: scenario.gateways.count, answersInKernel: false, programs, broker: true };
	return inTopology(needs, control.say, async (topology, folder) => {
		const { broker } = topology;
		if (broker === undefined) {
			throw new Error("a comparison has a broker");
		}
		const kafkaNeeds = {
			shards: plan.cluster.shards,
			proxied: [],
			measured: isToBeMeasured(scenario),
			timestamps: "LogAppendTime",
		} as const;
		const kafka = await KafkaSide.start(broker, kafkaNeeds, control.say);
		try {
			return await new PlainRun(order, variant, control, topology, folder, kafka).run();
		} finally {
			await kafka.remove();
		}
	});
}

/** One run over a topology that stands. */
class PlainRun {
	private readonly crew: PlainCrew;
	private fleet: PlainFleetProcess | undefined;
	private faults: FaultRunner | undefined;
	private originMillis = 0;
	private originNanos = 0n;

	constructor(
		private readonly order: LiveOrder,
		private readonly variant: PlainVariant,
		private readonly control: LiveControl,
		private readonly topology: Topology,
		private readonly folder: string,
		private readonly kafka: KafkaSide,
	) {
		this.crew = new PlainCrew(topology, folder, (gateway) =>
			plainGatewayConfig(order, variant, topology, gateway, kafka.bootstrap),
		);
	}

	async run(): Promise<LiveVariant> {
		try {
			const { faults, fleet } = await this.start();
			await this.watch(fleet, faults);
			const { complete, lateMillisP99, ...requests } = await fleet.report();
			await faults.end();
			faults.check();
			await this.crew.stop();
			this.control.say(`${this.variant}: the witness reads what Kafka has`);
			const tally = await witnessOf(this.order, this.place, {
				ledger: this.ledgerFile,
				originMillis: this.originMillis,
				faults: [],
				patienceMillis: PATIENCE_MILLIS,
			});
			return {
				name: this.variant,
				complete,
				faultsDone: faults.done.length,
				witness: recordedWitness(tally),
				requests,
				lateMillisP99,
			};
		} finally {
			await this.faults?.end();
			await this.fleet?.stop();
			await this.crew.stop();
		}
	}

	private async start(): Promise<{ faults: FaultRunner; fleet: PlainFleetProcess }> {
		const { order, topology, folder, crew, kafka, control } = this;
		await crew.start();
		const lead = LEAD_MILLIS + order.scenario.devices.count * LEAD_MILLIS_PER_DEVICE;
		this.originMillis = Date.now() + lead;
		this.originNanos = process.hrtime.bigint() + BigInt(Math.round(lead * 1e6));
		const config = plainFleetConfig(order, topology, this.originNanos, this.ledgerFile);
		this.fleet = await PlainFleetProcess.start(topology.fleet, folder, config);
		this.faults = new FaultRunner(order.faults, { topology, crew, kafka }, this.originMillis, control.say);
		this.faults.begin();
		return { faults: this.faults, fleet: this.fleet };
	}

	/** Watches over the processes until the fleet ends, or is told to. */
	private async watch(fleet: PlainFleetProcess, faults: FaultRunner): Promise<void> {
		while (!(await fleet.endsWithin(WATCH_MILLIS))) {
			this.crew.check("run");
			faults.check();
			const now = Number(process.hrtime.bigint() - this.originNanos) / 1_000;
			this.control.progress(Math.max(0, now), fleet.requests);
			if (this.control.stopped()) {
				fleet.interrupt();
				return;
			}
		}
	}

	private get place() {
		const { kafka, topology, folder } = this;
		return { bootstrap: kafka.bootstrap, namespace: topology.broker?.namespace ?? null, folder };
	}

	private get ledgerFile(): string {
		return join(this.folder, "plain-ledger.bin");
	}
}
