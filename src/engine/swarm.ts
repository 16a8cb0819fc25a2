import type { AttackMetrics, SwarmMetrics } from "../record/run-record.js";
import type { Scenario } from "../scenarios/scenario.js";
import { hostileDevices } from "./attack-plan.js";
import type { NativeCluster } from "./native.js";
import type { Policy } from "./policies.js";
import type { Streams } from "./streams.js";
import type { World } from "./world.js";

const MICROS = 1_000_000;
const HOUR_MICROS = 3_600 * MICROS;
/** News is told on at most so often: `news_interval_micros` of `native/swarm`. */
const ROUND_MICROS = 20_000;
/** Of the rounds that gossip takes to reach N gateways, log2 N. */
const BOUND_FACTOR = 3;

/** What `NativeCluster.swarmFigures` gives, in its order. */
const SWARM_FIGURES = [
	...["nodeMicros", "bytes", "datagrams", "lost", "refused", "rounds"],
	...["detected", "seconded", "blocks", "expired", "overruled", "vetoed", "uncorroborated"],
	...["devicesBlocked", "addressesBlocked", "everywhere", "spreadP50", "spreadP99", "spreadMax"],
	...["firstBlockMicros", "lastEverywhereMicros", "wrongBlocks", "wrongMicros", "accusations"],
	...["ups", "downs", "expulsions", "censusChanges"],
] as const;

/** Makes the gateways a swarm, where the scenario and the policy have one. */
export function joinSwarm(
	cluster: NativeCluster,
	scenario: Scenario,
	policy: Policy,
	streams: Streams,
): void {
	const { devices, gateways } = scenario;
	if (gateways.swarm === undefined || !policy.exactlyOnce) {
		return;
	}
	const { keyLow, keyHigh } = streams;
	const settings = { ...gateways.swarm, keyLow, keyHigh, fleetDevices: devices.count };
	cluster.joinSwarm(settings, devices.count + hostileDevices(scenario));
}

/** What the swarm did; undefined where there was none. */
export function swarmMetrics(
	cluster: NativeCluster,
	world: World,
	atMicros: number,
): SwarmMetrics | undefined {
	const figures = cluster.swarmFigures();
	if (figures.length === 0) {
		return undefined;
	}
	const of = (name: (typeof SWARM_FIGURES)[number]) => figures[SWARM_FIGURES.indexOf(name)] ?? 0;
	const { devices, gateways } = world.scenario;
	const nodeSeconds = of("nodeMicros") / MICROS;
	const deviceHours = (devices.count * atMicros) / HOUR_MICROS;
	const spread = (name: (typeof SWARM_FIGURES)[number]) =>
		of("everywhere") === 0 ? null : of(name) / MICROS;
	return {
		gateways: gateways.count,
		detected: of("detected"),
		seconded: of("seconded"),
		devicesBlocked: of("devicesBlocked"),
		addressesBlocked: of("addressesBlocked"),
		blockedEverywhere: of("everywhere"),
		firstBlockSeconds:
			of("devicesBlocked") + of("addressesBlocked") === 0 ? null : of("firstBlockMicros") / MICROS,
		spreadP50Seconds: spread("spreadP50"),
		spreadP99Seconds: spread("spreadP99"),
		spreadMaxSeconds: spread("spreadMax"),
		spreadMaxRounds: of("everywhere") === 0 ? null : of("spreadMax") / ROUND_MICROS,
		boundRounds: Math.round(BOUND_FACTOR * 10 * log2(gateways.count)) / 10,
		wrongBlocks: of("wrongBlocks"),
		wrongBlockedDeviceHours: of("wrongMicros") / HOUR_MICROS,
		wrongBlocksPerDeviceHour: deviceHours === 0 ? 0 : of("wrongBlocks") / deviceHours,
		blocks: of("blocks"),
		expired: of("expired"),
		overruled: of("overruled"),
		vetoed: of("vetoed"),
		uncorroborated: of("uncorroborated"),
		accusations: of("accusations"),
		ups: of("ups"),
		downs: of("downs"),
		expulsions: of("expulsions"),
		censusChanges: of("censusChanges"),
		gossipBytesPerNodeSecond: nodeSeconds === 0 ? 0 : of("bytes") / nodeSeconds,
		datagramsPerNodeSecond: nodeSeconds === 0 ? 0 : of("datagrams") / nodeSeconds,
		datagramsLost: of("lost"),
		datagramsRefused: of("refused"),
	};
}

/** By squaring, which rounds the same everywhere: whole digits, then sixteen binary places. */
function log2(value: number): number {
	let digits = 0;
	let rest = value;
	for (; rest >= 2; rest /= 2) {
		digits++;
	}
	for (let place = 0.5; place > 1e-5; place /= 2) {
		rest *= rest;
		if (rest >= 2) {
			rest /= 2;
			digits += place;
		}
	}
	return digits;
}

/** What attacks came to; undefined where nobody attacked. */
export function attackMetrics({
	scenario,
	hostile,
	hostileDevices: devices,
}: World): AttackMetrics | undefined {
	if (scenario.attacks === undefined) {
		return undefined;
	}
	const { frames, sessions, readings } = hostile;
	return { devices, frames, sessions, readingsStored: readings };
}
