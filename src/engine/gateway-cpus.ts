import { C, DEVICE, FLOATS, INTS, KIND_HELLO, META, type RecordBuffer } from "./record-layout.js";

/** What the CPU of a gateway spends, in microseconds. */
export interface ServiceTimes {
	readonly helloMicros: number;
	readonly dataMicros: number;
	readonly readingNanos: number;
}

/**
 * One first-come first-served CPU per gateway, behind a bounded receive queue. Answers that the kernel gives by itself
 * cost nothing here.
 */
export class GatewayCpus {
	private readonly queues: CpuQueue[];

	constructor(
		gateways: number,
		private readonly times: ServiceTimes,
		queueFrames: number,
	) {
		this.queues = Array.from({ length: gateways }, () => new CpuQueue(queueFrames));
	}

	/** Queues an accepted frame: false if the receive queue is full. */
	offer(source: RecordBuffer, index: number): boolean {
		const device = source.ints[index * INTS + DEVICE] as number;
		const queue = this.queues[device % this.queues.length] as CpuQueue;
		const at = index * INTS;
		const kind = (source.ints[at + META] as number) & 0xff;
		const readings = (source.ints[at + C] as number) & 0xffff;
		const cost =
			kind === KIND_HELLO
				? this.times.helloMicros
				: this.times.dataMicros + Math.ceil((readings * this.times.readingNanos) / 1000);
		return queue.offer(source, index, cost);
	}

	/** Moves the frames that gateway `gateway` finishes before `horizon` into `target`: how many. */
	take(gateway: number, horizon: number, target: RecordBuffer, at: number): number {
		return (this.queues[gateway] as CpuQueue).take(horizon, target, at);
	}

	/** Frames that wait at one gateway. */
	waiting(gateway: number): number {
		return (this.queues[gateway] as CpuQueue).size;
	}

	/** When gateway `gateway` finishes the frame at the head of its queue; Infinity for none. */
	nextFinish(gateway: number): number {
		return (this.queues[gateway] as CpuQueue).nextFinish();
	}

	/** The process dies: its queue is gone. */
	clear(gateway: number): void {
		(this.queues[gateway] as CpuQueue).clear();
	}
}

/** Room to start with: a limit of billions of frames is legal, and must not take their memory up front. */
const FIRST_ROOM_FRAMES = 1_024;

class CpuQueue {
	size = 0;
	private head = 0;
	private busyUntil = 0;
	private room: number;
	private finish: Float64Array;
	private ints: Int32Array;

	constructor(private readonly limit: number) {
		this.room = Math.min(limit, FIRST_ROOM_FRAMES);
		this.finish = new Float64Array(this.room);
		this.ints = new Int32Array(this.room * INTS);
	}

	offer(source: RecordBuffer, index: number, cost: number): boolean {
		const arrival = source.floats[index * FLOATS] as number;
		if (this.size === this.limit) {
			return false;
		}
		if (this.size === this.room) {
			this.grow();
		}
		const slot = (this.head + this.size) % this.room;
		this.busyUntil = Math.max(this.busyUntil, arrival) + cost;
		this.finish[slot] = this.busyUntil;
		for (let n = DEVICE; n < INTS; n++) {
			this.ints[slot * INTS + n] = source.ints[index * INTS + n] as number;
		}
		this.size++;
		return true;
	}

	take(horizon: number, target: RecordBuffer, at: number): number {
		let to = at;
		while (this.size > 0 && (this.finish[this.head] as number) < horizon) {
			target.floats[to * FLOATS] = this.finish[this.head] as number;
			for (let n = DEVICE; n < INTS; n++) {
				target.ints[to * INTS + n] = this.ints[this.head * INTS + n] as number;
			}
			this.head = (this.head + 1) % this.room;
			this.size--;
			to++;
		}
		return to - at;
	}

	nextFinish(): number {
		return this.size === 0 ? Number.POSITIVE_INFINITY : (this.finish[this.head] as number);
	}

	clear(): void {
		this.size = 0;
		this.busyUntil = 0;
	}

	/** Doubles the room and lays the queue out from the start. */
	private grow(): void {
		const room = Math.min(this.limit, this.room * 2);
		const finish = new Float64Array(room);
		const ints = new Int32Array(room * INTS);
		finish.set(this.finish.subarray(this.head));
		finish.set(this.finish.subarray(0, this.head), this.room - this.head);
		ints.set(this.ints.subarray(this.head * INTS));
		ints.set(this.ints.subarray(0, this.head * INTS), (this.room - this.head) * INTS);
		this.head = 0;
		this.room = room;
		this.finish = finish;
		this.ints = ints;
	}
}
