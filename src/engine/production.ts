import type { NativeFleet } from "./native.js";
import { SHARD_DEVICES } from "./shard-wheels.js";
import type { World } from "./world.js";

/**
 * The world's own count of the readings that each device has taken: from the sampling grid, and for sensors without
 * battery from the times at which they had power. 12 bytes a device, for those only.
 */
export class Production {
	private readonly interval: number;
	private readonly powered: Int32Array | undefined;
	private readonly phases: Float64Array | undefined;

	constructor(
		private readonly world: World,
		private readonly fleet: NativeFleet,
	) {
		const { firmware, count } = world.scenario.devices;
		this.interval = firmware.readingIntervalMicros;
		if (firmware.backup === "sensing") {
			return;
		}
		this.powered = new Int32Array(count);
		this.phases = new Float64Array(count);
		for (let first = 0; first < count; first += SHARD_DEVICES) {
			this.fleet.phases(first, this.phases.subarray(first, Math.min(count, first + SHARD_DEVICES)));
		}
	}

	/** A device loses or regains its mains power at `time`. */
	power(device: number, time: number, on: boolean): void {
		if (this.powered === undefined || this.phases === undefined) {
			return;
		}
		const taken = this.takenBy(this.phases[device] as number, time);
		this.powered[device] = (this.powered[device] as number) + (on ? -taken : taken);
	}

	/** About how many readings of a device are not stored at `time`: exact to one reading, losses apart. */
	owed(device: number, time: number): number {
		if (this.powered !== undefined) {
			return 0;
		}
		return Math.floor(time / this.interval) - (this.world.ledger.durable[device] as number);
	}

	/** Readings taken by `time`, for the devices from `first` on whose phases are given; `on`: still powered. */
	taken(device: number, phase: number, time: number): number {
		const byGrid = this.takenBy(phase, time);
		if (this.powered === undefined) {
			return byGrid;
		}
		const sum = this.powered[device] as number;
		// Powered devices carry minus what the grid had at their last power-on (0 from the start).
		return this.world.isPowered(device) ? byGrid + sum : sum;
	}

	private takenBy(phase: number, time: number): number {
		const first = phase % this.interval;
		return time < first ? 0 : Math.floor((time - first) / this.interval) + 1;
	}
}
