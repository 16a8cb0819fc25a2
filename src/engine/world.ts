import { Ledger } from "../record/ledger.js";
import type { Scenario } from "../scenarios/scenario.js";
import type { Counters } from "./collector.js";
import { Links } from "./link.js";
import type { Policy } from "./policies.js";
import { Streams } from "./streams.js";

/** Not waiting for a session, or away. */
const NOT_WAITING = 0xffff_ffff;
const OWED_MAX = 0xffff;
const PER_MILLI = 1_000;

/**
 * What is true whatever the modules believe: power, links, who waits since when, what is stored, and the counters that
 * the report shows. 8 bytes a device beside the ledger's.
 */
export class World {
	readonly streams: Streams;
	readonly links: Links;
	readonly ledger: Ledger;
	readonly gatewayDown: Uint8Array;
	readonly counters: Counters = {
		offered: 0,
		admitted: 0,
		durable: 0,
		duplicates: 0,
		hellos: 0,
		deferred: 0,
		dropped: 0,
	};
	readonly drops = { "link-loss": 0, "link-down": 0, "receive-queue-full": 0 };
	/** Frames put on a wire, either way. */
	frames = 0;
	/** HELLO frames sent. */
	hellosSent = 0;
	/** Those of them that had a gateway to reach: what a dead gateway or network refuses is no attempt at a session. */
	attempts = 0;
	events = 0;
	reachable: number;
	online: number;
	/** Readings of reachable devices that wait for the backfill. */
	owedTotal = 0;
	/** Sessions set up by devices that had been away. */
	connects = 0;
	neverConnected = 0;
	private readonly unpowered: Uint8Array;
	private readonly waitingSince: Uint32Array;
	private readonly owed: Uint16Array;
	private waits = new Float64Array(1024);
	private waitCount = 0;

	constructor(
		readonly scenario: Scenario,
		readonly policy: Policy,
		seed: string,
	) {
		const { count, link } = scenario.devices;
		this.streams = new Streams(seed);
		this.links = new Links(count, link, this.streams);
		this.ledger = new Ledger(count, !policy.exactlyOnce);
		this.gatewayDown = new Uint8Array(scenario.gateways.count);
		this.unpowered = new Uint8Array(count);
		this.waitingSince = new Uint32Array(count).fill(NOT_WAITING);
		this.owed = new Uint16Array(count);
		this.reachable = count;
		this.online = count;
	}

	/** Bytes per device: link state, power, waiting since, readings owed. */
	static readonly bytesPerDevice = 1 + 1 + 4 + 2;

	/** Notes whether a device has mains power. */
	setPowered(device: number, on: boolean): void {
		this.unpowered[device] = on ? 0 : 1;
	}

	/** Whether a device has mains power. */
	isPowered(device: number): boolean {
		return this.unpowered[device] === 0;
	}

	/** A device is back and able to talk from `readyMicros` on, owing about `owed` readings. */
	ready(device: number, readyMicros: number, owed: number): void {
		this.waitingSince[device] = Math.floor(readyMicros / PER_MILLI);
		this.setOwed(device, owed);
	}

	/** A device is away. */
	away(device: number): void {
		if (this.waitingSince[device] !== NOT_WAITING) {
			this.neverConnected++;
		}
		this.waitingSince[device] = NOT_WAITING;
		this.setOwed(device, 0);
	}

	/** A device has a session, and owes `backlog` readings. */
	connected(device: number, time: number, backlog: number): void {
		this.online++;
		this.connects++;
		this.setOwed(device, backlog);
		const since = this.waitingSince[device] as number;
		if (since === NOT_WAITING) {
			return;
		}
		this.waitingSince[device] = NOT_WAITING;
		if (this.waitCount === this.waits.length) {
			const more = new Float64Array(this.waitCount * 2);
			more.set(this.waits);
			this.waits = more;
		}
		this.waits[this.waitCount++] = Math.max(0, time - since * PER_MILLI) / 1_000_000;
	}

	/** Some of a device's backfill is durable. */
	backfilled(device: number, readings: number): void {
		this.setOwed(device, (this.owed[device] as number) - readings);
	}

	/** How long returning devices waited for their session, seconds, rising; those still waiting are not in it. */
	sortedWaits(): Float64Array {
		return this.waits.slice(0, this.waitCount).sort();
	}

	/** Returned devices that never got a session. */
	stillWaiting(): number {
		let waiting = this.neverConnected;
		for (const since of this.waitingSince) {
			if (since !== NOT_WAITING) {
				waiting++;
			}
		}
		return waiting;
	}

	private setOwed(device: number, readings: number): void {
		const owed = Math.max(0, Math.min(OWED_MAX, readings));
		this.owedTotal += owed - (this.owed[device] as number);
		this.owed[device] = owed;
	}
}
