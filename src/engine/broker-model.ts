import { BrokerCourses, type BrokerSetup, type Course } from "./broker-courses.js";
import { Producers } from "./producers.js";
import { FLOATS, RecordBuffer } from "./record-layout.js";
import { TimeQueue } from "./time-queue.js";

/** What a gateway hears of its batch, as records say it. */
export const OUTCOME_FAILED = 0;
export const OUTCOME_COMMITTED = 1;
export const OUTCOME_FENCED = 2;

/** A produce request or transaction on its way. */
export interface Batch {
	readonly gateway: number;
	readonly id: number;
	/** The shard whose producer it goes through; without meaning under policy `none`. */
	readonly shard: number;
	/** Which initialisation of the producer; 0 under policy `none`. */
	readonly generation: number;
	/** ENTRY records. A transaction without any makes a new owner's term known. */
	readonly entries: RecordBuffer;
	readonly count: number;
	/** When its readings are in the log, if they get there. */
	readonly loggedAt: number;
	/** When the gateway hears of it. */
	readonly heardAt: number;
}

/** Who wants to know. */
export interface BrokerListener {
	/** A batch is in the log, or never will be. Its entries are void afterwards. */
	logged(batch: Batch, isStored: boolean): void;
	/** A gateway hears what became of its batch: OUTCOME_*. */
	heard(batch: Batch, outcome: number): void;
	/** A gateway hears that a shard's former producers are fenced and its checkpoints read, or that this has failed. */
	opened(gateway: number, shard: number, time: number, isOpen: boolean): void;
}

interface Flight extends Batch, Course {
	/** Which life of the gateway it is from: the dead hear nothing. */
	readonly life: number;
	isDoomed: boolean;
	isStored: boolean;
}

interface Opening {
	readonly gateway: number;
	readonly life: number;
	readonly shard: number;
	readonly generation: number;
	readonly heardAt: number;
	readonly isOpen: boolean;
}

type News =
	| { readonly what: "logged" | "heard"; readonly flight: Flight }
	| { readonly what: "fenced" | "opened"; readonly opening: Opening };

/** Buffers kept for the next batches, and the smallest one made. */
const SPARE_BUFFERS = 1_024;
const BUFFER_RECORDS = 16;

/**
 * The broker: nodes that each take their share of the ceiling; partitions spread over the nodes; a commit latency on top;
 * requests that take too long time out.
 *
 * A transaction counts if its producer is not fenced at the moment at which it is logged. One that times out is unknown to
 * the gateway: it may have been aborted, or be logged late, if nobody has fenced its producer by then. A plain request
 * that times out is stored all the same.
 */
export class BrokerModel {
	private readonly courses: BrokerCourses;
	private readonly producers: Producers;
	/** Per gateway and shard: the last fence that was asked for. */
	private readonly lastFence = new Map<number, number>();
	/** Per gateway: how often it has died. */
	private readonly lives: Int32Array;
	private readonly flights = new Set<Flight>();
	private readonly queue = new TimeQueue<News>();
	private readonly spare: RecordBuffer[] = [];

	constructor(private readonly setup: BrokerSetup) {
		this.courses = new BrokerCourses(setup);
		this.producers = new Producers(setup.ownership);
		this.lives = new Int32Array(setup.ownership.gateways);
	}

	/** Microseconds of work done by all nodes. */
	get busyMicros(): number {
		return this.courses.nodes.busyMicros;
	}

	/** The gateway whose producer may commit to a shard. */
	ownerOf(shard: number): number {
		return this.producers.ownerOf(shard);
	}

	/** Which initialisation may commit to a shard. */
	generationOf(shard: number): number {
		return this.producers.currentOf(shard);
	}

	/** A gateway asks for a shard at `time`: fence its former producers, then read its checkpoints. */
	open(gateway: number, shard: number, time: number): void {
		const course = this.courses.opening(gateway, shard, time);
		// What one gateway asks for twice happens in that order.
		const key = gateway * this.setup.ownership.shards + shard;
		const fencedAt = Math.max(course.fencedAt, this.lastFence.get(key) ?? 0);
		this.lastFence.set(key, fencedAt);
		const opening: Opening = {
			gateway,
			life: this.lives[gateway] as number,
			shard,
			generation: this.producers.next(),
			heardAt: course.isOpen ? Math.max(course.heardAt, fencedAt) : course.heardAt,
			isOpen: course.isOpen,
		};
		this.queue.push(fencedAt, { what: "fenced", opening });
		this.queue.push(opening.heardAt, { what: "opened", opening });
	}

	/** A gateway gives a shard up: what it has asked to commit may still be. */
	close(gateway: number, shard: number): void {
		this.producers.drop(gateway, shard);
	}

	/** Takes `count` ENTRY records of `source` from `first` on, sent by `gateway` at `time` through the producer of `shard`. */
	submit(
		gateway: number,
		id: number,
		shard: number,
		time: number,
		source: RecordBuffer,
		first: number,
		count: number,
	): void {
		const { transactional } = this.setup;
		const entries = this.copyEntries(source, first, count);
		const course = transactional
			? this.courses.transaction(gateway, id, shard, time, entries, count)
			: this.courses.request(gateway, id, time, entries, count);
		const generation = transactional ? this.producers.heldBy(gateway, shard) : 0;
		const life = this.lives[gateway] as number;
		const flight: Flight = {
			gateway,
			id,
			shard,
			generation,
			entries,
			count,
			life,
			isStored: false,
			...course,
		};
		this.flights.add(flight);
		this.queue.push(flight.isDoomed ? flight.heardAt : flight.loggedAt, { what: "logged", flight });
		this.queue.push(flight.heardAt, { what: "heard", flight });
	}

	/** A gateway's process dies at `time`. What it had not asked to commit never is; it hears of nothing any more. */
	die(gateway: number, time: number): void {
		this.lives[gateway] = (this.lives[gateway] as number) + 1;
		if (!this.setup.transactional) {
			return;
		}
		this.producers.forget(gateway);
		for (const flight of this.flights) {
			if (flight.gateway === gateway && flight.askedAt > time) {
				flight.isDoomed = true;
			}
		}
	}

	/** When the next thing happens; Infinity for never. */
	nextTime(): number {
		return this.queue.nextTime();
	}

	/** Tells, in time order, what happens before `horizon`: how many things. */
	settle(horizon: number, listener: BrokerListener): number {
		let count = 0;
		for (let news = this.queue.pop(horizon); news !== undefined; news = this.queue.pop(horizon)) {
			count++;
			switch (news.what) {
				case "logged":
					this.log(news.flight, listener);
					break;
				case "heard":
					this.hear(news.flight, listener);
					break;
				case "fenced":
					this.producers.fence(news.opening.shard, news.opening.generation, news.opening.gateway);
					break;
				case "opened":
					this.tellOpened(news.opening, listener);
			}
		}
		return count;
	}

	private log(flight: Flight, listener: BrokerListener): void {
		const { shard, generation, entries } = flight;
		this.flights.delete(flight);
		const isGood = !this.setup.transactional || this.producers.isCurrent(shard, generation);
		flight.isStored = isGood && !flight.isDoomed;
		listener.logged(flight, flight.isStored);
		if (this.spare.length < SPARE_BUFFERS) {
			this.spare.push(entries);
		}
	}

	private hear(flight: Flight, listener: BrokerListener): void {
		if (flight.life !== this.lives[flight.gateway]) {
			return;
		}
		if (flight.isTimedOut) {
			listener.heard(flight, OUTCOME_FAILED);
		} else {
			listener.heard(flight, flight.isStored ? OUTCOME_COMMITTED : OUTCOME_FENCED);
		}
	}

	private tellOpened(opening: Opening, listener: BrokerListener): void {
		const { gateway, life, shard, generation, heardAt, isOpen } = opening;
		if (life !== this.lives[gateway]) {
			return;
		}
		if (isOpen) {
			this.producers.hold(gateway, shard, generation);
		}
		listener.opened(gateway, shard, heardAt, isOpen);
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
}
