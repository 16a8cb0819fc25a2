import { type Batch, BrokerModel } from "./broker-model.js";
import type { Collector } from "./collector.js";
import { FrameRing } from "./frame-ring.js";
import { GatewayCpus, withoutFilter } from "./gateway-cpus.js";
import { LINK_BROWN_OUT, LINK_UP } from "./link.js";
import type { NativeCluster } from "./native.js";
import {
	A,
	B,
	C,
	D,
	DEVICE,
	FLAG_BACKFILL,
	FLOATS,
	INTS,
	KIND_OUTCOME,
	KIND_RESTART,
	KIND_SUBMISSION,
	META,
	RecordBuffer,
} from "./record-layout.js";
import type { World } from "./world.js";

const OUTBOX_RECORDS = 65_536;
const ACCEPTED = 0;
const ANSWERED = 1;

/** Where frames for devices go. */
export interface Downlink {
	deliver(device: number, time: number, source: RecordBuffer, index: number): void;
}

/** The gateways with their receive queues and CPUs, and the broker behind them. */
export class GatewaySide {
	private readonly arrivals: FrameRing;
	private readonly cpus: GatewayCpus;
	private readonly broker: BrokerModel;
	private inbox = new RecordBuffer(OUTBOX_RECORDS);
	private verdicts = new Uint8Array(OUTBOX_RECORDS);
	private outbox = new RecordBuffer(OUTBOX_RECORDS);
	private readonly counts = new Float64Array(3);
	/** What the broker will have stored, in the order of storing. */
	private readonly unstored: Batch[] = [];
	private busy = false;
	/** Polls every gateway in every slice, for a test that it changes nothing. */
	everySlice = false;
	private pending = 0;
	downlink: Downlink | undefined;

	constructor(
		private readonly world: World,
		private readonly cluster: NativeCluster,
		private readonly collector: Collector,
		private readonly sliceMicros: number,
		ringSlices: number,
		brokerOutages: readonly { readonly from: number; readonly to: number }[],
	) {
		const { gateways, broker } = world.scenario;
		this.arrivals = new FrameRing(1, ringSlices);
		const { exactlyOnce, admission } = world.policy;
		const costs = admission === "open" ? withoutFilter(gateways.costs) : gateways.costs;
		this.cpus = new GatewayCpus(gateways.count, costs, gateways.receiveQueueFrames);
		this.broker = new BrokerModel(broker, gateways.count, brokerOutages, exactlyOnce, world.streams);
		this.attach();
	}

	private attach(): void {
		this.cluster.attach(this.inbox.floats, this.verdicts, this.outbox.floats, this.counts);
	}

	/** A frame arrives at its gateway at `time`. */
	push(slice: number, time: number, source: RecordBuffer, index: number): void {
		this.arrivals.push(0, slice, time, source, index);
	}

	/** Gateway `gateway` dies at the start of `slice`. */
	kill(slice: number, gateway: number): void {
		this.cpus.clear(gateway);
		for (const orphan of this.broker.abandon(gateway)) {
			this.storeLater(orphan);
		}
		this.inbox.put(this.pending++, slice * this.sliceMicros, gateway, KIND_RESTART);
	}

	/** Runs the slice. */
	run(slice: number): void {
		const horizon = (slice + 1) * this.sliceMicros;
		this.receive(slice);
		let count = this.pending;
		this.pending = 0;
		const outcomes = this.outcomes(horizon);
		for (let gateway = 0; gateway < this.world.gatewayDown.length; gateway++) {
			count = this.merge(gateway, horizon, outcomes, count);
		}
		if (count > 0 || this.busy || this.everySlice) {
			this.handle(horizon, count);
		}
	}

	/** The next slice after `slice` in which something is due; Infinity for none. */
	nextSlice(slice: number): number {
		if (this.busy) {
			return slice + 1;
		}
		let time = this.broker.nextOutcome();
		for (let n = 0; n < this.world.gatewayDown.length; n++) {
			time = Math.min(time, this.cpus.nextFinish(n));
		}
		time = Math.min(time, this.unstored[0]?.storedAt ?? Number.POSITIVE_INFINITY);
		return Math.min(Math.floor(time / this.sliceMicros), this.arrivals.nextSlice(0, slice + 1));
	}

	private receive(slice: number): void {
		const expected = this.arrivals.count(0, slice);
		if (expected === 0) {
			return;
		}
		this.makeRoom(this.pending + expected);
		const count = this.arrivals.take(0, slice, this.inbox, this.pending);
		this.world.events += count;
		const answers = this.cluster.ingress(this.pending, count);
		const { gatewayDown, drops } = this.world;
		for (let n = 0; n < count; n++) {
			const index = this.pending + n;
			if (this.verdicts[n] !== ACCEPTED) {
				this.cpus.refuse(this.inbox, index, this.verdicts[n] === ANSWERED);
				continue;
			}
			const device = this.inbox.ints[index * INTS + DEVICE] as number;
			if (gatewayDown[device % gatewayDown.length] === 1) {
				drops["link-down"]++;
			} else if (!this.cpus.offer(this.inbox, index)) {
				drops["receive-queue-full"]++;
			}
		}
		for (let n = 0; n < answers; n++) {
			this.send(n);
		}
	}

	/** Batches decided before `horizon`, in time order; and stores what is in the log by then. */
	private outcomes(horizon: number): Batch[] {
		const decided: Batch[] = [];
		for (let batch = this.broker.next(horizon); batch !== undefined; batch = this.broker.next(horizon)) {
			decided.push(batch);
			this.world.events++;
			this.storeLater(batch);
		}
		for (let n = this.unstored[0]; n !== undefined && n.storedAt < horizon; n = this.unstored[0]) {
			this.unstored.shift();
			this.store(n);
		}
		return decided;
	}

	/** What timed out is stored late; batches of one moment keep their order, or old readings would pass for known. */
	private storeLater(batch: Batch): void {
		if (batch.storedAt === Number.POSITIVE_INFINITY) {
			return;
		}
		let place = this.unstored.length;
		while (place > 0 && (this.unstored[place - 1] as Batch).storedAt > batch.storedAt) {
			place--;
		}
		this.unstored.splice(place, 0, batch);
	}

	/** Writes a gateway's finished frames and its outcomes to the inbox, in time order. */
	private merge(gateway: number, horizon: number, outcomes: readonly Batch[], at: number): number {
		this.makeRoom(at + this.cpus.waiting(gateway) + outcomes.length);
		let to = at;
		for (const batch of outcomes) {
			if (batch.gateway !== gateway) {
				continue;
			}
			to += this.cpus.take(gateway, batch.outcomeAt, this.inbox, to);
			this.inbox.put(to++, batch.outcomeAt, gateway, KIND_OUTCOME, batch.id, Number(batch.committed));
		}
		return to + this.cpus.take(gateway, horizon, this.inbox, to);
	}

	private handle(horizon: number, count: number): void {
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

	private dispatch(records: RecordBuffer, count: number): void {
		const { ints, floats } = records;
		for (let n = 0; n < count; n++) {
			const at = n * INTS;
			if (((ints[at + META] as number) & 0xff) !== KIND_SUBMISSION) {
				this.sendFrom(records, n);
				continue;
			}
			const entries = ints[at + B] as number;
			const gateway = ints[at + DEVICE] as number;
			this.broker.submit(
				gateway,
				ints[at + A] as number,
				floats[n * FLOATS] as number,
				records,
				n + 1,
				entries,
			);
			n += entries;
		}
	}

	private send(index: number): void {
		this.sendFrom(this.outbox, index);
	}

	private sendFrom(records: RecordBuffer, index: number): void {
		const { world } = this;
		const device = records.ints[index * INTS + DEVICE] as number;
		const time = records.floats[index * FLOATS] as number;
		const state = world.links.of(device);
		world.frames++;
		if (state !== LINK_UP && state < LINK_BROWN_OUT) {
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

	private store(batch: Batch): void {
		const { ints } = batch.entries;
		const { world, collector } = this;
		const { ledger } = world;
		const intervalMillis = world.scenario.devices.firmware.readingIntervalMicros / 1_000;
		for (let n = 0; n < batch.count; n++) {
			const at = n * INTS;
			const device = ints[at + DEVICE] as number;
			const isBackfill = ((ints[at + META] as number) & FLAG_BACKFILL) !== 0;
			const sizes = ints[at + C] as number;
			const stride = sizes >>> 16;
			ledger.store(
				device,
				isBackfill,
				ints[at + A] as number,
				sizes & 0xffff,
				stride,
				ints[at + B] as number,
			);
			const { fresh } = ledger;
			world.stored(device, batch.storedAt, isBackfill ? fresh : 0);
			if (fresh === 0) {
				continue;
			}
			const dueMillis = (ints[at + D] as number) >>> 0;
			if (isBackfill) {
				const middle = dueMillis + (intervalMillis * stride * (fresh - 1)) / 2;
				collector.backfillAge(batch.storedAt / 1_000_000 - middle / 1_000, fresh);
			} else {
				collector.liveLatency(batch.storedAt - dueMillis * 1_000, fresh);
			}
		}
		this.broker.release(batch);
		world.counters.durable = ledger.durableTotal;
		world.counters.duplicates = ledger.duplicates;
	}

	private makeRoom(records: number): void {
		if (records <= this.inbox.capacity) {
			return;
		}
		const larger = new RecordBuffer(records * 2);
		larger.floats.set(this.inbox.floats);
		this.inbox = larger;
		this.verdicts = new Uint8Array(larger.capacity);
		if (this.outbox.capacity < larger.capacity) {
			this.outbox = new RecordBuffer(larger.capacity);
		}
		this.attach();
	}
}
