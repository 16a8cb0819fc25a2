import type { Broker } from "../scenarios/scenario.js";
import { QuantileTable } from "./quantile-table.js";
import { C, DEVICE, FLOATS, INTS, RecordBuffer } from "./record-layout.js";
import { PURPOSE_COMMIT, type Streams } from "./streams.js";

/** A produce request or transaction on its way. */
export interface Batch {
	readonly gateway: number;
	readonly id: number;
	/** ENTRY records. */
	readonly entries: RecordBuffer;
	readonly count: number;
	/** When the gateway hears of it. */
	readonly outcomeAt: number;
	/** Whether the gateway hears that it is durable. */
	readonly committed: boolean;
	/** When the readings are in the log; Infinity: never, the transaction was aborted. */
	readonly storedAt: number;
}

/** Buffers kept for the next batches, and the smallest one made. */
const SPARE_BUFFERS = 256;
const BUFFER_RECORDS = 64;

interface Interval {
	readonly from: number;
	readonly to: number;
}

/**
 * The broker: nodes that each take their share of the ceiling, first come first served; partitions spread over the
 * nodes; a commit latency on top; requests that take too long time out; outages stop everything.
 *
 * A transaction that times out is fenced and aborted: nothing of it is stored. A plain request that times out is
 * stored all the same, late: the client does not know.
 */
export class BrokerModel {
	private readonly freeAt: Float64Array;
	private readonly share: Float64Array;
	private readonly perReadingMicros: number;
	private readonly commit: QuantileTable;
	private readonly lastOf: Float64Array;
	private readonly pending: Batch[] = [];
	private readonly spare: RecordBuffer[] = [];
	/** Microseconds of work done by all nodes. */
	busyMicros = 0;

	constructor(
		private readonly broker: Broker,
		gateways: number,
		private readonly outages: readonly Interval[],
		private readonly transactional: boolean,
		private readonly streams: Streams,
	) {
		this.freeAt = new Float64Array(broker.nodes);
		this.share = new Float64Array(broker.nodes);
		this.lastOf = new Float64Array(gateways);
		this.perReadingMicros = (1_000_000 * broker.nodes) / broker.capacityPerSecond;
		const {
			commitMinMicros: minMicros,
			commitMedianMicros: medianMicros,
			commitP99Micros: p99Micros,
		} = broker;
		this.commit = new QuantileTable({ minMicros, medianMicros, p99Micros, maxMicros: p99Micros * 2 });
	}

	/** Takes `count` ENTRY records of `source` from `first` on, sent by `gateway` at `time`. */
	submit(
		gateway: number,
		id: number,
		time: number,
		source: RecordBuffer,
		first: number,
		count: number,
	): void {
		const entries = this.copyEntries(source, first, count);
		const appendedAt = this.append(entries, count, time);
		const latency = this.commit.at(this.streams.draw(PURPOSE_COMMIT, gateway, time, id));
		// One connection: answers come in the order of the requests.
		const done = this.afterOutage(Math.max(appendedAt + latency, this.lastOf[gateway] as number));
		this.lastOf[gateway] = done;
		const timedOut = done - time > this.broker.requestTimeoutMicros;
		this.insert({
			gateway,
			id,
			entries,
			count,
			outcomeAt: timedOut ? time + this.broker.requestTimeoutMicros : done,
			committed: !timedOut,
			storedAt: timedOut && this.transactional ? Number.POSITIVE_INFINITY : done,
		});
	}

	/** The next batch whose outcome or storing lies before `horizon`, removed; undefined for none. */
	next(horizon: number): Batch | undefined {
		const first = this.pending[0];
		return first !== undefined && first.outcomeAt < horizon ? this.pending.shift() : undefined;
	}

	/** When the next outcome is due; Infinity for none. */
	nextOutcome(): number {
		return this.pending[0]?.outcomeAt ?? Number.POSITIVE_INFINITY;
	}

	/** A gateway dies: its open transactions are aborted by fencing; plain requests are stored, and nobody hears. */
	abandon(gateway: number): readonly Batch[] {
		const orphans = this.pending.filter((batch) => batch.gateway === gateway);
		for (const orphan of orphans) {
			this.pending.splice(this.pending.indexOf(orphan), 1);
		}
		return this.transactional ? [] : orphans;
	}

	/** Gives back the memory of a batch that nobody needs any more. */
	release(batch: Batch): void {
		if (this.spare.length < SPARE_BUFFERS) {
			this.spare.push(batch.entries);
		}
	}

	private copyEntries(source: RecordBuffer, first: number, count: number): RecordBuffer {
		const last = this.spare.pop();
		const entries =
			last !== undefined && last.capacity >= count ? last : new RecordBuffer(Math.max(count, BUFFER_RECORDS));
		const from = first * FLOATS;
		for (let n = 0; n < count * FLOATS; n++) {
			entries.floats[n] = source.floats[from + n] as number;
		}
		return entries;
	}

	private append(entries: RecordBuffer, count: number, time: number): number {
		this.share.fill(0);
		for (let n = 0; n < count; n++) {
			const device = entries.ints[n * INTS + DEVICE] as number;
			const node = (device % this.broker.partitions) % this.broker.nodes;
			this.share[node] = (this.share[node] as number) + ((entries.ints[n * INTS + C] as number) & 0xffff);
		}
		let last = time;
		for (let node = 0; node < this.share.length; node++) {
			const readings = this.share[node] as number;
			if (readings === 0) {
				continue;
			}
			const work = Math.ceil(readings * this.perReadingMicros);
			const done = this.workedOff(Math.max(this.freeAt[node] as number, time), work);
			this.freeAt[node] = done;
			this.busyMicros += work;
			last = Math.max(last, done);
		}
		return last;
	}

	/** When `work` that could begin at `time` is done: it rests while the broker is down. */
	private workedOff(time: number, work: number): number {
		let done = this.afterOutage(time) + work;
		let from = done - work;
		for (
			let next = this.nextOutage(from);
			next !== undefined && next.from < done;
			next = this.nextOutage(from)
		) {
			from = this.afterOutage(next.from);
			done += from - next.from;
		}
		return done;
	}

	private afterOutage(time: number): number {
		let up = time;
		for (let o = this.outageAt(up); o !== undefined; o = this.outageAt(up)) {
			up = o.to;
		}
		return up;
	}

	private outageAt(time: number): Interval | undefined {
		return this.outages.find((o) => o.from <= time && time < o.to);
	}

	/** The outage that begins first at or after `time`. */
	private nextOutage(time: number): Interval | undefined {
		let next: Interval | undefined;
		for (const outage of this.outages) {
			if (outage.from >= time && (next === undefined || outage.from < next.from)) {
				next = outage;
			}
		}
		return next;
	}

	private insert(batch: Batch): void {
		let place = this.pending.length;
		while (place > 0 && (this.pending[place - 1] as Batch).outcomeAt > batch.outcomeAt) {
			place--;
		}
		this.pending.splice(place, 0, batch);
	}
}
