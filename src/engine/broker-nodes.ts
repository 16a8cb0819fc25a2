import type { Broker } from "../scenarios/scenario.js";
import { type Slowdown, speedAt } from "./broker-slowdowns.js";
import type { Interval } from "./gateway-plan.js";

/**
 * The broker's nodes: each takes its share of the ceiling, first come first served, and rests while the broker is down or
 * while the partitions that it leads have no leader.
 */
export class BrokerNodes {
	private readonly freeAt: Float64Array;
	private readonly down: readonly (readonly Interval[])[];
	private readonly perReadingMicros: number;
	/** Microseconds of work done by all nodes. */
	busyMicros = 0;

	/** `outages` stop all nodes, `losses` one each; `slowdowns` are those of all. */
	constructor(
		private readonly broker: Broker,
		outages: readonly Interval[],
		private readonly losses: readonly (readonly Interval[])[],
		private readonly slowdowns: readonly Slowdown[] = [],
	) {
		this.freeAt = new Float64Array(broker.nodes);
		this.down = Array.from({ length: broker.nodes }, (_, node) => [...outages, ...(losses[node] ?? [])]);
		this.perReadingMicros = (1_000_000 * broker.nodes) / broker.capacityPerSecond;
	}

	get count(): number {
		return this.broker.nodes;
	}

	/** The node that leads the partition of a shard. */
	nodeOf(shard: number): number {
		return shard % this.broker.nodes;
	}

	/**
	 * When a node has taken in `readings` that were sent at `sentMicros` and reach it at `time`. What was held up on its way is
	 * served beside the queue when it comes: nobody waits for what is not there yet.
	 */
	append(node: number, readings: number, time: number, sentMicros = time): number {
		if (readings === 0) {
			return this.after(node, time);
		}
		const work = Math.ceil(readings * this.perReadingMicros);
		this.busyMicros += work;
		const workOff = (from: number) =>
			this.slowdowns.length === 0 ? this.workedOff(node, from, work) : this.workedOffSlowly(node, from, work);
		if (time > sentMicros) {
			return workOff(time);
		}
		const done = workOff(Math.max(this.freeAt[node] as number, time));
		this.freeAt[node] = done;
		return done;
	}

	/** When `work` that could begin at `time` is done. */
	private workedOff(node: number, time: number, work: number): number {
		let done = this.after(node, time) + work;
		let from = done - work;
		for (
			let next = this.nextOutage(node, from);
			next !== undefined && next.from < done;
			next = this.nextOutage(node, from)
		) {
			from = this.after(node, next.from);
			done += from - next.from;
		}
		return done;
	}

	/** The same where the speed changes: in stretches of one speed without an outage. */
	private workedOffSlowly(node: number, time: number, work: number): number {
		let at = this.after(node, time);
		let left = work;
		for (;;) {
			const { factor, until } = speedAt(this.slowdowns, at);
			const stop = Math.min(until, this.nextOutage(node, at)?.from ?? until);
			if ((stop - at) * factor >= left) {
				return Math.ceil(at + left / factor);
			}
			left -= (stop - at) * factor;
			at = this.after(node, stop);
		}
	}

	/** The first moment from `time` on at which a node is there. */
	after(node: number, time: number): number {
		const down = this.down[node] ?? [];
		const at = (moment: number) => down.find((o) => o.from <= moment && moment < o.to);
		let up = time;
		for (let o = at(up); o !== undefined; o = at(up)) {
			up = o.to;
		}
		return up;
	}

	/** When the partitions of a node lost their leader between two moments; undefined for not at all. */
	lostBetween(node: number, from: number, to: number): number | undefined {
		return this.losses[node]?.find((loss) => from < loss.from && loss.from <= to)?.from;
	}

	/** The outage of a node that begins first at or after `time`. */
	private nextOutage(node: number, time: number): Interval | undefined {
		let next: Interval | undefined;
		for (const outage of this.down[node] ?? []) {
			if (outage.from >= time && (next === undefined || outage.from < next.from)) {
				next = outage;
			}
		}
		return next;
	}
}
