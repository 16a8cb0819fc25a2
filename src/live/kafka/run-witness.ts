import { TOPICS } from "../broker/topics.js";
import { wireReadingBytes } from "../configs.js";
import { shardsHit } from "../faults/fault-rows.js";
import type { DoneFault } from "../faults/fault-runner.js";
import type { LiveOrder } from "../live-order.js";
import type { Tally } from "../witness/tally.js";
import { witness } from "../witness/witness.js";

/** Longer than a transaction may stay open whose owner is gone and not replaced. */
const PATIENCE_MILLIS = 75_000;

/** Where the broker is reached, and where files go. */
interface Place {
	readonly bootstrap: string;
	readonly namespace: string | null;
	readonly folder: string;
}

/** Reads everything that a run has stored, and holds it against the fleet's ledger. Throws a fault of the run. */
export function witnessOf(
	{ scenario, plan }: LiveOrder,
	{ bootstrap, namespace, folder }: Place,
	ledger: string,
	faults: readonly DoneFault[],
	originMillis: number,
): Promise<Tally> {
	const { count, firmware } = scenario.devices;
	const layout = { shards: plan.cluster.shards, gateways: scenario.gateways.count };
	const order = {
		bootstrap,
		topic: TOPICS.readings,
		shards: layout.shards,
		devices: count,
		readingBytes: wireReadingBytes(firmware.frameReadings),
		readings: Math.floor(scenario.durationMicros / firmware.readingIntervalMicros) + 1,
		ledger,
		...(faults.length === 0 ? {} : { patienceMillis: PATIENCE_MILLIS }),
		handovers: {
			checkpoints: TOPICS.checkpoints,
			faults: faults.map((done) => ({
				atMillis: done.atMillis,
				endMillis: done.endMillis,
				shards: [...shardsHit(done, faults, layout)],
			})),
			originMillis,
			readingMillis: firmware.readingIntervalMicros / 1_000,
		},
	};
	return witness({ order, namespace, folder });
}
