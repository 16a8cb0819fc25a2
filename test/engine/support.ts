import { FLOATS, INTS, RecordBuffer } from "../../src/engine/record-layout.js";
import { Simulation, type SimulationOptions } from "../../src/engine/simulation.js";
import type { RunRecord } from "../../src/record/run-record.js";
import { FIRMWARE_PROFILES } from "../../src/scenarios/firmware-profiles.js";
import { type KernelCosts, NO_KERNEL_COSTS, type UserSpaceCosts } from "../../src/scenarios/frame-costs.js";
import { LINK_PROFILES, type LinkProfileName } from "../../src/scenarios/link-profiles.js";
import type {
	Attack,
	Broker,
	Clocks,
	Cohort,
	Counterpart,
	Firmware,
	GatewayOutage,
	Gateways,
	LinkProfile,
	Outage,
	PolicyName,
	Scenario,
} from "../../src/scenarios/scenario.js";
import { micros } from "../../src/units/micros.js";

export const SECOND = 1_000_000;

/** One record as its fields: time, device, meta, a, b, c, d. */
export interface Fields {
	readonly time: number;
	readonly device: number;
	readonly meta: number;
	readonly a?: number;
	readonly b?: number;
	readonly c?: number;
	readonly d?: number;
}

/** A buffer that holds just these records. */
export function bufferOf(records: readonly Fields[]): RecordBuffer {
	const buffer = new RecordBuffer(Math.max(1, records.length));
	for (const [n, { time, device, meta, a = 0, b = 0, c = 0, d = 0 }] of records.entries()) {
		buffer.put(n, time, device, meta, a, b);
		buffer.ints[n * INTS + 6] = c;
		buffer.ints[n * INTS + 7] = d;
	}
	return buffer;
}

/** The records at places `from` to `to` - 1 of a buffer, every field given. */
export function fieldsOf(buffer: RecordBuffer, from: number, to: number): Required<Fields>[] {
	const records: Required<Fields>[] = [];
	for (let n = from; n < to; n++) {
		const [device, meta, a, b, c, d] = buffer.ints.subarray(n * INTS + 2, n * INTS + 8);
		records.push({
			time: buffer.floats[n * FLOATS] as number,
			device: device as number,
			meta: meta as number,
			a: a as number,
			b: b as number,
			c: c as number,
			d: d as number,
		});
	}
	return records;
}

/** What a test says of a scenario; the rest is a small fleet of meters on lte-m with a sink of twice the live load. */
export interface Sketch {
	readonly devices: number;
	readonly durationSeconds: number;
	readonly seed?: string;
	readonly firmware?: Partial<Firmware>;
	readonly link?: LinkProfileName | Partial<LinkProfile>;
	readonly gateways?: Partial<Gateways>;
	readonly broker?: Partial<Broker>;
	readonly clocks?: Partial<Clocks>;
	readonly outages?: readonly Outage[];
	readonly attacks?: readonly Attack[];
}

const RIGHT_CLOCKS: Clocks = { resetShare: 0, aheadShare: 0, driftingShare: 0, driftPpm: 200 };

/** Stated costs, the filter's in them; others with `kernel`. */
export function costsOf(
	userSpace: UserSpaceCosts,
	kernel: Partial<KernelCosts> = {},
): Scenario["gateways"]["costs"] {
	const source = { helloCpu: "stated", dataCpu: "stated", readingCpuNanos: "stated" };
	return { ...userSpace, kernel: { ...NO_KERNEL_COSTS, ...kernel }, source };
}

/** A resolved scenario. Defaults are small enough that a run takes milliseconds. */
export function scenarioOf(sketch: Sketch): Scenario {
	const firmware: Firmware = {
		...FIRMWARE_PROFILES["smart-meter"],
		readingIntervalMicros: micros(30 * SECOND),
		reportIntervalMicros: micros(60 * SECOND),
		bufferReadings: 1_440,
		backoff: { kind: "exponential", baseMicros: micros(SECOND), capMicros: micros(30 * SECOND) },
		...sketch.firmware,
	};
	const live = (sketch.devices * SECOND) / firmware.readingIntervalMicros;
	const link: LinkProfile =
		typeof sketch.link === "string"
			? LINK_PROFILES[sketch.link]
			: { ...LINK_PROFILES["lte-m"], ...sketch.link };
	return {
		name: "sketch",
		title: "",
		teaches: "",
		sources: [],
		durationMicros: micros(sketch.durationSeconds * SECOND),
		seed: sketch.seed ?? "klais",
		devices: { count: sketch.devices, firmware, link, clocks: { ...RIGHT_CLOCKS, ...sketch.clocks } },
		gateways: {
			count: 3,
			costs: costsOf({ helloNanos: 4_000_000, dataNanos: 200_000, readingNanos: 1_000 }),
			receiveQueueFrames: 256,
			sinkQueueReadings: 20_000,
			commitIntervalMicros: micros(100_000),
			sinkInFlightBatches: 5,
			sinkBatchReadings: 2_000,
			sessionsPerSecond: 20,
			slotWindowMicros: micros(60 * SECOND),
			detectAfterMicros: micros(700_000),
			...sketch.gateways,
		},
		broker: {
			partitions: 64,
			nodes: 3,
			capacityPerSecond: Math.max(60, Math.ceil(live * 3)),
			commitMinMicros: micros(60_000),
			commitMedianMicros: micros(75_000),
			commitP99Micros: micros(150_000),
			requestTimeoutMicros: micros(30 * SECOND),
			queuedRequests: 500,
			...sketch.broker,
		},
		outages: sketch.outages ?? [],
		...(sketch.attacks === undefined ? {} : { attacks: sketch.attacks }),
		policies: ["none", "static", "klais"],
	};
}

/** Devices that go at one time and come back at another, all in seconds. */
export function cohort(devices: number, out: number, back: number | null, spread = 0): Cohort {
	return {
		devices,
		outAtMicros: micros(Math.round(out * SECOND)),
		backAtMicros: back === null ? null : micros(Math.round(back * SECOND)),
		spreadMicros: micros(Math.round(spread * SECOND)),
	};
}

/** From when to when, in seconds. */
export function span(out: number, back: number): Pick<GatewayOutage, "outAtMicros" | "backAtMicros"> {
	return {
		outAtMicros: micros(Math.round(out * SECOND)),
		backAtMicros: micros(Math.round(back * SECOND)),
	};
}

/** Gateways whose processes die, as scenarios have them where they say no more. */
export function dies(
	gateways: number,
	out: number,
	back: number,
): Extract<GatewayOutage, { kind: "gateway" }> {
	return { kind: "gateway", gateways, down: "process", takeover: true, ...span(out, back) };
}

/** Gateways that stop, and wake. */
export function freezes(gateways: number, out: number, back: number): GatewayOutage {
	return { kind: "gateway-freeze", gateways, ...span(out, back) };
}

/** Gateways that are cut off. */
export function cutOff(
	gateways: number,
	out: number,
	back: number,
	from: readonly Counterpart[],
	direction: "both" | "in" | "out" = "both",
): GatewayOutage {
	return { kind: "gateway-cut", gateways, from, direction, ...span(out, back) };
}

/** Nodes of the broker whose partitions lose their leader. */
export function loses(nodes: number, out: number, back: number): Outage {
	return { kind: "leader-loss", nodes, ...span(out, back) };
}

/** A run that is over. */
export interface Finished {
	readonly scenario: Scenario;
	readonly run: Simulation;
	readonly record: RunRecord;
	/** Report phase of each device, microseconds. */
	readonly phases: Float64Array;
}

/** A run from beginning to end. */
export function simulate(scenario: Scenario, policy: PolicyName, options: SimulationOptions = {}): Finished {
	const run = new Simulation(scenario, policy, scenario.seed, options);
	const phases = new Float64Array(scenario.devices.count);
	run.fleet.phases(0, phases);
	const record = run.run({ progress: () => undefined, stopped: () => false }, () => 0);
	return { scenario, run, record, phases };
}
