/** What all plain devices of a fleet have in common. Times in microseconds. */
export interface PlainFirmware {
	readonly readingMicros: number;
	/** A multiple of `readingMicros`. */
	readonly reportMicros: number;
	/** Readings that fit. */
	readonly bufferReadings: number;
	/** What a full buffer gives up. */
	readonly overflow: "drop-oldest" | "drop-newest";
	/** What is held goes with the power. */
	readonly isVolatile: boolean;
	/** The sensor reads on without mains power. */
	readonly sensingBackup: boolean;
	/** Readings in one request. */
	readonly frameReadings: number;
	/** How long a device waits for an answer. */
	readonly requestTimeoutMicros: number;
	/** After the n-th failure in a row a device waits for up to `min(cap, base × 2ⁿ)`, drawn evenly. */
	readonly backoffBaseMicros: number;
	readonly backoffCapMicros: number;
	readonly gateways: number;
}

/** What a device says of its readings; all that it took are acknowledged, held or lost. */
export interface PlainCounts {
	taken: number;
	lostOverflow: number;
	lostVolatile: number;
	/** Readings in requests beyond the first that they were in. */
	sentAgain: number;
}

const DOUBLINGS_MAX = 20;

/**
 * A device as a team writes it today: it keeps readings until it is told that they are stored, sends the oldest first, one
 * request at a time, and after an error or a time-out sends them again, to the next gateway of its list. It knows no sessions,
 * marks or epochs. Pure: the time and the chance are arguments.
 */
export class PlainDevice {
	/** The one that it talks to. */
	gateway: number;
	readonly counts: PlainCounts = { taken: 0, lostOverflow: 0, lostVolatile: 0, sentAgain: 0 };
	/** Readings in the buffer, oldest first. */
	private readonly buffer: number[] = [];
	/** The next reading to be taken. */
	private next = 0;
	/** Readings below were sent at least once. */
	private sentBelow = 0;
	private isPowered = true;
	private readyMicros = 0;
	/** What is below is sent at once, whatever the time of the next report. */
	private flushBelow = 0;
	private failures = 0;
	private request: { readonly readings: readonly number[]; readonly deadlineMicros: number } | undefined;

	/** `phaseMicros`: of its reports. It begins with power, and with `gateway`. */
	constructor(
		private readonly firmware: PlainFirmware,
		private readonly phaseMicros: number,
		gateway: number,
		private readonly onAcknowledged: (reading: number) => void,
	) {
		this.gateway = gateway;
	}

	/** Readings that it has. */
	get held(): number {
		return this.buffer.length;
	}

	/** When a reading is taken. */
	takenAt(reading: number): number {
		const { readingMicros } = this.firmware;
		return (this.phaseMicros % readingMicros) + reading * readingMicros;
	}

	/** Takes the readings that are due by now. */
	advance(nowMicros: number): void {
		for (; this.takenAt(this.next) <= nowMicros; this.next += 1) {
			if (this.isPowered || this.firmware.sensingBackup) {
				this.counts.taken += 1;
				this.keep(this.next);
			}
		}
	}

	/** The mains are off: an answer that is under way finds nobody. */
	powerOff(nowMicros: number): void {
		this.advance(nowMicros);
		this.isPowered = false;
		this.request = undefined;
		if (this.firmware.isVolatile) {
			this.counts.lostVolatile += this.buffer.splice(0).length;
		}
	}

	/** The mains are on again; from `bootMicros` later on it can talk. */
	powerOn(nowMicros: number, bootMicros: number): void {
		this.advance(nowMicros);
		this.isPowered = true;
		this.failures = 0;
		this.readyMicros = nowMicros + bootMicros;
		this.flushBelow = Number.POSITIVE_INFINITY;
	}

	/** The readings of its next request, if it has one to send now. */
	send(nowMicros: number): readonly number[] | undefined {
		this.advance(nowMicros);
		if (!this.isPowered || this.request !== undefined || nowMicros < this.readyMicros) {
			return undefined;
		}
		if (this.flushBelow === Number.POSITIVE_INFINITY) {
			this.flushBelow = this.next;
		}
		const { frameReadings, requestTimeoutMicros } = this.firmware;
		const reportMicros = this.lastReport(nowMicros);
		const isDue = (reading: number) => reading < this.flushBelow || this.takenAt(reading) <= reportMicros;
		const readings = this.buffer.slice(0, frameReadings).filter(isDue);
		const last = readings.at(-1);
		if (last === undefined) {
			return undefined;
		}
		this.counts.sentAgain += readings.filter((reading) => reading < this.sentBelow).length;
		this.sentBelow = Math.max(this.sentBelow, last + 1);
		this.request = { readings, deadlineMicros: nowMicros + requestTimeoutMicros };
		return readings;
	}

	/** Its request is answered: the readings are stored. */
	acknowledge(nowMicros: number): void {
		this.advance(nowMicros);
		const { request } = this;
		if (request === undefined) {
			return;
		}
		this.request = undefined;
		this.failures = 0;
		const told = new Set(request.readings);
		// What has made room for others meanwhile is lost, as the device has said already.
		const kept = this.buffer.splice(0).filter((reading) => {
			if (told.has(reading)) {
				this.onAcknowledged(reading);
			}
			return !told.has(reading);
		});
		this.buffer.push(...kept);
	}

	/** Gives its request up if it is overdue: whether it was. */
	timeOut(nowMicros: number, chance: number): boolean {
		if (this.request === undefined || nowMicros < this.request.deadlineMicros) {
			return false;
		}
		this.fail(nowMicros, chance);
		return true;
	}

	/** Its request has failed, as far as it knows: it waits, and then tries the next gateway. `chance` is from 0 to 1. */
	fail(nowMicros: number, chance: number): void {
		const { backoffBaseMicros, backoffCapMicros, gateways } = this.firmware;
		const most = Math.min(backoffCapMicros, backoffBaseMicros * 2 ** Math.min(this.failures, DOUBLINGS_MAX));
		this.request = undefined;
		this.failures += 1;
		this.gateway = (this.gateway + 1) % gateways;
		this.readyMicros = Math.max(this.readyMicros, nowMicros + Math.round(most * chance));
		this.flushBelow = Number.POSITIVE_INFINITY;
	}

	/** When it has something to do again, if nothing happens to it until then. */
	nextMicros(nowMicros: number): number {
		if (!this.isPowered) {
			return Number.POSITIVE_INFINITY;
		}
		if (this.request !== undefined) {
			return this.request.deadlineMicros;
		}
		if (nowMicros < this.readyMicros) {
			return this.readyMicros;
		}
		return this.lastReport(nowMicros) + this.firmware.reportMicros;
	}

	private keep(reading: number): void {
		if (this.buffer.length < this.firmware.bufferReadings) {
			this.buffer.push(reading);
			return;
		}
		this.counts.lostOverflow += 1;
		if (this.firmware.overflow === "drop-oldest") {
			this.buffer.shift();
			this.buffer.push(reading);
		}
	}

	/** The last report by now; before the first one, a time before the run. */
	private lastReport(nowMicros: number): number {
		const { reportMicros } = this.firmware;
		return this.phaseMicros + Math.floor((nowMicros - this.phaseMicros) / reportMicros) * reportMicros;
	}
}
