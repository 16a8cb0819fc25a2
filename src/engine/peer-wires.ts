import type { GatewayStates } from "./gateway-states.js";
import { KIND_WIRE } from "./record-layout.js";

interface Change {
	readonly observer: number;
	readonly member: number;
	readonly time: number;
	readonly hears: boolean;
}

/** Where gateways are a swarm: which of them can hear which, told to the network between them and to nobody else. */
export class PeerWires {
	/** What is told of. */
	readonly kind = KIND_WIRE;
	private readonly hears: Uint8Array;
	private changes: Change[] = [];

	constructor(private readonly states: GatewayStates) {
		this.hears = new Uint8Array(states.count * states.count).fill(1);
	}

	/** A process that is gone has no wires of its own: they are its machine's. */
	forget(): void {}

	/** Something about `gateway` has changed at `time`. */
	look(gateway: number, time: number): void {
		for (let other = 0; other < this.states.count; other++) {
			if (other !== gateway) {
				this.compare(gateway, other, time);
				this.compare(other, gateway, time);
			}
		}
	}

	private compare(observer: number, member: number, time: number): void {
		const pair = observer * this.states.count + member;
		const hears = this.states.hears(observer, member);
		if (hears !== (this.hears[pair] === 1)) {
			this.hears[pair] = Number(hears);
			this.changes.push({ observer, member, time, hears });
		}
	}

	/** Nothing happens to wires by themselves. */
	nextTime(): number {
		return Number.POSITIVE_INFINITY;
	}

	/** Tells what has changed. */
	tell(
		_horizon: number,
		hear: (observer: number, member: number, time: number, hears: boolean) => void,
	): void {
		for (const { observer, member, time, hears } of this.changes) {
			hear(observer, member, time, hears);
		}
		this.changes = [];
	}
}
