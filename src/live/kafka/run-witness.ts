import type { Scenario } from "../../scenarios/scenario.js";
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

/** What a witness has to know of a run. */
interface Ran {
	/** The fleet's. */
	readonly ledger: string;
	/** Wall clock at its beginning. */
	readonly originMillis: number;
	/** Whose course is asked for. */
	readonly faults: readonly DoneFault[];
	/** How long to wait for what is not there yet; left out: as long as an open transaction may take. */
	readonly patienceMillis?: number;
}

/** Readings that came later than their report, by more than this, were held up. */
const LATE_MILLIS = 1_000;

/** How many readings a device takes at most. */
export function readingsOf({ durationMicros, devices }: Scenario): number {
	return Math.floor(durationMicros / devices.firmware.readingIntervalMicros) + 1;
}

/** Reads everything that a run has stored, and holds it against the fleet's ledger. Throws a fault of the run. */
export function witnessOf(
	live: LiveOrder,
	{ bootstrap, namespace, folder }: Place,
	{ ledger, originMillis, faults, patienceMillis }: Ran,
): Promise<Tally> {
	const { scenario, plan } = live;
	const { count, firmware } = scenario.devices;
	const layout = { shards: plan.cluster.shards, gateways: scenario.gateways.count };
	const patience = patienceMillis ?? (faults.length === 0 ? undefined : PATIENCE_MILLIS);
	const order = {
		bootstrap,
		topic: TOPICS.readings,
		shards: layout.shards,
		devices: count,
		readingBytes: wireReadingBytes(firmware.frameReadings),
		readings: readingsOf(scenario),
		ledger,
		...(patience === undefined ? {} : { patienceMillis: patience }),
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
		...(live.compare.length === 0 ? {} : { delays: delaySetup(live, originMillis) }),
	};
	return witness({ order, namespace, folder });
}

function delaySetup({ scenario, plan }: LiveOrder, originMillis: number) {
	const { readingIntervalMicros, reportIntervalMicros } = scenario.devices.firmware;
	const lateMillis = reportIntervalMicros / 1_000 + LATE_MILLIS;
	return {
		originMillis,
		readingMillis: readingIntervalMicros / 1_000,
		firstMillis: [...plan.phasesMicros()].map((phase) => (phase % readingIntervalMicros) / 1_000),
		lateMillis,
		heldMax: Math.ceil((lateMillis * 1_000) / readingIntervalMicros),
	};
}
