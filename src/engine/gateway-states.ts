import type { GatewayOutage } from "../scenarios/scenario.js";

/** What meets a frame that a device sends to a gateway: it gets there, or is refused, or vanishes. */
export const ACCESS_OPEN = 0;
export const ACCESS_REFUSED = 1;
export const ACCESS_SWALLOWED = 2;

const DEAD = 1;
/** With its machine: nobody is there to refuse anything. */
const GONE = 2;
/** Dead, and the others are not to notice. */
const UNNOTICED = 4;
const FROZEN = 8;
const NO_DEVICES_IN = 16;
const NO_DEVICES_OUT = 32;
const NO_PEERS_IN = 64;
const NO_PEERS_OUT = 128;
/** On the other side of a partition. */
const PARTED = 256;
const NOT_SERVING = DEAD | FROZEN | NO_DEVICES_IN | NO_DEVICES_OUT;

/** What is true of each gateway, whatever anybody believes. */
export class GatewayStates {
	private readonly flags: Uint16Array;
	/** Gateways that devices can talk to. */
	private serving: number;

	constructor(readonly count: number) {
		this.flags = new Uint16Array(count);
		this.serving = count;
	}

	/** A fault hits some gateways. */
	begin(outage: GatewayOutage, gateways: readonly number[]): void {
		this.change(gateways, (flags) => flags | flagsOf(outage));
	}

	/** It is over. */
	end(outage: GatewayOutage, gateways: readonly number[]): void {
		this.change(gateways, (flags) => flags & ~flagsOf(outage));
	}

	private change(gateways: readonly number[], to: (flags: number) => number): void {
		for (const gateway of gateways) {
			this.serving -= Number(this.isServing(gateway));
			this.flags[gateway] = to(this.of(gateway));
			this.serving += Number(this.isServing(gateway));
		}
	}

	private of(gateway: number): number {
		return this.flags[gateway] as number;
	}

	/** ACCESS_*: what a device's frame meets. */
	access(gateway: number): number {
		const flags = this.of(gateway);
		if ((flags & (GONE | NO_DEVICES_IN)) !== 0) {
			return ACCESS_SWALLOWED;
		}
		return (flags & DEAD) === 0 ? ACCESS_OPEN : ACCESS_REFUSED;
	}

	/** Whether devices hear what it sends. */
	isHeard(gateway: number): boolean {
		return (this.of(gateway) & NO_DEVICES_OUT) === 0;
	}

	isDead(gateway: number): boolean {
		return (this.of(gateway) & DEAD) !== 0;
	}

	/** Whether its process runs. */
	isRunning(gateway: number): boolean {
		return (this.of(gateway) & (DEAD | FROZEN)) === 0;
	}

	private isServing(gateway: number): boolean {
		return (this.of(gateway) & NOT_SERVING) === 0;
	}

	/**
	 * Whether the devices of a home gateway can find any: theirs, or another one that has taken them. `failsOver`: clients
	 * need nobody to take them, as under policy `none`.
	 */
	isReachable(home: number, failsOver: boolean): boolean {
		return this.serving > 0 && (failsOver || (this.of(home) & UNNOTICED) === 0);
	}

	/** Whether a gateway gets signs of life of another one. It always has its own. */
	hears(observer: number, member: number): boolean {
		if (observer === member) {
			return true;
		}
		const flags = this.of(member);
		if (((flags ^ this.of(observer)) & PARTED) !== 0) {
			return false;
		}
		const silent = (flags & (DEAD | FROZEN)) !== 0 && (flags & UNNOTICED) === 0;
		return !(silent || (flags & NO_PEERS_OUT) !== 0 || (this.of(observer) & NO_PEERS_IN) !== 0);
	}
}

function flagsOf(outage: GatewayOutage): number {
	switch (outage.kind) {
		case "gateway":
			return DEAD | (outage.down === "machine" ? GONE : 0) | (outage.takeover ? 0 : UNNOTICED);
		case "gateway-freeze":
			return FROZEN;
		case "gateway-partition":
			return PARTED;
		case "gateway-cut": {
			const into = outage.direction !== "out";
			const out = outage.direction !== "in";
			const devices = outage.from.includes("devices");
			const peers = outage.from.includes("peers");
			return (
				(devices && into ? NO_DEVICES_IN : 0) |
				(devices && out ? NO_DEVICES_OUT : 0) |
				(peers && into ? NO_PEERS_IN : 0) |
				(peers && out ? NO_PEERS_OUT : 0)
			);
		}
	}
}

/** Whether a fault takes a gateway's sessions from its devices: they notice sooner or later, and look for another one. */
export function endsSessions(outage: GatewayOutage): boolean {
	return (flagsOf(outage) & NOT_SERVING) !== 0;
}
