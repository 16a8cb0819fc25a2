import type { GatewayCpus } from "./gateway-cpus.js";
import { KIND_GATEWAY, KIND_STORED, RecordBuffer } from "./record-layout.js";

interface Word {
	readonly kind: number;
	readonly time: number;
	readonly a: number;
	readonly b: number;
	readonly c: number;
}

/**
 * What the gateways are to be told in a slice: first which transactions are in the log, then per gateway a block of its
 * frames and of what it hears of, in time order.
 */
export class GatewayInbox {
	buffer: RecordBuffer;
	/** Records written. */
	count = 0;
	private readonly words: Word[][];

	constructor(gateways: number, records: number) {
		this.buffer = new RecordBuffer(records);
		this.words = Array.from({ length: gateways }, () => []);
	}

	/** Makes room for `records` in all. */
	makeRoom(records: number): void {
		if (records <= this.buffer.capacity) {
			return;
		}
		const larger = new RecordBuffer(records * 2);
		larger.floats.set(this.buffer.floats);
		this.buffer = larger;
	}

	/** A batch is in the log, or never will be. Before everything else of a slice. */
	putStored(time: number, gateway: number, batch: number, isStored: boolean): void {
		this.makeRoom(this.count + 1);
		this.buffer.put(this.count++, time, gateway, KIND_STORED, batch, Number(isStored));
	}

	/** A gateway hears of something at `time`; of what it hears at one moment, in this order. */
	hear(gateway: number, kind: number, time: number, a = 0, b = 0, c = 0): void {
		const words = this.words[gateway] as Word[];
		let place = words.length;
		while (place > 0 && (words[place - 1] as Word).time > time) {
			place--;
		}
		words.splice(place, 0, { kind, time, a, b, c });
	}

	/** Writes a gateway's block: what it hears of, among the frames that its CPU finishes before `horizon`. */
	putBlock(gateway: number, cpus: GatewayCpus, start: number, horizon: number): void {
		const words = this.words[gateway] as Word[];
		if (words.length === 0 && cpus.nextFinish(gateway) >= horizon) {
			return;
		}
		this.makeRoom(this.count + 1 + cpus.waiting(gateway) + words.length);
		const { buffer } = this;
		buffer.put(this.count++, start, gateway, KIND_GATEWAY);
		for (const { kind, time, a, b, c } of words) {
			this.count += cpus.take(gateway, time, buffer, this.count);
			buffer.put(this.count++, time, gateway, kind, a, b, c);
		}
		this.count += cpus.take(gateway, horizon, buffer, this.count);
		words.length = 0;
	}
}
