import { createCluster, createFleet, type NativeCluster, type NativeFleet } from "../../engine/native.js";
import { clusterOptions, fleetOptions, POLICIES } from "../../engine/policies.js";
import {
	A,
	B,
	D,
	DEVICE,
	FLOATS,
	INTS,
	KIND_GATEWAY,
	KIND_OUTCOME,
	KIND_SUBMISSION,
	KIND_TIMER,
	META,
	RecordBuffer,
} from "../../engine/record-layout.js";
import { Streams } from "../../engine/streams.js";
import type { Scenario } from "../../scenarios/scenario.js";

const KIND_ACK = 12;
const SHARD_BITS = 0xffff;

/**
 * Fleet and cluster in lockstep, without a world between them: each round, all devices report, their frames reach the
 * gateways and are committed, and the acknowledgements come back. The four native calls of a round, one at a time.
 */
export class NativeLoop {
	private readonly fleet: NativeFleet;
	private readonly cluster: NativeCluster;
	private readonly devices: number;
	private readonly period: number;
	private readonly commit: number;
	private readonly inbox: RecordBuffer;
	private readonly outbox: RecordBuffer;
	private readonly verdicts: Uint8Array;
	private readonly timers: Float64Array;
	/** The gateway that each device talks to. */
	private readonly routes: Uint16Array;
	private readonly gateways: number;
	private readonly counts = new Float64Array(4);
	private now = 0;
	private count = 0;

	constructor(scenario: Scenario) {
		const streams = new Streams(scenario.seed);
		const policy = POLICIES.klais;
		this.devices = scenario.devices.count;
		this.period = scenario.devices.firmware.reportIntervalMicros;
		this.commit = scenario.gateways.commitIntervalMicros;
		// A step spans a whole report interval here: nothing may be sent twice within it for want of an answer.
		const patient = { requestTimeoutMicros: 10 * this.period };
		this.fleet = createFleet({ ...fleetOptions(scenario, policy, streams), ...patient });
		this.cluster = createCluster(clusterOptions(scenario, policy, streams));
		this.cluster.assumeOnline(this.devices);
		this.inbox = new RecordBuffer(4 * this.devices + 64);
		this.outbox = new RecordBuffer(4 * this.devices + 64);
		this.verdicts = new Uint8Array(this.inbox.capacity);
		this.timers = new Float64Array(2 * this.inbox.capacity);
		this.gateways = scenario.gateways.count;
		this.routes = new Uint16Array(this.devices);
		this.fleet.attach(this.inbox.floats, this.outbox.floats, this.timers, this.counts, this.routes);
		this.cluster.attach(this.inbox.floats, this.verdicts, this.outbox.floats, this.counts);
	}

	/** Makes every device's report due, for `report`. */
	begin(): void {
		for (let device = 0; device < this.devices; device++) {
			this.inbox.put(device, this.now + this.period - 1, device, KIND_TIMER);
		}
		this.now += this.period;
	}

	/** Every device reports. */
	report(): void {
		this.fleet.step(this.now, this.devices);
		this.count = this.counts[1] as number;
	}

	/** The frames reach the gateways. Call `arrive` first. */
	ingress(): void {
		this.cluster.ingress(0, this.count);
	}

	/** Puts the frames of `report` before the gateways. */
	arrive(): void {
		this.expect(this.count, "frames");
		const { inbox, outbox, routes } = this;
		const frames = this.count;
		this.count = 0;
		for (let gateway = 0; gateway < this.gateways; gateway++) {
			inbox.put(this.count++, this.now - 1, gateway, KIND_GATEWAY);
			for (let n = 0; n < frames; n++) {
				if (routes[outbox.ints[n * INTS + DEVICE] as number] === gateway) {
					const frame = outbox.floats.subarray(n * FLOATS, (n + 1) * FLOATS);
					inbox.floats.set(frame, this.count++ * FLOATS);
				}
			}
		}
		// What ticks in the many commit intervals of a round is no cost of the frames.
		this.cluster.handle(this.now, 0);
	}

	/** The gateways take in what passed. */
	handle(): void {
		this.cluster.handle(this.now, this.count);
	}

	/** Commits everything, for `acknowledge`. */
	decide(): void {
		const { cluster, inbox, counts } = this;
		if (this.verdicts.subarray(0, this.count).some((verdict) => verdict !== 0)) {
			throw new Error("native loop: a frame did not pass");
		}
		let acks = 0;
		const held: RecordBuffer = new RecordBuffer(this.devices);
		let time = this.now;
		for (let turn = 0; turn < 64 && acks < this.devices; turn++) {
			const outcomes = this.sort(counts[0] as number, held, acks, time);
			acks = outcomes.acks;
			time += this.commit;
			cluster.handle(time + 1, outcomes.count);
		}
		this.expect(acks, "acknowledgements");
		inbox.floats.set(held.floats);
	}

	/** The devices learn that their readings are durable. */
	acknowledge(): void {
		this.fleet.step(this.now, this.devices);
	}

	/** Parts the gateways' output into acknowledgements, kept in `held`, and transactions, which commit at once. */
	private sort(records: number, held: RecordBuffer, from: number, time: number) {
		const { ints } = this.outbox;
		let acks = from;
		let count = 0;
		for (let n = 0; n < records; n++) {
			const place = n * INTS;
			const kind = (ints[place + META] as number) & 0xff;
			if (kind === KIND_SUBMISSION) {
				const gateway = ints[place + DEVICE] as number;
				const shard = (ints[place + D] as number) & SHARD_BITS;
				this.inbox.put(count++, time + 1, gateway, KIND_GATEWAY);
				this.inbox.put(count++, time + 1, gateway, KIND_OUTCOME, ints[place + A] as number, 1, shard);
				n += ints[place + B] as number;
			} else if (kind === KIND_ACK) {
				held.floats.set(this.outbox.floats.subarray(n * FLOATS, (n + 1) * FLOATS), acks * FLOATS);
				// Within the round: later, the first devices would report again.
				held.floats[acks * FLOATS] = this.now - 1;
				acks++;
			}
		}
		return { acks, count };
	}

	private expect(found: number, what: string): void {
		if (found !== this.devices) {
			throw new Error(`native loop: ${found} ${what} of ${this.devices} devices`);
		}
	}
}
