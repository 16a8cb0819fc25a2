import seedrandom from "seedrandom";
import { LINK_PROFILES } from "../../src/scenarios/link-profiles.js";
import { cohortsOf, OUTAGE_TAKES, outagePeak } from "../../src/scenarios/outage-peak.js";
import type { Counterpart, LinkProfile, Outage, PolicyName, Scenario } from "../../src/scenarios/scenario.js";
import { micros } from "../../src/units/micros.js";
import { cohort, cutOff, dies, freezes, loses, SECOND, scenarioOf, span } from "./support.js";

/** The backlog begins to drain here, and until the other moment everything may go wrong. */
const RETURN_SECONDS = 240;
const LAST_FAULT_SECONDS = 480;
/** Long enough for a device on standby whose call was lost (10 min). */
export const QUIET_SECONDS = 1_100;

/** Chance from a seed. */
class Dice {
	private readonly root: () => number;

	constructor(seed: number) {
		this.root = seedrandom(`faults-${seed}`);
	}

	/** A whole number from `min` to `max`. */
	whole(min: number, max: number): number {
		return min + Math.floor(this.root() * (max - min + 1));
	}

	one<T>(...choices: readonly T[]): T {
		return choices[this.whole(0, choices.length - 1)] as T;
	}

	/** True with a chance of `share`. */
	luck(share: number): boolean {
		return this.root() < share;
	}
}

function linkOf(dice: Dice): LinkProfile {
	const profile = LINK_PROFILES[dice.one("lte-m", "lte-m", "lte-m", "nb-iot", "wifi")];
	return {
		...profile,
		// Slices are as long as the shortest way: fewer of them, the same faults.
		minMicros: micros(Math.max(profile.minMicros, 50_000)),
		medianMicros: micros(Math.max(profile.medianMicros, 60_000)),
		duplicatePpm: dice.one(profile.duplicatePpm, 50_000),
		reorderPpm: dice.one(profile.reorderPpm, 50_000),
	};
}

/** Links that lose up to a fifth of everything, double and reorder, until the last fault is over. */
function badLinks(dice: Dice, devices: number): Outage {
	return {
		kind: "brown-out",
		cohorts: [cohort(devices, RETURN_SECONDS - 10, LAST_FAULT_SECONDS)],
		lossPpm: dice.whole(50_000, 200_000),
		duplicatePpm: dice.whole(0, 150_000),
		reorderPpm: dice.whole(0, 200_000),
		latencyFactor: dice.whole(1, 3),
	};
}

/** A fault of one gateway or node, within the window in which everything may go wrong. */
function faultOf(dice: Dice, devices: number): Outage {
	const out = dice.whole(RETURN_SECONDS - 20, LAST_FAULT_SECONDS - 2) + dice.whole(0, 99) / 100;
	const longest = LAST_FAULT_SECONDS - out;
	const back =
		out + Math.min(longest, dice.one(0.05, 0.5, 2, 5, 20, 60, 150) * (0.5 + dice.whole(0, 100) / 100));
	const kind = dice.one(
		"dies",
		"dies",
		"machine",
		"unnoticed",
		"freezes",
		"freezes",
		"cut",
		"cut",
		"loses",
		"broker",
		"reboot",
		"brown-out",
		"half-open",
	);
	switch (kind) {
		case "dies":
			return dies(1, out, back);
		case "machine":
			return { ...dies(1, out, back), down: "machine" };
		case "unnoticed":
			return { ...dies(1, out, back), takeover: false };
		case "freezes":
			return freezes(1, out, back);
		case "cut": {
			const from: Counterpart[] = (["devices", "peers", "broker"] as const).filter(() => dice.luck(0.5));
			return cutOff(
				1,
				out,
				back,
				from.length === 0 ? ["peers"] : from,
				dice.one("both", "both", "in", "out"),
			);
		}
		case "loses":
			return loses(1, out, back);
		case "broker":
			return { kind: "broker", ...span(out, back) };
		case "reboot":
			return { kind: "power", cohorts: [cohort(Math.ceil(devices / 4), out, Math.min(back, out + 8))] };
		case "half-open":
			return { kind: "half-open", cohorts: [cohort(Math.ceil(devices / 5), out, back)] };
		case "brown-out":
			return {
				kind: "brown-out",
				cohorts: [cohort(Math.ceil(devices / 5), out, back)],
				lossPpm: 200_000,
				duplicatePpm: 100_000,
				reorderPpm: 200_000,
				latencyFactor: 2,
			};
	}
}

/** Whether more devices, gateways or nodes are hit at once than there are: the loader would refuse it. */
function isTooMuch(outages: readonly Outage[], devices: number, gateways: number, nodes: number): boolean {
	if (OUTAGE_TAKES.some((taken) => outagePeak(cohortsOf(outages, taken)).devices > devices)) {
		return true;
	}
	const during = (x: Outage) =>
		outages.filter(
			(y) =>
				"outAtMicros" in x &&
				"outAtMicros" in y &&
				y.outAtMicros <= x.outAtMicros &&
				x.outAtMicros < y.backAtMicros,
		);
	return outages.some((x) => {
		const others = during(x);
		const hit = others.reduce((sum, o) => sum + ("gateways" in o ? o.gateways : 0), 0);
		const lost = others.reduce((sum, o) => sum + ("nodes" in o ? o.nodes : 0), 0);
		return hit > gateways || lost > nodes;
	});
}

function outagesOf(dice: Dice, devices: number, gateways: number, nodes: number): Outage[] {
	const most = Math.ceil(devices * dice.one(0.4, 0.6, 0.75));
	const kind = dice.one("power", "power", "black-holed", "refused");
	const back = RETURN_SECONDS - dice.whole(11, 40);
	const outages: Outage[] = [
		{ kind, cohorts: [cohort(most, dice.whole(30, 90), back, kind === "power" ? dice.one(0, 0, 20) : 0)] },
	];
	if (dice.luck(0.6)) {
		outages.push(badLinks(dice, devices));
	}
	for (let n = dice.whole(2, 8); n > 0; n--) {
		const more = [...outages, faultOf(dice, devices)];
		if (!isTooMuch(more, devices, gateways, nodes)) {
			outages.push(more.at(-1) as Outage);
		}
	}
	return outages;
}

/**
 * The run of a seed: a small fleet that hands in the backlog of an outage, while gateways die, stop, wake and are cut off,
 * brokers lose their leaders, links lose, double and reorder, and devices reboot.
 */
export function faultPlan(seed: number): { readonly scenario: Scenario; readonly policy: PolicyName } {
	const dice = new Dice(seed);
	const devices = dice.whole(20, 80);
	const gateways = dice.whole(2, 5);
	const nodes = dice.whole(1, 3);
	// A multiple of the nodes, or one of them has more to do than its share.
	const partitions = nodes * Math.ceil(Math.max(gateways, dice.one(4, 7, 16)) / nodes);
	const reading = dice.one(5, 10, 20);
	const frameReadings = dice.one(4, 16, 64);
	const capacityPerSecond = Math.ceil((devices / reading) * dice.whole(3, 6)) + 60 * nodes;
	const timeout = dice.one(3, 10, 30);
	// One node must be able to take a batch in before its time is up.
	const most = Math.floor((capacityPerSecond * timeout) / nodes / 3);
	const scenario = scenarioOf({
		devices,
		seed: `faults-${seed}`,
		durationSeconds: LAST_FAULT_SECONDS + QUIET_SECONDS,
		link: linkOf(dice),
		firmware: {
			readingIntervalMicros: micros(reading * SECOND),
			reportIntervalMicros: micros(reading * dice.whole(1, 4) * SECOND),
			keepAliveMicros: micros(dice.one(0, 0, 25) * SECOND),
			bufferKind: dice.one("flash", "flash", "volatile"),
			bufferReadings: dice.one(20, 1_440),
			overflow: dice.one("drop-oldest", "drop-newest", "decimate"),
			backup: dice.one("sensing", "none"),
			bootMinMicros: micros(SECOND),
			bootMaxMicros: micros(4 * SECOND),
			backoff: { kind: "full-jitter", baseMicros: micros(SECOND), capMicros: micros(20 * SECOND) },
			helloTimeoutMicros: micros(4 * SECOND),
			helloTimeoutMaxMicros: micros(20 * SECOND),
			frameReadings,
			windowFrames: dice.one(1, 2, 5),
		},
		gateways: {
			count: gateways,
			sessionsPerSecond: dice.whole(2, 10),
			commitIntervalMicros: micros(dice.one(100_000, 300_000)),
			sinkBatchReadings: Math.max(frameReadings, Math.min(dice.one(64, 500), most)),
			detectAfterMicros: micros(dice.one(0, 200_000, 700_000, 3_000_000)),
		},
		broker: {
			partitions,
			nodes,
			capacityPerSecond,
			requestTimeoutMicros: micros(timeout * SECOND),
		},
		clocks: dice.luck(0.3) ? { resetShare: 0.2, aheadShare: 0.2, driftingShare: 0.3 } : {},
		outages: outagesOf(dice, devices, gateways, nodes),
	});
	return { scenario, policy: dice.one("klais", "klais", "klais", "static") };
}
