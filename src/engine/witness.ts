import type { Batch } from "./broker-model.js";
import { dueMillis } from "./clocks.js";
import type { Collector } from "./collector.js";
import type { NativeFleet } from "./native.js";
import { A, C, D, DEVICE, FLAG_BACKFILL, INTS, META } from "./record-layout.js";
import type { World } from "./world.js";

const PER_MILLI = 1_000;
const PER_SECOND = 1_000_000;

/** Sees every reading that gets into the log: keeps the ledger, and measures how old readings are. */
export class Witness {
	private readonly phase = new Float64Array(1);
	private readonly areClocksRight: boolean;
	private readonly intervalMicros: number;

	constructor(
		private readonly world: World,
		private readonly fleet: NativeFleet,
		private readonly collector: Collector,
	) {
		this.areClocksRight = world.clocks.areAllRight;
		this.intervalMicros = world.scenario.devices.firmware.readingIntervalMicros;
	}

	/** The readings of a batch are in the log. */
	see(batch: Batch): void {
		const { world } = this;
		const { ledger, ownership, takeovers } = world;
		const { ints } = batch.entries;
		if (world.policy.exactlyOnce) {
			takeovers.committed(batch.shard, batch.generation, batch.loggedAt);
		}
		for (let n = 0; n < batch.count; n++) {
			const at = n * INTS;
			const device = ints[at + DEVICE] as number;
			if (device >= ownership.devices) {
				world.hostile.readings += (ints[at + C] as number) & 0xffff;
				continue;
			}
			const isBackfill = ((ints[at + META] as number) & FLAG_BACKFILL) !== 0;
			const first = ints[at + A] as number;
			const count = (ints[at + C] as number) & 0xffff;
			const stride = (ints[at + C] as number) >>> 16;
			ledger.store(device, isBackfill, first, count, stride, first + (count - 1) * stride + 1);
			const { fresh } = ledger;
			world.stored(device, batch.loggedAt, isBackfill ? fresh : 0);
			if (fresh > 0) {
				const due = this.dueOf(device, first, isBackfill, (ints[at + D] as number) >>> 0);
				this.measure(batch.loggedAt, due, fresh, isBackfill ? stride : 0);
				const step = isBackfill ? this.intervalMicros * stride : 0;
				takeovers.durable(ownership.shardOf(device), fresh, due * PER_MILLI, step, batch.loggedAt);
			}
		}
		world.counters.durable = ledger.durableTotal;
		world.counters.duplicates = ledger.duplicates;
	}

	/** When a run's first reading was due: what its device says, unless its clock is wrong. */
	private dueOf(device: number, first: number, isBackfill: boolean, saidMillis: number): number {
		if (this.areClocksRight || !this.world.clocks.isWrong(device)) {
			return saidMillis;
		}
		this.fleet.phases(device, this.phase);
		return dueMillis(this.world.scenario.devices.firmware, this.phase[0] as number, first, isBackfill);
	}

	/** `stride` 0: live readings, which are due together. */
	private measure(loggedAt: number, dueAtMillis: number, fresh: number, stride: number): void {
		if (stride === 0) {
			this.collector.liveLatency(loggedAt - dueAtMillis * PER_MILLI, fresh);
			return;
		}
		const middle = dueAtMillis + ((this.intervalMicros / PER_MILLI) * stride * (fresh - 1)) / 2;
		this.collector.backfillAge(loggedAt / PER_SECOND - middle / PER_MILLI, fresh);
	}
}
