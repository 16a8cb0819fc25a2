/** Entries of the same step wait together: microseconds. */
const STEP_MICROS = 2_000;

/** Who has something to do, and when: one entry for each, of which the latest counts. Times in microseconds. */
export class Agenda {
	private readonly steps = new Map<number, number[]>();
	private readonly dues: Float64Array;
	private next = 0;

	constructor(count: number) {
		this.dues = new Float64Array(count).fill(Number.POSITIVE_INFINITY);
	}

	/** `who` has something to do then, and not at the time that was said before. */
	set(who: number, dueMicros: number): void {
		this.dues[who] = dueMicros;
		if (Number.isFinite(dueMicros)) {
			const step = Math.max(this.next, Math.ceil(dueMicros / STEP_MICROS));
			const waiting = this.steps.get(step);
			if (waiting === undefined) {
				this.steps.set(step, [who]);
			} else {
				waiting.push(who);
			}
		}
	}

	/** Calls for everybody who is due by now, with the time that was set. */
	runDue(nowMicros: number, work: (who: number, dueMicros: number) => void): void {
		const last = Math.floor(nowMicros / STEP_MICROS);
		for (; this.next <= last; this.next += 1) {
			const waiting = this.steps.get(this.next) ?? [];
			this.steps.delete(this.next);
			for (const who of waiting) {
				const due = this.dues[who] ?? Number.POSITIVE_INFINITY;
				if (due <= this.next * STEP_MICROS) {
					this.dues[who] = Number.POSITIVE_INFINITY;
					work(who, due);
				}
			}
		}
	}
}
