import { type FrameCosts, NO_KERNEL_COSTS } from "../scenarios/frame-costs.js";
import {
	C,
	DATA_READINGS,
	DEVICE,
	FLOATS,
	INTS,
	KIND_HELLO,
	META,
	type RecordBuffer,
} from "./record-layout.js";

/**
 * One first-come first-served CPU per gateway, behind a bounded receive queue. What the filter in the kernel refuses costs
 * its time there and waits in no queue: whoever comes after it waits for it.
 */
export class GatewayCpus {
	private readonly queues: CpuQueue[];

	constructor(
		gateways: number,
		private readonly costs: FrameCosts,
		queueFrames: number,
	) {
		this.queues = Array.from({ length: gateways }, () => new CpuQueue(queueFrames));
	}

	/** Queues a frame that the filter of a gateway passed: false if the receive queue is full, and the filter's work was for nothing. */
	offer(gateway: number, source: RecordBuffer, index: number): boolean {
		const { helloNanos, dataNanos, readingNanos, kernel } = this.costs;
		const queue = this.queues[gateway] as CpuQueue;
		const isHello = kindOf(source, index) === KIND_HELLO;
		const filterNanos = isHello ? kernel.helloPassNanos : kernel.dataPassNanos;
		if (queue.isFull) {
			queue.work(timeOf(source, index), filterNanos);
			return false;
		}
		const readings = (source.ints[index * INTS + C] as number) & DATA_READINGS;
		const nanos = isHello ? helloNanos : dataNanos + readings * readingNanos;
		queue.push(source, index, filterNanos + nanos);
		return true;
	}

	/** Charges for a frame that went no further than the filter; `answered`: it was told to come back. */
	refuse(gateway: number, source: RecordBuffer, index: number, answered: boolean): void {
		const { helloDeferNanos, helloDropNanos, dataDropNanos } = this.costs.kernel;
		const isHello = kindOf(source, index) === KIND_HELLO;
		const dropNanos = isHello ? helloDropNanos : dataDropNanos;
		const queue = this.queues[gateway] as CpuQueue;
		queue.work(timeOf(source, index), answered ? helloDeferNanos : dropNanos);
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

	/** The process stops from one moment to another: its queue stays, and fills. */
	freeze(gateway: number, fromMicros: number, toMicros: number): void {
		(this.queues[gateway] as CpuQueue).freeze(fromMicros, toMicros);
	}
}

/** The costs of a gateway with nothing in front of it. */
export function withoutFilter(costs: FrameCosts): FrameCosts {
	return { ...costs, kernel: NO_KERNEL_COSTS };
}

function kindOf(source: RecordBuffer, index: number): number {
	return (source.ints[index * INTS + META] as number) & 0xff;
}

function timeOf(source: RecordBuffer, index: number): number {
	return source.floats[index * FLOATS] as number;
}

/** Room to start with: a limit of billions of frames is legal, and must not take their memory up front. */
const FIRST_ROOM_FRAMES = 1_024;
const NANOS_PER_MICRO = 1_000;

class CpuQueue {
	size = 0;
	private head = 0;
	/** Until when the CPU is busy: whole microseconds, and nanoseconds beyond. One number would lose them over months. */
	private busyMicros = 0;
	private busyNanos = 0;
	private room: number;
	private finish: Float64Array;
	private ints: Int32Array;

	constructor(private readonly limit: number) {
		this.room = Math.min(limit, FIRST_ROOM_FRAMES);
		this.finish = new Float64Array(this.room);
		this.ints = new Int32Array(this.room * INTS);
	}

	get isFull(): boolean {
		return this.size === this.limit;
	}

	/** Work that arrives at `arrivalMicros` and is done when what came before it is. Exact while it takes less than 100 days. */
	work(arrivalMicros: number, nanos: number): void {
		if (this.busyMicros < arrivalMicros) {
			this.busyMicros = arrivalMicros;
			this.busyNanos = 0;
		}
		const rest = this.busyNanos + nanos;
		const whole = Math.floor(rest / NANOS_PER_MICRO);
		this.busyMicros += whole;
		this.busyNanos = rest - whole * NANOS_PER_MICRO;
	}

	/** Queues a frame; done at the first whole microsecond at which its work is. There must be room. */
	push(source: RecordBuffer, index: number, nanos: number): void {
		if (this.size === this.room) {
			this.grow();
		}
		this.work(timeOf(source, index), nanos);
		const slot = (this.head + this.size) % this.room;
		this.finish[slot] = this.busyNanos > 0 ? this.busyMicros + 1 : this.busyMicros;
		for (let n = DEVICE; n < INTS; n++) {
			this.ints[slot * INTS + n] = source.ints[index * INTS + n] as number;
		}
		this.size++;
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

	/** Everything that is not done by `fromMicros` is done so much later; what comes meanwhile waits until `toMicros`. */
	freeze(fromMicros: number, toMicros: number): void {
		for (let n = 0; n < this.size; n++) {
			const slot = (this.head + n) % this.room;
			this.finish[slot] = (this.finish[slot] as number) + toMicros - fromMicros;
		}
		if (this.busyMicros > fromMicros) {
			this.busyMicros += toMicros - fromMicros;
		} else {
			this.busyMicros = toMicros;
			this.busyNanos = 0;
		}
	}

	clear(): void {
		this.size = 0;
		this.busyMicros = 0;
		this.busyNanos = 0;
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
