import type { GatewayStates } from "./gateway-states.js";
import { KIND_MEMBER } from "./record-layout.js";
import { TimeQueue } from "./time-queue.js";

interface Change {
	readonly observer: number;
	readonly member: number;
	/** Of several changes of one pair, only the last counts. */
	readonly number: number;
	readonly time: number;
}

/**
 * What gateways believe of each other, in place of a failure detector: each learns that another one has fallen silent, or
 * is back, a fixed time after it is so, and what changes back sooner it never hears of. Pairs are apart: a cut may be seen
 * from one side alone. A gateway that starts knows nobody, not even itself, until that time has passed.
 */
export class Membership {
	/** What gateways are told of. */
	readonly kind = KIND_MEMBER;
	private readonly believed: Uint8Array;
	/** Number of the last change of each pair; 0: nothing is to come. */
	private readonly pending: Float64Array;
	private readonly queue = new TimeQueue<Change>();
	private changes = 0;

	constructor(
		private readonly states: GatewayStates,
		private readonly detectAfterMicros: number,
	) {
		const { count } = states;
		this.believed = new Uint8Array(count * count).fill(1);
		this.pending = new Float64Array(count * count);
	}

	/** A gateway's process is gone, and what it knew with it. */
	forget(gateway: number): void {
		const { count } = this.states;
		this.believed.fill(0, gateway * count, (gateway + 1) * count);
		this.pending.fill(0, gateway * count, (gateway + 1) * count);
	}

	/** Something about `gateway` has changed at `time`. */
	look(gateway: number, time: number): void {
		const { count } = this.states;
		for (let other = 0; other < count; other++) {
			this.compare(gateway, other, time);
			if (other !== gateway) {
				this.compare(other, gateway, time);
			}
		}
		// Itself last: before it knows the others it must not take itself for the only one.
		this.pending[gateway * (count + 1)] = 0;
		this.compare(gateway, gateway, time);
	}

	private compare(observer: number, member: number, time: number): void {
		const pair = observer * this.states.count + member;
		const isRunning = this.states.isRunning(observer);
		const differs = this.states.hears(observer, member) !== (this.believed[pair] === 1);
		if (!(isRunning && differs)) {
			this.pending[pair] = 0;
		} else if (this.pending[pair] === 0) {
			this.changes++;
			this.pending[pair] = this.changes;
			const due = time + this.detectAfterMicros;
			this.queue.push(due, { observer, member, number: this.changes, time: due });
		}
	}

	/** When the next gateway may learn something; Infinity for never. */
	nextTime(): number {
		return this.queue.nextTime();
	}

	/** Tells, in time order, what gateways learn before `horizon`. */
	tell(
		horizon: number,
		hear: (observer: number, member: number, time: number, isAlive: boolean) => void,
	): void {
		for (let next = this.queue.pop(horizon); next !== undefined; next = this.queue.pop(horizon)) {
			const { observer, member, number, time } = next;
			const pair = observer * this.states.count + member;
			if (this.pending[pair] !== number) {
				continue;
			}
			this.pending[pair] = 0;
			const isAlive = this.believed[pair] === 0;
			this.believed[pair] = Number(isAlive);
			hear(observer, member, time, isAlive);
		}
	}
}
