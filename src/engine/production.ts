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
	private readonly onePhase = new Float64Array(1);

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

	/** How many readings of a device that are not stored at `time` it holds. */
	owed(device: number, time: number): number {
		const { ledger, scenario } = this.world;
		const taken = this.taken(device, this.phaseOf(device), time);
		const lost = ledger.lost.get(device);
		const gone = lost === undefined ? 0 : lost.overflow + lost.volatile;
		// What the buffer has no room for it gives up, but says so only when it connects.
		return Math.min(taken - ledger.durable(device) - gone, scenario.devices.firmware.bufferReadings);
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

	private phaseOf(device: number): number {
		if (this.phases !== undefined) {
			return this.phases[device] as number;
		}
		this.fleet.phases(device, this.onePhase);
		return this.onePhase[0] as number;
	}

	private takenBy(phase: number, time: number): number {
		const first = phase % this.interval;
		return time < first ? 0 : Math.floor((time - first) / this.interval) + 1;
	}
}
