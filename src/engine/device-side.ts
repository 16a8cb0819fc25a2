import { FrameRing } from "./frame-ring.js";
import { ACCESS_OPEN, ACCESS_REFUSED, ACCESS_SWALLOWED } from "./gateway-states.js";
import { LINK_BLACK_HOLED, LINK_HALF_OPEN, LINK_REFUSED } from "./link.js";
import type { NativeFleet } from "./native.js";
import {
	A,
	B,
	C,
	DATA_READINGS,
	DEVICE,
	FLOATS,
	INTS,
	KIND_CONNECTED,
	KIND_DATA,
	KIND_DISCONNECTED,
	KIND_HELLO,
	KIND_LOST,
	KIND_REFUSED,
	META,
	RecordBuffer,
} from "./record-layout.js";
import { SHARD_DEVICES, ShardWheels } from "./shard-wheels.js";
import type { World } from "./world.js";

const SHARD_SHIFT = 13;
/** Records per native call, at most; more are handed over in the next one. */
const BATCH_RECORDS = 16_384;
const OUTBOX_RECORDS = 65_536;
/** On the wire: IP, UDP, header and MAC; then per reading a delta time and a value. */
export const FRAME_OVERHEAD_BYTES = 68;
export const WIRE_READING_BYTES = 16;
const FRAME_READINGS_MAX = 255;

/** Where frames that devices send to a gateway go. */
export interface Uplink {
	push(gateway: number, slice: number, time: number, source: RecordBuffer, index: number): void;
}

/** All devices: their timers and incoming frames, shard by shard, and the native stacks behind them. */
export class DeviceSide {
	readonly wheels: ShardWheels;
	private readonly frames: FrameRing;
	private inbox = new RecordBuffer(BATCH_RECORDS + SHARD_DEVICES);
	private readonly outbox = new RecordBuffer(OUTBOX_RECORDS);
	private timers = new Float64Array(this.inbox.capacity * 2);
	private readonly counts = new Float64Array(4);
	private readonly refusal = new RecordBuffer(1);
	private pending = 0;
	private readonly saysWrongTimes: boolean;
	/** Serialisation of a frame, by its readings. */
	private readonly airtime: Float64Array;
	/** Visits every shard in every slice, for a test that it changes nothing. */
	everySlice = false;

	constructor(
		private readonly world: World,
		private readonly fleet: NativeFleet,
		private readonly uplink: Uplink,
		private readonly sliceMicros: number,
		ringSlices: number,
	) {
		this.wheels = new ShardWheels(world.scenario.devices.count);
		this.frames = new FrameRing(this.wheels.shards, ringSlices);
		this.airtime = Float64Array.from({ length: FRAME_READINGS_MAX + 1 }, (_, readings) =>
			world.links.serialisation(FRAME_OVERHEAD_BYTES + readings * WIRE_READING_BYTES),
		);
		this.saysWrongTimes = !world.clocks.areAllRight;
		this.attach();
		this.armAll();
	}

	private attach(): void {
		const { inbox, outbox, timers, counts, world } = this;
		this.fleet.attach(inbox.floats, outbox.floats, timers, counts, world.routes);
	}

	/** A frame, or the network's own word, reaches a device at `time`. */
	deliver(device: number, time: number, source: RecordBuffer, index: number): void {
		const shard = device >>> SHARD_SHIFT;
		const slice = Math.floor(time / this.sliceMicros);
		this.frames.push(shard, slice, time, source, index);
		if (slice < (this.wheels.attention[shard] as number)) {
			this.wheels.attention[shard] = slice;
		}
	}

	/** Queues a world event (power, refusal) and its duration for the native stacks; `flush` hands it over. */
	post(slice: number, device: number, meta: number, micros: number): void {
		if (this.pending === BATCH_RECORDS) {
			this.flush(slice);
		}
		// Two 32-bit words: a slow boot takes longer than the 71 minutes that fit one.
		const high = Math.floor(micros / 0x1_0000_0000);
		this.inbox.put(this.pending++, slice * this.sliceMicros, device, meta, micros, high);
	}

	/** Hands over what was posted. */
	flush(slice: number): void {
		if (this.pending > 0) {
			this.step(slice, this.pending);
		}
		this.pending = 0;
	}

	/** Runs the slice in every shard that has something due. */
	run(slice: number): void {
		const { attention, shards } = this.wheels;
		const last = (slice + 1) * this.sliceMicros - 1;
		let count = 0;
		for (let shard = 0; shard < shards; shard++) {
			if ((attention[shard] as number) > slice && !this.everySlice) {
				continue;
			}
			this.makeRoom(count + this.frames.count(shard, slice) + this.wheels.devicesOf(shard), count);
			count += this.wheels.collect(shard, slice, last, this.inbox, count);
			count += this.frames.take(shard, slice, this.inbox, count);
			attention[shard] = Math.min(this.wheels.nextSlice(shard), this.frames.nextSlice(shard, slice + 1));
			if (count >= BATCH_RECORDS) {
				this.step(slice, count);
				count = 0;
			}
		}
		if (count > 0) {
			this.step(slice, count);
		}
	}

	/** The next slice in which a shard has something due; Infinity for none. */
	nextSlice(): number {
		let next = Number.POSITIVE_INFINITY;
		for (const slice of this.wheels.attention) {
			if (slice < next) {
				next = slice;
			}
		}
		return next;
	}

	private makeRoom(records: number, used: number): void {
		if (records <= this.inbox.capacity) {
			return;
		}
		const larger = new RecordBuffer(records * 2);
		larger.floats.set(this.inbox.floats.subarray(0, used * FLOATS));
		this.inbox = larger;
		this.timers = new Float64Array(larger.capacity * 2);
		this.attach();
	}

	private step(slice: number, count: number): void {
		const { fleet, counts } = this;
		fleet.step((slice + 1) * this.sliceMicros, count);
		this.world.events += counts[0] as number;
		this.dispatch(counts[1] as number);
		for (let left = counts[3] as number; left > 0; ) {
			const more = fleet.drain();
			this.dispatch(more);
			left -= more;
		}
		this.rearm(counts[2] as number);
	}

	private rearm(pairs: number): void {
		const { timers, wheels, sliceMicros } = this;
		for (let n = 0; n < pairs; n++) {
			const device = timers[2 * n] as number;
			const deadline = timers[2 * n + 1] as number;
			if (deadline < 0) {
				wheels.disarm(device);
			} else {
				wheels.arm(device, Math.floor(deadline / sliceMicros));
			}
		}
	}

	private dispatch(records: number): void {
		const { ints, floats } = this.outbox;
		let device = -1;
		let time = -1;
		let burst = 0;
		let queued = 0;
		for (let n = 0; n < records; n++) {
			const at = n * INTS;
			const kind = (ints[at + META] as number) & 0xff;
			const to = ints[at + DEVICE] as number;
			const now = floats[n * FLOATS] as number;
			if (kind === KIND_HELLO || kind === KIND_DATA) {
				if (to !== device || now !== time) {
					device = to;
					time = now;
					burst = 0;
					queued = 0;
				}
				const readings = kind === KIND_DATA ? (ints[at + C] as number) & DATA_READINGS : 0;
				if (this.saysWrongTimes && kind === KIND_DATA) {
					this.world.clocks.misstate(this.outbox, n, device);
				}
				queued += this.airtime[readings] as number;
				this.send(n, kind, device, time, burst++, queued);
			} else {
				this.note(kind, to, now, at);
			}
		}
	}

	private note(kind: number, device: number, time: number, at: number): void {
		const { ints } = this.outbox;
		const { world } = this;
		if (kind === KIND_CONNECTED) {
			world.connected(device, time, ints[at + A] as number);
		} else if (kind === KIND_DISCONNECTED) {
			world.disconnected(device, time);
		} else if (kind === KIND_LOST) {
			world.ledger.lose(device, ints[at + A] as number, ints[at + B] as number);
		}
	}

	private send(
		index: number,
		kind: number,
		device: number,
		time: number,
		burst: number,
		queued: number,
	): void {
		const { world } = this;
		const { links } = world;
		world.frames++;
		const state = links.of(device);
		const gateway = world.routes[device] as number;
		const access = world.gateways.access(gateway);
		const refused = state === LINK_REFUSED || access === ACCESS_REFUSED;
		if (kind === KIND_HELLO) {
			world.hellosSent++;
			links.reconnect(device);
			if (state !== LINK_REFUSED && state !== LINK_BLACK_HOLED && access === ACCESS_OPEN) {
				world.attempts++;
			}
		}
		const swallowed = state === LINK_BLACK_HOLED || access === ACCESS_SWALLOWED;
		if (swallowed || (refused && state === LINK_HALF_OPEN)) {
			world.drops["link-down"]++;
			return;
		}
		const travel = links.travel(true, device, time, burst);
		if (travel < 0) {
			world.drops["link-loss"]++;
			return;
		}
		if (refused) {
			world.drops["link-down"]++;
			this.refusal.put(0, 0, device, KIND_REFUSED);
			this.deliver(device, time + 2 * travel, this.refusal, 0);
			return;
		}
		const arrival = time + travel + queued;
		this.uplink.push(gateway, Math.floor(arrival / this.sliceMicros), arrival, this.outbox, index);
		if (links.duplicated) {
			const again = arrival + travel;
			this.uplink.push(gateway, Math.floor(again / this.sliceMicros), again, this.outbox, index);
		}
	}

	private armAll(): void {
		const { count } = this.world.scenario.devices;
		const deadlines = new Float64Array(SHARD_DEVICES);
		for (let first = 0; first < count; first += SHARD_DEVICES) {
			this.fleet.deadlines(first, deadlines);
			const some = Math.min(SHARD_DEVICES, count - first);
			for (let n = 0; n < some; n++) {
				this.wheels.arm(first + n, Math.floor((deadlines[n] as number) / this.sliceMicros));
			}
		}
	}
}
