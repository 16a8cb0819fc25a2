import { type Flood, type Liar, type PlannedFlood, plannedFloods } from "./attack-plan.js";
import {
	A,
	B,
	C,
	D,
	DEVICE,
	FLAG_FORGED,
	INTS,
	KIND_ACK,
	KIND_ADMIT,
	KIND_DATA,
	KIND_HELLO,
	KIND_NACK,
	META,
	RecordBuffer,
} from "./record-layout.js";
import { PURPOSE_ATTACK, type Streams } from "./streams.js";
import type { World } from "./world.js";

const SECOND = 1_000_000;
const PER_MILLI = 1_000;
const SESSION_SHIFT = 16;
const STRIDE_SHIFT = 16;
const STRIDE = 1 << STRIDE_SHIFT;
/** What a hostile device says that it owes: the most that a HELLO can say. */
const BACKLOG = 0xffff << 16;
/** The sessions that a fleet in steady state is in. */
const FIRST_SESSION = 1;
const SESSION_BITS = 0xffff;
/** One accusation in so many is of an address. */
const ADDRESS_EVERY = 16;

/** Where frames and accusations go. */
export interface Target {
	push(gateway: number, slice: number, time: number, source: RecordBuffer, index: number): void;
	accuse(gateway: number, time: number, device: number, isAddress: boolean): void;
}

/**
 * Those who attack. They sit next to the gateways: their frames take no time and none is lost. Each attack's frames are
 * evenly spaced, its devices taking turns.
 */
export class Attacks {
	private readonly floods: (PlannedFlood & { sent: number })[];
	private readonly liars: (Liar & { said: number })[];
	private readonly frame = new RecordBuffer(1);
	/** Of each hostile device: readings taken so far, as far as it has heard. */
	private readonly marks: Int32Array;
	private readonly fleet: number;

	constructor(
		private readonly world: World,
		private readonly target: Target,
		private readonly sliceMicros: number,
	) {
		const { scenario, policy } = world;
		this.floods = plannedFloods(scenario).map((planned) => ({ ...planned, sent: 0 }));
		const hasSwarm = scenario.gateways.swarm !== undefined && policy.exactlyOnce;
		const attacks = hasSwarm ? (scenario.attacks ?? []) : [];
		this.liars = attacks.flatMap((attack) => (attack.kind === "liar" ? [{ ...attack, said: 0 }] : []));
		this.fleet = scenario.devices.count;
		this.marks = new Int32Array(world.hostileDevices);
	}

	/** Sends what arrives in this slice. */
	run(slice: number): void {
		const horizon = (slice + 1) * this.sliceMicros;
		for (const flood of this.floods) {
			const rate = flood.flood.devices * flood.flood.framesPerSecond;
			for (let time = timeOf(flood.flood, flood.sent, rate); time < horizon; ) {
				this.send(flood, slice, time);
				flood.sent++;
				time = timeOf(flood.flood, flood.sent, rate);
			}
		}
		for (const liar of this.liars) {
			for (let time = timeOf(liar, liar.said, liar.accusationsPerSecond); time < horizon; ) {
				const device = this.anyDevice(this.world.streams, liar.gateway, liar.said);
				this.target.accuse(liar.gateway, time, device, liar.said % ADDRESS_EVERY === 0);
				liar.said++;
				time = timeOf(liar, liar.said, liar.accusationsPerSecond);
			}
		}
	}

	/** The slice of the next frame; Infinity for none. */
	nextSlice(): number {
		let time = Number.POSITIVE_INFINITY;
		for (const { flood, sent } of this.floods) {
			time = Math.min(time, timeOf(flood, sent, flood.devices * flood.framesPerSecond));
		}
		for (const liar of this.liars) {
			time = Math.min(time, timeOf(liar, liar.said, liar.accusationsPerSecond));
		}
		return Math.floor(time / this.sliceMicros);
	}

	/** A hostile device hears an answer. */
	hear(device: number, records: RecordBuffer, index: number): void {
		const at = index * INTS;
		const kind = (records.ints[at + META] as number) & 0xff;
		if (kind === KIND_ADMIT) {
			this.world.hostile.sessions++;
		} else if (kind === KIND_ACK || kind === KIND_NACK) {
			this.marks[device - this.fleet] = records.ints[at + A] as number;
		}
	}

	private send({ flood, first, sent }: PlannedFlood & { sent: number }, slice: number, time: number): void {
		const { world, frame } = this;
		const turn = Math.floor(sent / flood.devices);
		const who = first + (sent % flood.devices);
		const isForged = flood.kind === "forge";
		const device = isForged ? this.anyDevice(world.streams, who, sent) : who;
		const home = world.ownership.homeOf(device);
		const gateway = (home + (turn % flood.gateways)) % world.gateways.count;
		frame.floats[0] = time;
		frame.ints[DEVICE] = device;
		if (flood.kind === "hello-flood") {
			this.putHello(turn);
		} else {
			this.putData(time, isForged ? 0 : (this.marks[device - this.fleet] as number));
		}
		if (isForged) {
			frame.ints[META] = (frame.ints[META] as number) | FLAG_FORGED;
			frame.ints[A] = who;
		}
		world.hostile.frames++;
		this.target.push(gateway, slice, time, frame, 0);
	}

	private putHello(turn: number): void {
		const { ints } = this.frame;
		const session = (FIRST_SESSION + 1 + turn) & SESSION_BITS;
		ints[META] = KIND_HELLO | (session << SESSION_SHIFT);
		ints[A] = BACKLOG;
		ints.fill(0, B, D + 1);
	}

	private putData(time: number, mark: number): void {
		const { ints } = this.frame;
		const { frameReadings } = this.world.scenario.devices.firmware;
		ints[META] = KIND_DATA | (FIRST_SESSION << SESSION_SHIFT);
		ints[A] = mark;
		ints[B] = mark;
		ints[C] = frameReadings | STRIDE;
		ints[D] = Math.floor(time / PER_MILLI);
	}

	private anyDevice(streams: Streams, who: number, turn: number): number {
		return streams.below(this.fleet, PURPOSE_ATTACK, who, turn, 0);
	}
}

/** When frame or accusation number `n` is due; Infinity: the attack is over. */
function timeOf(attack: Flood | Liar, n: number, perSecond: number): number {
	const time = attack.fromMicros + Math.floor((n * SECOND) / perSecond);
	return time < attack.untilMicros ? time : Number.POSITIVE_INFINITY;
}
