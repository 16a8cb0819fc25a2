import { Agenda } from "./agenda.js";
import { type PlainCounts, PlainDevice, type PlainFirmware } from "./plain-device.js";

/** A device loses its power, or gets it back. Microseconds. */
export interface PlainPowerChange {
	readonly atMicros: number;
	readonly device: number;
	readonly on: boolean;
	readonly bootMicros: number;
}

/** A request of a device to a gateway. */
export interface PlainRequest {
	readonly id: number;
	readonly device: number;
	readonly readings: readonly number[];
}

/** The fleet, where it is, and what happens to it. */
export interface PlainFleetPlan {
	readonly firmware: PlainFirmware;
	/** Of each device's reports. */
	readonly phasesMicros: readonly number[];
	/** The gateway that a device begins with. */
	readonly homeOf: (device: number) => number;
	/** In the order of time. */
	readonly changes: readonly PlainPowerChange[];
	/** Reading numbers are below this. */
	readonly readings: number;
}

/** From 0 to 1. */
type Chance = () => number;

/** All plain devices of a run, with their accounts. Pure: times are arguments, requests go to `send`. */
export class PlainFleet {
	/** How late devices were handled, milliseconds, and how often. */
	readonly lateMillis = new Map<number, number>();
	requests = 0;
	timeouts = 0;
	failures = 0;
	private readonly devices: readonly PlainDevice[];
	/** A bit for every reading that was acknowledged, a row for each device. */
	private readonly bits: Uint8Array;
	private readonly serials: Uint32Array;
	private readonly agenda: Agenda;
	private nextChange = 0;

	constructor(
		private readonly plan: PlainFleetPlan,
		private readonly send: (gateway: number, request: PlainRequest) => void,
		private readonly chance: Chance,
	) {
		const { firmware, phasesMicros, homeOf } = plan;
		const count = phasesMicros.length;
		this.bits = new Uint8Array(count * this.rowBytes);
		this.serials = new Uint32Array(count);
		this.agenda = new Agenda(count);
		this.devices = phasesMicros.map((phase, device) => {
			this.agenda.set(device, phase);
			return new PlainDevice(firmware, phase, homeOf(device), (reading) => this.mark(device, reading));
		});
	}

	/** Bytes of a device's row of bits. */
	get rowBytes(): number {
		return Math.ceil(this.plan.readings / 8);
	}

	/** When a device takes a reading, microseconds. */
	takenAt(device: number, reading: number): number {
		return this.devices[device]?.takenAt(reading) ?? 0;
	}

	/** Does what is due by now. */
	runDue(nowMicros: number): void {
		const { changes } = this.plan;
		for (
			let change = changes[this.nextChange];
			change !== undefined && change.atMicros <= nowMicros;
			change = changes[this.nextChange]
		) {
			this.nextChange += 1;
			this.change(change);
		}
		this.agenda.runDue(nowMicros, (device, due) => {
			const late = Math.max(0, Math.floor((nowMicros - due) / 1_000));
			this.lateMillis.set(late, (this.lateMillis.get(late) ?? 0) + 1);
			const entry = this.devices[device];
			if (entry?.timeOut(nowMicros, this.chance())) {
				this.timeouts += 1;
			}
			this.goOn(device, nowMicros);
		});
	}

	/** A gateway has answered. An answer that nobody waits for any more is none. */
	answered(id: number, isStored: boolean, nowMicros: number): void {
		const device = this.waiting(id);
		if (device === undefined) {
			return;
		}
		if (isStored) {
			this.devices[device]?.acknowledge(nowMicros);
		} else {
			this.failures += 1;
			this.devices[device]?.fail(nowMicros, this.chance());
		}
		this.goOn(device, nowMicros);
	}

	/** What every device says of its readings. */
	accounts(
		nowMicros: number,
	): (PlainCounts & { readonly held: number; readonly acknowledged: Uint8Array })[] {
		return this.devices.map((device, place) => {
			device.advance(nowMicros);
			const acknowledged = this.bits.subarray(place * this.rowBytes, (place + 1) * this.rowBytes);
			return { ...device.counts, held: device.held, acknowledged };
		});
	}

	private change({ atMicros, device, on, bootMicros }: PlainPowerChange): void {
		const entry = this.devices[device];
		if (on) {
			entry?.powerOn(atMicros, bootMicros);
		} else {
			entry?.powerOff(atMicros);
			this.forget(device);
		}
		this.goOn(device, atMicros);
	}

	private goOn(device: number, nowMicros: number): void {
		const entry = this.devices[device];
		if (entry === undefined) {
			return;
		}
		const readings = entry.send(nowMicros);
		if (readings !== undefined) {
			this.requests += 1;
			const { gateway } = entry;
			this.send(gateway, { id: this.forget(device), device, readings });
		}
		this.agenda.set(device, entry.nextMicros(nowMicros));
	}

	/** Makes answers to earlier requests of a device void: the id of its next one. */
	private forget(device: number): number {
		const serial = (this.serials[device] ?? 0) + 1;
		this.serials[device] = serial;
		return serial * this.devices.length + device;
	}

	private waiting(id: number): number | undefined {
		const device = id % this.devices.length;
		return this.serials[device] === Math.floor(id / this.devices.length) ? device : undefined;
	}

	private mark(device: number, reading: number): void {
		const at = device * this.rowBytes + (reading >>> 3);
		this.bits[at] = (this.bits[at] ?? 0) | (1 << (reading & 7));
	}
}
