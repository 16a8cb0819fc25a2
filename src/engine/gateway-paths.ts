import type { GatewayTransition, Interval } from "./gateway-plan.js";

interface Block extends Interval {
	readonly frozen: boolean;
	/** Nothing gets from the gateway to the broker, or from the broker to the gateway. */
	readonly out: boolean;
	readonly in: boolean;
}

/**
 * When gateways and the broker can talk to each other. What cannot get through waits, as under TCP, and arrives when it
 * can: a commit may reach the broker long after the gateway has given up on it.
 */
export class GatewayPaths {
	private readonly blocks: Block[][];

	constructor(transitions: readonly GatewayTransition[], gateways: number, sliceMicros: number) {
		this.blocks = Array.from({ length: gateways }, () => []);
		for (const { back, gateways: hit, outSlice, backSlice, outage } of transitions) {
			const frozen = outage.kind === "gateway-freeze";
			const cut = outage.kind === "gateway-cut" && outage.from.includes("broker") ? outage : undefined;
			const parted = outage.kind === "gateway-partition" && !outage.reachesBroker;
			if (back || !(frozen || parted || cut !== undefined)) {
				continue;
			}
			const block = {
				from: outSlice * sliceMicros,
				to: backSlice * sliceMicros,
				frozen,
				out: parted || (cut !== undefined && cut.direction !== "in"),
				in: parted || (cut !== undefined && cut.direction !== "out"),
			};
			for (const gateway of hit) {
				this.blocks[gateway]?.push(block);
			}
		}
	}

	/** When a request that a gateway has at hand at `time` leaves for the broker. */
	toBroker(gateway: number, time: number): number {
		return this.after(gateway, time, (block) => block.frozen || block.out);
	}

	/** When a gateway learns what the broker has to say at `time`. */
	fromBroker(gateway: number, time: number): number {
		return this.after(gateway, time, (block) => block.frozen || block.in);
	}

	/** When a gateway's own timer, due at `time`, fires. */
	awake(gateway: number, time: number): number {
		return this.after(gateway, time, (block) => block.frozen);
	}

	private after(gateway: number, time: number, stops: (block: Block) => boolean): number {
		let at = time;
		// In the order of their beginnings, and never two at once.
		for (const block of this.blocks[gateway] ?? []) {
			if (stops(block) && block.from <= at && at < block.to) {
				at = block.to;
			}
		}
		return at;
	}
}
