import type { Broker } from "../scenarios/scenario.js";
import { BrokerNodes } from "./broker-nodes.js";
import type { Slowdown } from "./broker-slowdowns.js";
import type { GatewayPaths } from "./gateway-paths.js";
import type { Interval } from "./gateway-plan.js";
import type { Ownership } from "./ownership.js";
import { QuantileTable } from "./quantile-table.js";
import { C, DEVICE, INTS, type RecordBuffer } from "./record-layout.js";
import { PURPOSE_COMMIT, PURPOSE_FATE, PURPOSE_FENCE, type Streams } from "./streams.js";

/** What the model of the broker runs on. */
export interface BrokerSetup {
	readonly broker: Broker;
	readonly ownership: Ownership;
	/** The whole broker is down. */
	readonly outages: readonly Interval[];
	/** By node: its partitions have no leader. */
	readonly losses: readonly (readonly Interval[])[];
	/** The whole broker is slow. */
	readonly slowdowns: readonly Slowdown[];
	readonly paths: GatewayPaths;
	/** Transactions with fenced producers; else plain requests, as under policy `none`. */
	readonly transactional: boolean;
	readonly streams: Streams;
}

/** How a request will go if nobody interferes. */
export interface Course {
	/** When the gateway has asked for the commit; until then its death means that there is none. */
	readonly askedAt: number;
	/** When the readings are in the log. */
	readonly loggedAt: number;
	/** When the gateway hears of it. */
	readonly heardAt: number;
	/** The gateway gives up on it, whatever becomes of it. */
	readonly isTimedOut: boolean;
	/** Nothing of it will ever be in the log. */
	readonly isDoomed: boolean;
}

/** How the opening of a shard will go. */
export interface OpeningCourse {
	/** When the former producers are fenced: also where the gateway has given up by then. */
	readonly fencedAt: number;
	readonly heardAt: number;
	readonly isOpen: boolean;
}

/**
 * Reading a shard's checkpoints: a few milliseconds, then per mark what a prototype took against a real broker (a million
 * marks in 1.8 s); a device has two. One gateway reads one shard after the other.
 */
const RESTORE_MICROS = 3_000;
const MARK_MICROS = 1.8;
const MARKS_PER_DEVICE = 2;
/** Of the transactions that time out, so many are logged all the same: late, or without a word to the gateway. */
const LOGGED_SHARE = 0.5;

/** When what gateways ask of the broker arrives, is done, and is heard of. Every draw is a function of seed, gateway and time. */
export class BrokerCourses {
	readonly nodes: BrokerNodes;
	private readonly commit: QuantileTable;
	/** Per gateway: when the last answer to a plain request comes; one connection keeps their order. */
	private readonly lastOf: Float64Array;
	/** Per gateway: until when it reads checkpoints. */
	private readonly readingUntil: Float64Array;
	private readonly shares: Float64Array;

	constructor(private readonly setup: BrokerSetup) {
		const { broker, ownership } = setup;
		this.nodes = new BrokerNodes(broker, setup.outages, setup.losses, setup.slowdowns);
		this.lastOf = new Float64Array(ownership.gateways);
		this.readingUntil = new Float64Array(ownership.gateways);
		this.shares = new Float64Array(broker.nodes);
		this.commit = new QuantileTable({
			minMicros: broker.commitMinMicros,
			medianMicros: broker.commitMedianMicros,
			p99Micros: broker.commitP99Micros,
			maxMicros: broker.commitP99Micros * 2,
		});
	}

	/** When a gateway gives up on what it asks at `time`. No answer can come sooner than the shortest commit. */
	private limit(gateway: number, time: number): number {
		const { requestTimeoutMicros, commitMinMicros } = this.setup.broker;
		return this.setup.paths.awake(gateway, time + Math.max(requestTimeoutMicros, commitMinMicros));
	}

	/** Fencing a shard, then reading its checkpoints. */
	opening(gateway: number, shard: number, time: number): OpeningCourse {
		const { nodes, setup } = this;
		const node = nodes.nodeOf(shard);
		const latency = this.commit.at(setup.streams.draw(PURPOSE_FENCE, gateway, time, shard));
		const asked = nodes.after(node, setup.paths.toBroker(gateway, time));
		const fencedAt = nodes.after(node, asked + latency);
		const marks = MARKS_PER_DEVICE * setup.ownership.devicesIn(shard);
		const from = Math.max(fencedAt, this.readingUntil[gateway] as number);
		const readAt = nodes.after(node, from + RESTORE_MICROS + Math.ceil(marks * MARK_MICROS));
		const heardAt = setup.paths.fromBroker(gateway, readAt);
		const limit = this.limit(gateway, time);
		const isOpen = heardAt <= limit;
		if (isOpen) {
			this.readingUntil[gateway] = readAt;
		}
		return { fencedAt, heardAt: Math.min(heardAt, limit), isOpen };
	}

	/** A transaction: its readings all go to the node of its shard. */
	transaction(
		gateway: number,
		id: number,
		shard: number,
		time: number,
		entries: RecordBuffer,
		count: number,
	): Course {
		const { nodes, setup } = this;
		const { paths, streams, broker } = setup;
		const node = nodes.nodeOf(shard);
		const latency = this.commit.at(streams.draw(PURPOSE_COMMIT, gateway, time, id));
		const half = Math.floor(latency / 2);
		const appended = nodes.append(node, readingsOf(entries, count), paths.toBroker(gateway, time), time);
		const askedAt = paths.toBroker(gateway, appended + half);
		const doneAt = nodes.after(node, askedAt + latency - half);
		const limit = this.limit(gateway, time);
		const lostAt = nodes.lostBetween(node, time, doneAt);
		const heardAt = paths.fromBroker(gateway, doneAt);
		if (lostAt === undefined && heardAt <= limit) {
			return { askedAt, loggedAt: doneAt, heardAt, isTimedOut: false, isDoomed: false };
		}
		const fate = { askedAt, heardAt: limit, isTimedOut: true };
		if (lostAt !== undefined && askedAt <= lostAt && lostAt >= time + broker.commitMinMicros) {
			// The leader had all that it needed, and died before it answered.
			return { ...fate, loggedAt: lostAt, isDoomed: false };
		}
		const draw = streams.draw(PURPOSE_FATE, gateway, time, id) / 0x1_0000_0000;
		return { ...fate, loggedAt: doneAt, isDoomed: draw >= LOGGED_SHARE };
	}

	/** A plain request: each of its readings goes to the node of its own partition. It is stored whatever the gateway hears. */
	request(gateway: number, id: number, time: number, entries: RecordBuffer, count: number): Course {
		const { nodes, setup } = this;
		const latency = this.commit.at(setup.streams.draw(PURPOSE_COMMIT, gateway, time, id));
		const sent = setup.paths.toBroker(gateway, time);
		this.shareOut(entries, count);
		let appended = sent;
		for (let node = 0; node < nodes.count; node++) {
			if (this.shares[node] !== 0) {
				appended = Math.max(appended, nodes.append(node, this.shares[node] as number, sent, time));
			}
		}
		let doneAt = Math.max(appended + latency, this.lastOf[gateway] as number);
		let isLost = false;
		for (let node = 0; node < nodes.count; node++) {
			if (this.shares[node] !== 0) {
				isLost ||= nodes.lostBetween(node, time, doneAt) !== undefined;
				doneAt = nodes.after(node, doneAt);
			}
		}
		this.lastOf[gateway] = doneAt;
		const heardAt = setup.paths.fromBroker(gateway, doneAt);
		const limit = this.limit(gateway, time);
		const isTimedOut = isLost || heardAt > limit;
		return {
			askedAt: sent,
			loggedAt: doneAt,
			heardAt: isTimedOut ? limit : heardAt,
			isTimedOut,
			isDoomed: false,
		};
	}

	private shareOut(entries: RecordBuffer, count: number): void {
		this.shares.fill(0);
		for (let n = 0; n < count; n++) {
			const device = entries.ints[n * INTS + DEVICE] as number;
			const node = this.nodes.nodeOf(this.setup.ownership.shardOf(device));
			const readings = (entries.ints[n * INTS + C] as number) & 0xffff;
			this.shares[node] = (this.shares[node] as number) + readings;
		}
	}
}

function readingsOf(entries: RecordBuffer, count: number): number {
	let readings = 0;
	for (let n = 0; n < count; n++) {
		readings += (entries.ints[n * INTS + C] as number) & 0xffff;
	}
	return readings;
}
