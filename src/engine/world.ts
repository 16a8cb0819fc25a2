import { Ledger } from "../record/ledger.js";
import type { Scenario } from "../scenarios/scenario.js";
import { hostileDevices } from "./attack-plan.js";
import { Clocks } from "./clocks.js";
import type { Counters } from "./collector.js";
import { GatewayStates } from "./gateway-states.js";
import { Links } from "./link.js";
import { Ownership } from "./ownership.js";
import type { Policy } from "./policies.js";
import { Streams } from "./streams.js";
import { Takeovers } from "./takeovers.js";

/** Not waiting for a session, or away. */
const NOT_WAITING = 0xffff_ffff;
/** Has a session with a gateway that is gone, and does not know it yet: the wait begins when it does. */
const DESERTED = 0xffff_fffe;
const OWED_MAX = 0xffff;
const PER_MILLI = 1_000;

/** What can stand between a device and its gateway; one device may lack several at once. */
export const NO_POWER = 1;
export const NO_NETWORK = 2;
export const NO_GATEWAY = 4;
const OBSTACLES = NO_POWER | NO_NETWORK | NO_GATEWAY;
/** Beside the obstacles: the device believes that it has a session. */
const SESSION = 8;

/**
 * What is true whatever the modules believe: power, links, who waits since when, what is stored, and the counters that
 * the report shows. 9 bytes a device beside the ledger's.
 */
export class World {
	readonly streams: Streams;
	readonly links: Links;
	readonly ledger: Ledger;
	readonly ownership: Ownership;
	readonly gateways: GatewayStates;
	readonly clocks: Clocks;
	readonly takeovers = new Takeovers();
	/** The gateway that each device talks to; the native stacks keep it up to date. */
	readonly routes: Uint16Array;
	readonly counters: Counters = {
		offered: 0,
		admitted: 0,
		durable: 0,
		duplicates: 0,
		hellos: 0,
		deferred: 0,
		dropped: 0,
	};
	/** Devices with keys that are not the fleet's, and what their attacks came to: frames sent, sessions and readings got through. */
	readonly hostileDevices: number;
	readonly hostile = { frames: 0, sessions: 0, readings: 0 };
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
	/** Sessions set up. */
	connects = 0;
	neverConnected = 0;
	/** Obstacles and SESSION. */
	private readonly flags: Uint8Array;
	private readonly waitingSince: Uint32Array;
	private readonly owed: Uint16Array;
	/** Readings that a device holds and that are not stored. */
	unstored: (device: number, time: number) => number = () => OWED_MAX;
	private waits = new Float64Array(1024);
	private waitCount = 0;

	constructor(
		readonly scenario: Scenario,
		readonly policy: Policy,
		seed: string,
	) {
		const { count, link } = scenario.devices;
		this.streams = new Streams(seed);
		this.links = new Links(count, link, this.streams, policy.tcp);
		this.ledger = new Ledger(count, !policy.exactlyOnce);
		this.ownership = new Ownership(count, scenario.broker.partitions, scenario.gateways.count);
		this.gateways = new GatewayStates(scenario.gateways.count);
		this.clocks = new Clocks(scenario.devices.clocks, this.streams);
		this.routes = Uint16Array.from({ length: count }, (_, device) => this.ownership.homeOf(device));
		this.flags = this.links.state.fill(SESSION);
		this.waitingSince = new Uint32Array(count).fill(NOT_WAITING);
		this.owed = new Uint16Array(count);
		this.hostileDevices = hostileDevices(scenario);
		this.reachable = count;
		this.online = count;
	}

	/** Bytes per device: link state and flags, waiting since, readings owed, route. */
	static readonly bytesPerDevice = 1 + 4 + 2 + 2;

	/** Whether a device has mains power. */
	isPowered(device: number): boolean {
		return ((this.flags[device] as number) & NO_POWER) === 0;
	}

	/** From now on one of NO_POWER, NO_NETWORK and NO_GATEWAY stands between a device and its gateway. */
	block(device: number, obstacle: number): void {
		const before = this.flags[device] as number;
		this.flags[device] = before | obstacle;
		if ((before & OBSTACLES) !== 0) {
			return;
		}
		this.reachable--;
		this.owedTotal -= this.owed[device] as number;
		if (this.isWaiting(device)) {
			this.neverConnected++;
		}
		this.waitingSince[device] = NOT_WAITING;
	}

	/** The obstacle is gone: true if there is no other, and the device is reachable again. */
	unblock(device: number, obstacle: number): boolean {
		const before = this.flags[device] as number;
		this.flags[device] = before & ~obstacle;
		if ((before & OBSTACLES) !== obstacle) {
			return false;
		}
		this.reachable++;
		this.owedTotal += this.owed[device] as number;
		return true;
	}

	/**
	 * A device that is reachable again can talk from `readyMicros` on, owing about `owed` readings. One whose session
	 * outlived the outage waits for nothing, and owes what it owed.
	 */
	ready(device: number, readyMicros: number, owed: number): void {
		if (((this.flags[device] as number) & SESSION) !== 0) {
			return;
		}
		this.waitingSince[device] = Math.floor(readyMicros / PER_MILLI);
		this.setOwed(device, owed);
	}

	/** The gateway of a device is gone, while others can be reached. It waits for a session from when it notices. */
	desert(device: number): void {
		if (((this.flags[device] as number) & (OBSTACLES | SESSION)) === SESSION) {
			this.waitingSince[device] = DESERTED;
		}
	}

	private isWaiting(device: number): boolean {
		return (this.waitingSince[device] as number) < DESERTED;
	}

	/** A device gives up its session. */
	disconnected(device: number, time: number): void {
		this.flags[device] = (this.flags[device] as number) & ~SESSION;
		this.online--;
		if (this.waitingSince[device] === DESERTED) {
			this.waitingSince[device] = Math.floor(time / PER_MILLI);
		}
	}

	/** A device has a session, and owes `backlog` readings. */
	connected(device: number, time: number, backlog: number): void {
		this.flags[device] = (this.flags[device] as number) | SESSION;
		this.online++;
		this.connects++;
		this.setOwed(device, backlog);
		this.limitOwed(device, time);
		const since = this.waitingSince[device] as number;
		this.waitingSince[device] = NOT_WAITING;
		if (since >= DESERTED) {
			return;
		}
		if (this.waitCount === this.waits.length) {
			const more = new Float64Array(this.waitCount * 2);
			more.set(this.waits);
			this.waits = more;
		}
		this.waits[this.waitCount++] = Math.max(0, time - since * PER_MILLI) / 1_000_000;
	}

	/** Some of a device's readings are durable; `backfill`: those of its backlog. */
	stored(device: number, time: number, backfill: number): void {
		this.setOwed(device, (this.owed[device] as number) - backfill);
		this.limitOwed(device, time);
	}

	/** A device that keeps no marks counts as backlog what was stored and not acknowledged, so the world knows better. */
	private limitOwed(device: number, time: number): void {
		const owed = this.owed[device] as number;
		if (owed > 0 && !this.policy.exactlyOnce) {
			this.setOwed(device, Math.min(owed, this.unstored(device, time)));
		}
	}

	/** How long returning devices waited for their session, seconds, rising; those still waiting are not in it. */
	sortedWaits(): Float64Array {
		return this.waits.slice(0, this.waitCount).sort();
	}

	/** Returned devices that never got a session. */
	stillWaiting(): number {
		let waiting = this.neverConnected;
		for (let device = 0; device < this.waitingSince.length; device++) {
			waiting += Number(this.isWaiting(device));
		}
		return waiting;
	}

	private setOwed(device: number, readings: number): void {
		const owed = Math.max(0, Math.min(OWED_MAX, readings));
		if (((this.flags[device] as number) & OBSTACLES) === 0) {
			this.owedTotal += owed - (this.owed[device] as number);
		}
		this.owed[device] = owed;
	}
}
