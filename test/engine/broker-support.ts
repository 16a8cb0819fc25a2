import type { BrokerSetup } from "../../src/engine/broker-courses.js";
import { type Batch, BrokerModel } from "../../src/engine/broker-model.js";
import type { Slowdown } from "../../src/engine/broker-slowdowns.js";
import { GatewayPaths } from "../../src/engine/gateway-paths.js";
import { gatewayTransitions, type Interval } from "../../src/engine/gateway-plan.js";
import { Ownership } from "../../src/engine/ownership.js";
import { KIND_ENTRY, type RecordBuffer } from "../../src/engine/record-layout.js";
import { Streams } from "../../src/engine/streams.js";
import type { Broker, GatewayOutage } from "../../src/scenarios/scenario.js";
import { bufferOf, fieldsOf, SECOND, scenarioOf } from "./support.js";

export const GATEWAYS = 4;
export const NEVER = Number.POSITIVE_INFINITY;

/** What a gateway sends. */
export interface Request {
	readonly gateway: number;
	readonly time: number;
	/** Readings per device. */
	readonly runs: readonly (readonly [device: number, readings: number])[];
}

/** What became of a request. */
export interface Fate {
	readonly batch: Batch;
	readonly storedAt: number;
	readonly outcome: number | null;
	readonly fields: ReturnType<typeof fieldsOf>;
}

/** A broker of the small scenario, changed. */
export function brokerOf(overrides: Partial<Record<keyof Broker, number>> = {}): Broker {
	return { ...scenarioOf({ devices: 1, durationSeconds: 1 }).broker, ...overrides } as Broker;
}

/** What happens to it. */
export interface Options {
	readonly outages?: readonly Interval[];
	readonly losses?: readonly (readonly Interval[])[];
	readonly slowdowns?: readonly Slowdown[];
	readonly plain?: boolean;
	readonly faults?: readonly GatewayOutage[];
	readonly devices?: number;
}

/** A broker and the ears of all gateways. */
export class Play {
	readonly model: BrokerModel;
	readonly fates = new Map<number, Fate>();
	readonly opened: { gateway: number; shard: number; time: number; isOpen: boolean }[] = [];

	constructor(broker: Broker, options: Options = {}) {
		const { outages = [], losses = [], slowdowns = [], plain = false, faults = [], devices = 64 } = options;
		// Slices of a second: the faults of these tests begin and end on whole seconds.
		const transitions = gatewayTransitions(faults, GATEWAYS, (time) => Math.ceil(time / SECOND));
		const setup: BrokerSetup = {
			broker,
			ownership: new Ownership(devices, broker.partitions, GATEWAYS),
			outages,
			losses,
			slowdowns,
			paths: new GatewayPaths(transitions, GATEWAYS, SECOND),
			transactional: !plain,
			streams: new Streams("broker"),
		};
		this.model = new BrokerModel(setup);
	}

	/** Lets happen what happens before `horizon`. */
	until(horizon: number): void {
		const change = (batch: Batch, fate: Partial<Fate>) => {
			const before = this.fates.get(batch.id) ?? { batch, storedAt: NEVER, outcome: null, fields: [] };
			this.fates.set(batch.id, { ...before, ...fate });
		};
		this.model.settle(horizon, {
			logged: (batch, isStored) =>
				change(batch, {
					storedAt: isStored ? batch.loggedAt : NEVER,
					fields: fieldsOf(batch.entries, 0, batch.count),
				}),
			heard: (batch, outcome) => change(batch, { outcome }),
			opened: (gateway, shard, time, isOpen) => this.opened.push({ gateway, shard, time, isOpen }),
		});
	}

	/** Sends readings through the producer of a shard. */
	send(id: number, gateway: number, shard: number, time: number, readings = 1): void {
		this.model.submit(gateway, id, shard, time, entries([[shard, readings]]), 0, 1);
	}

	/** What became of a request, in the end. */
	fate(id: number): Fate {
		this.until(NEVER);
		return this.fates.get(id) as Fate;
	}
}

/** ENTRY records. */
export function entries(runs: Request["runs"]): RecordBuffer {
	return bufferOf(
		runs.map(([device, readings], n) => ({
			time: 0,
			device,
			meta: KIND_ENTRY,
			a: n,
			c: readings | (3 << 16),
		})),
	);
}
