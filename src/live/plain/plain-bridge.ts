/** A reading on its way to Kafka. */
export interface PlainReading {
	readonly device: number;
	readonly index: number;
	/** When it was taken, milliseconds since the run's beginning. */
	readonly takenMillis: number;
	readonly value: Buffer;
}

/** How a plain gateway works. */
export interface BridgeSettings {
	/** `stored`: a device hears of its readings when the producer has; `accepted`: as soon as they are in memory. */
	readonly acknowledges: "stored" | "accepted";
	/** Readings that wait for the producer. */
	readonly queueReadingsMax: number;
	/** Readings in one call of the producer. */
	readonly batchReadingsMax: number;
	/** Calls of the producer at once. */
	readonly sendsMax: number;
	/** How long a reading waits for others. */
	readonly lingerMillis: number;
}

/** Where it writes to, and its clock. */
export interface BridgeWorld {
	/** Resolves when the readings are stored; rejects where the producer has given up. */
	send(readings: readonly PlainReading[]): Promise<void>;
	after(millis: number, work: () => void): void;
}

interface Waiting {
	readonly readings: readonly PlainReading[];
	readonly answer: (isStored: boolean) => void;
}

/** A pause before what the producer has given up is sent again, where devices do not do it. */
const AGAIN_MILLIS = 1_000;

/**
 * What stands between devices and a plain producer: it gathers their requests into batches. Where devices wait for the producer,
 * they hear of its errors and send again; else the gateway does.
 */
export class PlainBridge {
	private queue: Waiting[] = [];
	private queued = 0;
	private sends = 0;
	private isTimed = false;
	private readonly whenIdle: (() => void)[] = [];

	constructor(
		private readonly settings: BridgeSettings,
		private readonly world: BridgeWorld,
	) {}

	/** Takes a device's request; `answer` is called once, with whether its readings are stored, or taken care of. */
	take(readings: readonly PlainReading[], answer: (isStored: boolean) => void): void {
		const { acknowledges, queueReadingsMax, lingerMillis } = this.settings;
		if (this.queued + readings.length > queueReadingsMax) {
			answer(false);
			return;
		}
		this.queued += readings.length;
		if (acknowledges === "accepted") {
			answer(true);
		}
		this.queue.push({ readings, answer: acknowledges === "accepted" ? () => undefined : answer });
		if (!this.isTimed) {
			this.isTimed = true;
			this.world.after(lingerMillis, () => {
				this.isTimed = false;
				this.flush();
			});
		}
	}

	/** Resolves when nothing waits any more. */
	idle(): Promise<void> {
		return new Promise((resolve) => {
			this.whenIdle.push(resolve);
			this.flush();
		});
	}

	private flush(): void {
		while (this.queue.length > 0 && this.sends < this.settings.sendsMax) {
			this.sends += 1;
			void this.write(this.batch());
		}
		if (this.queue.length === 0 && this.sends === 0 && !this.isTimed) {
			for (const resolve of this.whenIdle.splice(0)) {
				resolve();
			}
		}
	}

	/** Whole requests, at least one. */
	private batch(): readonly Waiting[] {
		let readings = 0;
		let count = 0;
		for (const waiting of this.queue) {
			readings += waiting.readings.length;
			if (count > 0 && readings > this.settings.batchReadingsMax) {
				break;
			}
			count += 1;
		}
		return this.queue.splice(0, count);
	}

	private async write(batch: readonly Waiting[]): Promise<void> {
		const readings = batch.flatMap((waiting) => waiting.readings);
		const isStored = await this.world.send(readings).then(
			() => true,
			() => false,
		);
		this.sends -= 1;
		if (!isStored && this.settings.acknowledges === "accepted") {
			this.queue.unshift(...batch);
			this.isTimed = true;
			this.world.after(AGAIN_MILLIS, () => {
				this.isTimed = false;
				this.flush();
			});
			return;
		}
		this.queued -= readings.length;
		for (const { answer } of batch) {
			answer(isStored);
		}
		this.flush();
	}
}
