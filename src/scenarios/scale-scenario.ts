import { changedCosts } from "./frame-costs.js";
import { compareTimes, lastBackMicros, OUTAGE_TAKES, type OutageTakes, takes } from "./outage-peak.js";
import type { Attack, Cohort, Outage, Scenario } from "./scenario.js";

/**
 * The same scenario with another number of devices, so that it keeps its shape: how long a backlog takes to drain, how
 * long the fleet takes to connect, how full the queues are.
 *
 * In proportion to the fleet: the broker's capacity, the sessions that a gateway admits, the limits of the queues and
 * batches, the cohorts of outages, and those who attack. In inverse proportion: the CPU time of sessions, frames and readings (one small
 * gateway stands for a slice of a large one). Unchanged: whatever one device has or does, numbers of gateways, partitions
 * and nodes, batches in flight, and all times but CPU times.
 *
 * Rates and queues are at least 1, CPU times a nanosecond, and queues and batches hold at least one frame: `scalingFloors`
 * tells what met that floor, where a small fleet no longer has the shape of the large one.
 */
export function scaleScenario(scenario: Scenario, devices: number): Scenario {
	if (devices === scenario.devices.count) {
		return scenario;
	}
	const { gateways, broker } = scenario;
	const { up, down } = scalers(scenario, devices);
	const frame = scenario.devices.firmware.frameReadings;
	const scaleAttack = (attack: Attack): Attack =>
		attack.kind === "liar"
			? { ...attack, accusationsPerSecond: up(attack.accusationsPerSecond) }
			: { ...attack, devices: up(attack.devices) };
	return {
		...scenario,
		devices: { ...scenario.devices, count: devices },
		gateways: {
			...gateways,
			costs: changedCosts(gateways.costs, down),
			receiveQueueFrames: up(gateways.receiveQueueFrames),
			sinkQueueReadings: up(gateways.sinkQueueReadings, frame),
			sinkBatchReadings: up(gateways.sinkBatchReadings, frame),
			sessionsPerSecond: up(gateways.sessionsPerSecond),
		},
		broker: {
			...broker,
			capacityPerSecond: up(broker.capacityPerSecond),
			queuedRequests: up(broker.queuedRequests, gateways.count),
		},
		outages: scaleOutages(scenario.outages, scenario.devices.count, devices),
		...(scenario.attacks === undefined ? {} : { attacks: scenario.attacks.map(scaleAttack) }),
	};
}

/** The fields of which one unit is too coarse for a fleet of this size, such as a rate below 1/s. */
export function scalingFloors(scenario: Scenario, devices: number): string[] {
	const factor = devices / scenario.devices.count;
	const { gateways, broker, devices: fleet } = scenario;
	const candidates: [string, number, number][] = [
		["gateways.sessions", gateways.sessionsPerSecond * factor, 1],
		["gateways.receiveQueueFrames", gateways.receiveQueueFrames * factor, 1],
		["gateways.sinkQueueReadings", gateways.sinkQueueReadings * factor, fleet.firmware.frameReadings],
		["gateways.sinkBatchReadings", gateways.sinkBatchReadings * factor, fleet.firmware.frameReadings],
		["gateways.helloCpu", gateways.costs.helloNanos / factor, 1],
		["gateways.dataCpu", gateways.costs.dataNanos / factor, 1],
		["gateways.readingCpuNanos", gateways.costs.readingNanos / factor, 1],
		["broker.capacity", broker.capacityPerSecond * factor, 1],
		["broker.queuedRequests", broker.queuedRequests * factor, gateways.count],
	];
	return candidates.filter(([, value, floor]) => value > 0 && value < floor).map(([name]) => name);
}

function scalers({ devices: { count } }: Scenario, devices: number) {
	return {
		up: (value: number, floor = 1) => Math.max(floor, Math.round((value * devices) / count)),
		down: (value: number) => (value === 0 ? 0 : Math.max(1, Math.round((value * count) / devices))),
	};
}

function scaleOutages(outages: readonly Outage[], from: number, to: number): Outage[] {
	const scaled = outages.map(
		(outage): Outage =>
			"cohorts" in outage ? { ...outage, cohorts: scaleCohorts(outage.cohorts, from, to) } : outage,
	);
	return OUTAGE_TAKES.reduce((limited, taken) => withinFleet(limited, taken, to), scaled);
}

/**
 * Rounds running totals, not rows: after any row, the devices lost so far are within half a device of the exact number,
 * so the curve is kept over thousands of rows that would each round to nothing. (Rows that return in the order in which
 * they went, as imported ones do, keep the curve of returns too.) An outage keeps one device at least.
 */
function scaleCohorts(cohorts: readonly Cohort[], from: number, to: number): Cohort[] {
	// BigInt: the total of many waves times 10 M leaves the range of exact doubles.
	const [source, target] = [BigInt(from), BigInt(to)];
	let total = 0n;
	let given = 0n;
	const scaled: Cohort[] = [];
	for (const cohort of cohorts) {
		total += BigInt(cohort.devices);
		const rounded = (2n * total * target + source) / (2n * source);
		const devices = Number(rounded - given);
		given = rounded;
		if (devices > 0) {
			scaled.push({ ...cohort, devices });
		}
	}
	const [first] = [...cohorts].sort((a, b) => b.devices - a.devices);
	return scaled.length > 0 || first === undefined ? scaled : [{ ...first, devices: 1 }];
}

/** Rounding may put a device too many out at once; the cohort that would go beyond the fleet is cut. */
function withinFleet(outages: readonly Outage[], taken: OutageTakes, fleet: number): Outage[] {
	const groups = outages.map((outage) =>
		takes(outage, taken) ? outage.cohorts.map((cohort) => ({ cohort, devices: cohort.devices })) : [],
	);
	const entries = groups.flat();
	const losses = [...entries].sort((a, b) => a.cohort.outAtMicros - b.cohort.outAtMicros);
	const returns = [...entries].sort((a, b) =>
		compareTimes(lastBackMicros(a.cohort), lastBackMicros(b.cohort)),
	);
	let out = 0;
	let returned = 0;
	for (const loss of losses) {
		const now = loss.cohort.outAtMicros;
		for (let next = returns[returned]; next && lastBackMicros(next.cohort) <= now; next = returns[returned]) {
			out -= next.devices;
			returned += 1;
		}
		loss.devices = Math.min(loss.devices, fleet - out);
		out += loss.devices;
	}
	return outages.map((outage, index) => {
		const kept = (groups[index] ?? []).filter(({ devices }) => devices > 0);
		return takes(outage, taken)
			? { ...outage, cohorts: kept.map(({ cohort, devices }) => ({ ...cohort, devices })) }
			: outage;
	});
}
