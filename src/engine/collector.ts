import { build, type Histogram, initWebAssembly } from "hdr-histogram-js";
import type { LatencyMicros, Series } from "../record/run-record.js";

const SIGNIFICANT_DIGITS = 3;
const MICROS_PER_MILLI = 1_000;
const SHORT_MILLIS = 16_384;
/** Latencies above this (ten years) do not occur in a scenario of at most 49 days. */
const HIGHEST_MICROS = 0x1_0000_0000_0000;

/** Counters that only rise; the series shows their growth per bucket. */
export interface Counters {
	offered: number;
	admitted: number;
	durable: number;
	duplicates: number;
	hellos: number;
	deferred: number;
	dropped: number;
}

/** Gauges as they stand at a bucket's end. */
export interface Gauges {
	reachable: number;
	online: number;
	backlog: number;
	backlogBound: number;
}

/** Which part of the run a latency belongs to. */
export type Phase = "before" | "outage" | "recovery" | "after";

type MutableSeries = {
	-readonly [K in keyof Series]: Series[K] extends readonly (infer T)[] ? T[] : Series[K];
};

/** Must have resolved before a collector is made: the histograms run in WebAssembly. */
export async function prepareHistograms(): Promise<void> {
	await initWebAssembly();
}

/** Gathers what the report shows: latencies by phase, and a row per bucket of virtual time. */
export class Collector {
	readonly series: MutableSeries;
	private readonly bucket = histogram();
	private readonly phases: Record<Phase, Histogram> = {
		before: histogram(),
		outage: histogram(),
		recovery: histogram(),
		after: histogram(),
	};
	private readonly unfolded = histogram();
	private readonly age = histogram();
	/** Latencies below SHORT_MILLIS, counted by the millisecond until the next fold: a call into the histogram per run of
	 * readings would cost a twentieth of a simulation. */
	private readonly short = new Uint32Array(SHORT_MILLIS);
	private shortest = SHORT_MILLIS;
	private longest = -1;
	private phase: Phase = "before";
	private previous: Counters = zero();

	constructor(readonly bucketMicros: number) {
		this.series = {
			bucketSeconds: bucketMicros / 1_000_000,
			timeSeconds: [],
			offeredPerSecond: [],
			admittedPerSecond: [],
			durablePerSecond: [],
			duplicatesPerSecond: [],
			helloPerSecond: [],
			deferredPerSecond: [],
			droppedPerSecond: [],
			reachable: [],
			online: [],
			backlogReadings: [],
			backlogBoundReadings: [],
			liveP99Micros: [],
		};
	}

	/** From here on latencies belong to another part of the run. */
	enter(phase: Phase): void {
		if (phase === this.phase) {
			return;
		}
		this.fold();
		this.phase = phase;
	}

	/** Notes `readings` live readings that became durable `micros` after they were to be sent. */
	liveLatency(micros: number, readings: number): void {
		const millis = Math.floor(micros / MICROS_PER_MILLI);
		if (millis < SHORT_MILLIS) {
			this.short[millis] = (this.short[millis] as number) + readings;
			this.shortest = Math.min(this.shortest, millis);
			this.longest = Math.max(this.longest, millis);
		} else {
			this.unfolded.recordValueWithCount(micros, readings);
		}
	}

	/** Notes `readings` backfill readings of this age. */
	backfillAge(seconds: number, readings: number): void {
		this.age.recordValueWithCount(Math.max(1, Math.floor(seconds)), readings);
	}

	/** Ends a bucket that began at `startMicros`. */
	endBucket(startMicros: number, counters: Counters, gauges: Gauges): void {
		const rate = (key: keyof Counters) =>
			((counters[key] - this.previous[key]) * 1_000_000) / this.bucketMicros;
		const s = this.series;
		s.timeSeconds.push(startMicros / 1_000_000);
		s.offeredPerSecond.push(rate("offered"));
		s.admittedPerSecond.push(rate("admitted"));
		s.durablePerSecond.push(rate("durable"));
		s.duplicatesPerSecond.push(rate("duplicates"));
		s.helloPerSecond.push(rate("hellos"));
		s.deferredPerSecond.push(rate("deferred"));
		s.droppedPerSecond.push(rate("dropped"));
		s.reachable.push(gauges.reachable);
		s.online.push(gauges.online);
		s.backlogReadings.push(gauges.backlog);
		s.backlogBoundReadings.push(Math.round(gauges.backlogBound));
		this.fold();
		s.liveP99Micros.push(this.bucket.totalCount === 0 ? null : this.bucket.getValueAtPercentile(99));
		this.bucket.reset();
		this.previous = { ...counters };
	}

	/** Latencies of the live lane over the given phases. */
	latency(...phases: Phase[]): LatencyMicros {
		this.fold();
		const sum = histogram();
		for (const phase of phases) {
			sum.add(this.phases[phase]);
		}
		const at = (percentile: number) => (sum.totalCount === 0 ? 0 : sum.getValueAtPercentile(percentile));
		const figures = { p50: at(50), p99: at(99), p999: at(99.9), max: sum.maxValue, count: sum.totalCount };
		sum.destroy();
		return figures;
	}

	/** The same latencies at each of these percentages; 0 without any. */
	latencyPercentiles(percents: readonly number[], phase: Phase): number[] {
		this.fold();
		const found = this.phases[phase];
		return percents.map((percent) => (found.totalCount === 0 ? 0 : found.getValueAtPercentile(percent)));
	}

	/** Ages of backfill readings when they became durable. */
	backfillAges(): { p50: number; p99: number; max: number } {
		const at = (percentile: number) =>
			this.age.totalCount === 0 ? 0 : this.age.getValueAtPercentile(percentile);
		return { p50: at(50), p99: at(99), max: this.age.maxValue };
	}

	/** Frees the histograms' memory outside the heap. */
	dispose(): void {
		for (const h of [this.bucket, this.unfolded, this.age, ...Object.values(this.phases)]) {
			h.destroy();
		}
	}

	private fold(): void {
		for (let millis = this.shortest; millis <= this.longest; millis++) {
			const readings = this.short[millis] as number;
			if (readings > 0) {
				this.unfolded.recordValueWithCount(Math.max(1, millis * MICROS_PER_MILLI), readings);
				this.short[millis] = 0;
			}
		}
		this.shortest = SHORT_MILLIS;
		this.longest = -1;
		if (this.unfolded.totalCount === 0) {
			return;
		}
		this.phases[this.phase].add(this.unfolded);
		this.bucket.add(this.unfolded);
		this.unfolded.reset();
	}
}

function histogram(): Histogram {
	return build({
		lowestDiscernibleValue: 1,
		highestTrackableValue: HIGHEST_MICROS,
		numberOfSignificantValueDigits: SIGNIFICANT_DIGITS,
		bitBucketSize: 64,
		useWebAssembly: true,
		autoResize: false,
	});
}

function zero(): Counters {
	return { offered: 0, admitted: 0, durable: 0, duplicates: 0, hellos: 0, deferred: 0, dropped: 0 };
}
