import type { DeviceSide } from "./device-side.js";
import type { GatewayTransition } from "./gateway-plan.js";
import type { GatewaySide } from "./gateway-side.js";
import { endsSessions } from "./gateway-states.js";
import { LINK_BROWN_OUT, LINK_REFUSED, LINK_UP } from "./link.js";
import { CHANGE_POWER, type OutagePlan, type Transition } from "./outage-plan.js";
import { bootMicros } from "./plan-facts.js";
import type { Production } from "./production.js";
import { KIND_POWER_OFF, KIND_POWER_ON, KIND_REFUSED } from "./record-layout.js";
import { NO_GATEWAY, NO_NETWORK, NO_POWER, type World } from "./world.js";

/** Carries out the outage plan, slice by slice: power, links, gateways. */
export class Transitions {
	private next = 0;
	private nextGateway = 0;

	constructor(
		private readonly world: World,
		private readonly plan: OutagePlan,
		private readonly devices: DeviceSide,
		private readonly gateways: GatewaySide,
		private readonly production: Production,
		private readonly sliceMicros: number,
	) {}

	/** Does what is due at the start of `slice`. */
	apply(slice: number): void {
		const { transitions, gatewayTransitions } = this.plan;
		for (let t = transitions[this.next]; t !== undefined && t.slice <= slice; t = transitions[this.next]) {
			this.next++;
			this.applyCohort(slice, t);
		}
		for (
			let t = gatewayTransitions[this.nextGateway];
			t !== undefined && t.slice <= slice;
			t = gatewayTransitions[this.nextGateway]
		) {
			this.nextGateway++;
			this.applyGateways(slice, t);
		}
		this.devices.flush(slice);
	}

	/** The slice of the next transition; Infinity for none. */
	nextSlice(): number {
		const cohort = this.plan.transitions[this.next]?.slice ?? Number.POSITIVE_INFINITY;
		return Math.min(
			cohort,
			this.plan.gatewayTransitions[this.nextGateway]?.slice ?? Number.POSITIVE_INFINITY,
		);
	}

	private applyCohort(slice: number, t: Transition): void {
		const time = slice * this.sliceMicros;
		const { world } = this;
		world.events += t.count;
		for (let n = 0; n < t.count; n++) {
			const device = this.plan.deviceAt(t.first + n);
			if (t.change === CHANGE_POWER) {
				this.power(slice, time, device, t.back);
			} else {
				this.link(slice, time, device, t);
			}
		}
	}

	private power(slice: number, time: number, device: number, on: boolean): void {
		const { world } = this;
		this.production.power(device, time, on);
		if (!on) {
			world.block(device, NO_POWER);
			this.devices.post(slice, device, KIND_POWER_OFF, 0);
			return;
		}
		world.clocks.powerOn(device, time);
		const boot = bootMicros(world.scenario, world.streams, device, time);
		this.unblock(device, NO_POWER, time, time + boot);
		this.devices.post(slice, device, KIND_POWER_ON, boot);
	}

	private link(slice: number, time: number, device: number, t: Transition): void {
		const { world } = this;
		world.links.set(device, t.back ? LINK_UP : t.change);
		// A brown-out is no obstacle: the device is slow and lossy, but there.
		if (t.change < LINK_BROWN_OUT) {
			if (t.back) {
				this.unblock(device, NO_NETWORK, time, time);
			} else {
				world.block(device, NO_NETWORK);
			}
		}
		if (!t.back && t.change === LINK_REFUSED) {
			this.devices.post(slice, device, KIND_REFUSED, 0);
		}
	}

	private applyGateways(slice: number, t: GatewayTransition): void {
		const { world } = this;
		const { gateways, ownership } = world;
		const failsOver = !world.policy.exactlyOnce;
		const homes = Array.from({ length: gateways.count }, (_, home) => home);
		const before = homes.map((home) => gateways.isReachable(home, failsOver));
		if (t.back) {
			gateways.end(t.outage, t.gateways);
			this.gateways.heal(slice, t);
		} else {
			gateways.begin(t.outage, t.gateways);
			this.gateways.hit(slice, t);
		}
		const changed = homes.map((home) => gateways.isReachable(home, failsOver) !== before[home]);
		for (let device = 0; device < world.scenario.devices.count; device++) {
			const home = ownership.homeOf(device);
			if (changed[home] === true) {
				this.reach(slice, device, before[home] === false, t);
			}
			if (!t.back && t.gateways.includes(world.routes[device] as number)) {
				this.leave(slice, device, t);
			}
		}
	}

	/** A device can reach a gateway again, or none any more. */
	private reach(slice: number, device: number, isBack: boolean, { outage }: GatewayTransition): void {
		const { world } = this;
		world.events++;
		if (!isBack) {
			world.block(device, NO_GATEWAY);
			return;
		}
		const time = slice * this.sliceMicros;
		this.unblock(device, NO_GATEWAY, time, time);
		if (outage.kind === "gateway") {
			world.desert(device);
		}
	}

	/** The gateway that a device talks to is hit. */
	private leave(slice: number, device: number, { outage }: GatewayTransition): void {
		const { world } = this;
		if (endsSessions(outage)) {
			world.desert(device);
		}
		// A process that dies takes its connections with it. Of datagrams nobody hears before the next one is refused.
		const isReset = outage.kind === "gateway" && outage.down === "process" && world.policy.tcp;
		const state = world.links.of(device);
		// The reset does not reach a device behind a cut link.
		if (isReset && (state === LINK_UP || state >= LINK_BROWN_OUT)) {
			world.events++;
			this.devices.post(slice, device, KIND_REFUSED, 0);
		}
	}

	private unblock(device: number, obstacle: number, time: number, readyMicros: number): void {
		if (this.world.unblock(device, obstacle)) {
			this.world.ready(device, readyMicros, this.production.owed(device, time));
		}
	}
}
