import type { BrokerSetup } from "./broker-courses.js";
import { type Batch, BrokerModel } from "./broker-model.js";
import { FrameRing } from "./frame-ring.js";
import { GatewayCpus, withoutFilter } from "./gateway-cpus.js";
import { GatewayInbox } from "./gateway-inbox.js";
import type { GatewayTransition } from "./gateway-plan.js";
import { ACCESS_OPEN } from "./gateway-states.js";
import { LINK_BROWN_OUT, LINK_UP } from "./link.js";
import { Membership } from "./membership.js";
import type { NativeCluster } from "./native.js";
import { PeerWires } from "./peer-wires.js";
import {
	A,
	B,
	D,
	DEVICE,
	FLOATS,
	INTS,
	KIND_ACCUSE,
	KIND_CLOSE,
	KIND_FREEZE,
	KIND_GATEWAY,
	KIND_OPEN,
	KIND_OPENED,
	KIND_OUTCOME,
	KIND_RESTART,
	KIND_START,
	KIND_SUBMISSION,
	META,
	RecordBuffer,
} from "./record-layout.js";
import type { Witness } from "./witness.js";
import type { World } from "./world.js";

const OUTBOX_RECORDS = 65_536;
const ACCEPTED = 0;
const ANSWERED = 1;
const SHARD_BITS = 0xffff;

/** Devices beside the fleet. */
export interface Hostile {
	hear(device: number, records: RecordBuffer, index: number): void;
}

/** Where frames for devices go. */
export interface Downlink {
	deliver(device: number, time: number, source: RecordBuffer, index: number): void;
}

/** The gateways with their receive queues and CPUs, what they know of each other, and the broker behind them. */
export class GatewaySide {
	private readonly arrivals: FrameRing;
	/** Per gateway: the next slice in which frames arrive. */
	private readonly attention: Float64Array;
	private readonly cpus: GatewayCpus;
	private readonly broker: BrokerModel;
	private readonly peers: Membership | PeerWires;
	private readonly inbox: GatewayInbox;
	private verdicts = new Uint8Array(OUTBOX_RECORDS);
	private outbox = new RecordBuffer(OUTBOX_RECORDS);
	private attached: RecordBuffer | undefined;
	private readonly counts = new Float64Array(3);
	private busy: boolean;
	private readonly isSwarm: boolean;
	/** Those who attack, to hear what they are answered. */
	attackers: Hostile | undefined;
	/** Polls every gateway in every slice, for a test that it changes nothing. */
	everySlice = false;
	downlink: Downlink | undefined;

	constructor(
		private readonly world: World,
		private readonly cluster: NativeCluster,
		private readonly witness: Witness,
		private readonly sliceMicros: number,
		ringSlices: number,
		broker: Pick<BrokerSetup, "outages" | "losses" | "slowdowns" | "paths">,
	) {
		const { scenario, policy, streams, ownership } = world;
		const { count, costs, receiveQueueFrames, detectAfterMicros, swarm } = scenario.gateways;
		this.arrivals = new FrameRing(count, ringSlices);
		this.attention = new Float64Array(count).fill(Number.POSITIVE_INFINITY);
		this.cpus = new GatewayCpus(
			count,
			policy.admission === "open" ? withoutFilter(costs) : costs,
			receiveQueueFrames,
		);
		const transactional = policy.exactlyOnce;
		this.broker = new BrokerModel({ ...broker, broker: scenario.broker, ownership, transactional, streams });
		this.isSwarm = swarm !== undefined && transactional;
		this.peers = this.isSwarm
			? new PeerWires(world.gateways)
			: new Membership(world.gateways, detectAfterMicros);
		// Gossip never rests.
		this.busy = this.isSwarm;
		this.inbox = new GatewayInbox(count, OUTBOX_RECORDS);
	}

	/** Hands the arrays to the native library, again where the inbox has grown. */
	private attach(): void {
		const { buffer } = this.inbox;
		if (buffer === this.attached) {
			return;
		}
		this.attached = buffer;
		if (this.verdicts.length < buffer.capacity) {
			this.verdicts = new Uint8Array(buffer.capacity);
			this.outbox = new RecordBuffer(buffer.capacity);
		}
		this.cluster.attach(buffer.floats, this.verdicts, this.outbox.floats, this.counts);
	}

	/** A frame arrives at a gateway at `time`. */
	push(gateway: number, slice: number, time: number, source: RecordBuffer, index: number): void {
		this.arrivals.push(gateway, slice, time, source, index);
		if (slice < (this.attention[gateway] as number)) {
			this.attention[gateway] = slice;
		}
	}

	/** A gateway accuses a device, or the address that it has. */
	accuse(gateway: number, time: number, device: number, isAddress: boolean): void {
		this.inbox.hear(gateway, KIND_ACCUSE, time, device, Number(isAddress));
	}

	/** A fault hits some gateways at the start of `slice`. */
	hit(slice: number, { gateways, outage, backSlice }: GatewayTransition): void {
		const time = slice * this.sliceMicros;
		const until = backSlice * this.sliceMicros;
		for (const gateway of gateways) {
			this.world.takeovers.begin(outage.kind, gateway, time, this.ownedBy(gateway));
			if (outage.kind === "gateway") {
				this.cpus.clear(gateway);
				this.broker.die(gateway, time);
				this.peers.forget(gateway);
				this.inbox.hear(gateway, KIND_RESTART, time);
			} else if (outage.kind === "gateway-freeze") {
				this.cpus.freeze(gateway, time, until);
				this.inbox.hear(gateway, KIND_FREEZE, time, 0, 1);
			}
			this.peers.look(gateway, time);
		}
	}

	/** It is over. */
	heal(slice: number, { gateways, outage }: GatewayTransition): void {
		const time = slice * this.sliceMicros;
		for (const gateway of gateways) {
			if (outage.kind === "gateway-freeze") {
				this.inbox.hear(gateway, KIND_FREEZE, time, 0, 0);
			} else if (outage.kind === "gateway" && this.isSwarm) {
				this.inbox.hear(gateway, KIND_START, time);
			}
			this.peers.look(gateway, time);
		}
	}

	private ownedBy(gateway: number): { shard: number; generation: number }[] {
		const owned: { shard: number; generation: number }[] = [];
		if (!this.world.policy.exactlyOnce) {
			return owned;
		}
		for (let shard = 0; shard < this.world.ownership.shards; shard++) {
			if (this.broker.ownerOf(shard) === gateway) {
				owned.push({ shard, generation: this.broker.generationOf(shard) });
			}
		}
		return owned;
	}

	/** Runs the slice. */
	run(slice: number): void {
		const start = slice * this.sliceMicros;
		const horizon = start + this.sliceMicros;
		this.receive(slice);
		this.inbox.count = 0;
		this.world.events += this.broker.settle(horizon, this);
		this.learn(horizon);
		for (let gateway = 0; gateway < this.world.gateways.count; gateway++) {
			this.inbox.putBlock(gateway, this.cpus, start, horizon);
		}
		if (this.inbox.count > 0 || this.busy || this.everySlice) {
			this.handle(horizon, this.inbox.count);
		}
	}

	/** The next slice after `slice` in which something is due; Infinity for none. */
	nextSlice(slice: number): number {
		if (this.busy) {
			return slice + 1;
		}
		let time = Math.min(this.broker.nextTime(), this.peers.nextTime());
		let next = Number.POSITIVE_INFINITY;
		for (let n = 0; n < this.world.gateways.count; n++) {
			time = Math.min(time, this.cpus.nextFinish(n));
			next = Math.min(next, this.attention[n] as number);
		}
		return Math.min(Math.floor(time / this.sliceMicros), next);
	}

	/** Gateways learn who is there. Where nobody owns shards, nobody asks. */
	private learn(horizon: number): void {
		const { exactlyOnce } = this.world.policy;
		this.peers.tell(horizon, (observer, member, time, isAlive) => {
			if (exactlyOnce) {
				this.inbox.hear(observer, this.peers.kind, time, member, Number(isAlive));
			}
		});
	}

	/** A batch is in the log, or never will be. */
	logged(batch: Batch, isStored: boolean): void {
		if (this.world.policy.exactlyOnce) {
			this.inbox.putStored(batch.loggedAt, batch.gateway, batch.id, isStored);
		}
		if (isStored) {
			this.witness.see(batch);
		}
	}

	/** A gateway hears what became of its batch. */
	heard({ gateway, heardAt, id, shard }: Batch, outcome: number): void {
		this.inbox.hear(gateway, KIND_OUTCOME, heardAt, id, outcome, shard);
	}

	/** A gateway hears that a shard is open, or cannot be opened. */
	opened(gateway: number, shard: number, time: number, isOpen: boolean): void {
		this.inbox.hear(gateway, KIND_OPENED, time, shard, Number(isOpen));
	}

	private receive(slice: number): void {
		const { inbox, arrivals, attention, world } = this;
		inbox.count = 0;
		for (let gateway = 0; gateway < attention.length; gateway++) {
			if ((attention[gateway] as number) > slice) {
				continue;
			}
			const expected = arrivals.count(gateway, slice);
			inbox.makeRoom(inbox.count + expected + 1);
			const block = inbox.count;
			const count = arrivals.take(gateway, slice, inbox.buffer, block + 1);
			attention[gateway] = arrivals.nextSlice(gateway, slice + 1);
			world.events += count;
			if (world.gateways.access(gateway) !== ACCESS_OPEN) {
				world.drops["link-down"] += count;
			} else if (count > 0) {
				inbox.buffer.put(block, slice * this.sliceMicros, gateway, KIND_GATEWAY);
				inbox.count += count + 1;
			}
		}
		if (inbox.count > 0) {
			this.filter(inbox.count);
		}
	}

	/** The kernel's half: the first `count` records of the inbox. */
	private filter(count: number): void {
		const { cpus, verdicts, world } = this;
		this.attach();
		const answers = this.cluster.ingress(0, count);
		const { buffer } = this.inbox;
		let gateway = 0;
		for (let n = 0; n < count; n++) {
			if (kindOf(buffer, n) === KIND_GATEWAY) {
				gateway = buffer.ints[n * INTS + DEVICE] as number;
			} else if (verdicts[n] !== ACCEPTED) {
				cpus.refuse(gateway, buffer, n, verdicts[n] === ANSWERED);
			} else if (!cpus.offer(gateway, buffer, n)) {
				world.drops["receive-queue-full"]++;
			}
		}
		this.dispatch(this.outbox, answers);
	}

	private handle(horizon: number, count: number): void {
		this.attach();
		const { cluster, outbox, counts } = this;
		cluster.handle(horizon, count);
		this.busy = counts[2] === 1;
		let left = counts[1] as number;
		const records = counts[0] as number;
		if (left === 0) {
			this.dispatch(outbox, records);
			return;
		}
		// A batch may be cut by the outbox's end: gather everything first.
		const all = new RecordBuffer(records + left);
		all.floats.set(outbox.floats.subarray(0, records * FLOATS));
		let filled = records;
		while (left > 0) {
			const more = cluster.drain();
			all.floats.set(outbox.floats.subarray(0, more * FLOATS), filled * FLOATS);
			filled += more;
			left -= more;
		}
		this.dispatch(all, filled);
	}

	/** Carries out what gateways want: blocks of records, each after a GATEWAY record. */
	private dispatch(records: RecordBuffer, count: number): void {
		const { ints, floats } = records;
		let block = 0;
		for (let n = 0; n < count; n++) {
			const at = n * INTS;
			const time = floats[n * FLOATS] as number;
			const gateway = ints[at + DEVICE] as number;
			const a = ints[at + A] as number;
			switch (kindOf(records, n)) {
				case KIND_GATEWAY:
					block = gateway;
					break;
				case KIND_SUBMISSION: {
					const entries = ints[at + B] as number;
					const shard = (ints[at + D] as number) & SHARD_BITS;
					this.broker.submit(gateway, a, shard, time, records, n + 1, entries);
					n += entries;
					break;
				}
				case KIND_OPEN:
					this.broker.open(gateway, a, time);
					break;
				case KIND_CLOSE:
					this.broker.close(gateway, a);
					break;
				default:
					this.send(block, records, n);
			}
		}
	}

	private send(gateway: number, records: RecordBuffer, index: number): void {
		const { world } = this;
		const device = records.ints[index * INTS + DEVICE] as number;
		const time = records.floats[index * FLOATS] as number;
		world.frames++;
		if (device >= world.ownership.devices) {
			this.attackers?.hear(device, records, index);
			return;
		}
		const state = world.links.of(device);
		if ((state !== LINK_UP && state < LINK_BROWN_OUT) || !world.gateways.isHeard(gateway)) {
			world.drops["link-down"]++;
			return;
		}
		const label = (records.ints[index * INTS + META] as number) & 0xffff;
		const travel = world.links.travel(false, device, time, label);
		if (travel < 0) {
			world.drops["link-loss"]++;
			return;
		}
		this.downlink?.deliver(device, time + travel, records, index);
		if (world.links.duplicated) {
			this.downlink?.deliver(device, time + 2 * travel, records, index);
		}
	}
}

function kindOf(records: RecordBuffer, index: number): number {
	return (records.ints[index * INTS + META] as number) & 0xff;
}
