import { formatDuration } from "../units/duration.js";
import type { Micros } from "../units/micros.js";
import { MAX_BROWN_OUTS } from "./limits.js";
import { cohortsOf, OUTAGE_TAKES, outagePeak } from "./outage-peak.js";
import type { Scenario } from "./scenario.js";
import type { Problem } from "./schema-errors.js";
import type { Path } from "./yaml-document.js";

const FIRMWARE: Path = ["devices", "firmware"];
const LINK: Path = ["devices", "link"];
/** Shares such as 0.7, 0.2 and 0.1 may add up to a hair more than 1. */
const SHARE_ROUNDING = 1e-9;

/** The rules that tie fields together. Paths name the key to change. */
export function checkScenario(scenario: Scenario): Problem[] {
	return [
		...checkFirmware(scenario),
		...checkLink(scenario),
		...checkClocks(scenario),
		...checkServers(scenario),
		...checkOutages(scenario),
		...checkSwarm(scenario),
		...checkPolicies(scenario),
	];
}

function checkFirmware({ devices: { firmware } }: Scenario): Problem[] {
	const { readingIntervalMicros, reportIntervalMicros, backoff } = firmware;
	const problems: Problem[] = [];
	if (reportIntervalMicros % readingIntervalMicros !== 0) {
		const message =
			`expected a multiple of readingInterval (${formatDuration(readingIntervalMicros)}), ` +
			`found ${formatDuration(reportIntervalMicros)}`;
		problems.push(problem([...FIRMWARE, "reportInterval"], message));
	}
	problems.push(
		...ordered(FIRMWARE, ["bootMin", firmware.bootMinMicros], ["bootMax", firmware.bootMaxMicros], false),
		...ordered([...FIRMWARE, "backoff"], ["base", backoff.baseMicros], ["cap", backoff.capMicros], false),
		...ordered(
			FIRMWARE,
			["helloTimeout", firmware.helloTimeoutMicros],
			["helloTimeoutMax", firmware.helloTimeoutMaxMicros],
			false,
		),
	);
	return problems;
}

function checkLink({ devices: { link } }: Scenario): Problem[] {
	return [
		...ordered(LINK, ["min", link.minMicros], ["median", link.medianMicros], true),
		...ordered(LINK, ["median", link.medianMicros], ["p99", link.p99Micros], true),
		...ordered(LINK, ["p99", link.p99Micros], ["max", link.maxMicros], true),
	];
}

function checkClocks({ devices: { clocks } }: Scenario): Problem[] {
	const sum = clocks.resetShare + clocks.aheadShare + clocks.driftingShare;
	const message = `reset, ahead and drifting together are ${Math.round(sum * 100)} % of the fleet: expected at most 100 %`;
	return sum <= 1 + SHARE_ROUNDING ? [] : [problem(["devices", "clocks"], message)];
}

function checkServers({ broker, gateways, devices: { firmware } }: Scenario): Problem[] {
	const { commitMinMicros, commitMedianMicros, commitP99Micros } = broker;
	const queues = (["sinkQueueReadings", "sinkBatchReadings"] as const)
		.filter((key) => gateways[key] < firmware.frameReadings)
		.map((key) =>
			problem(
				["gateways", key],
				`expected room for one frame, ${firmware.frameReadings} readings (devices.firmware.frameReadings), found ${gateways[key]}`,
			),
		);
	const partitions = (["gateways.count", "broker.nodes"] as const).flatMap((key) => {
		const least = key === "gateways.count" ? gateways.count : broker.nodes;
		const message = `expected at least ${key} (${least}), found ${broker.partitions}: a partition has one owner and one leader at a time, so some would stand idle`;
		return broker.partitions < least ? [problem(["broker", "partitions"], message)] : [];
	});
	return [
		...queues,
		...partitions,
		...ordered(["broker"], ["commitMin", commitMinMicros], ["commitMedian", commitMedianMicros], true),
		...ordered(["broker"], ["commitMedian", commitMedianMicros], ["commitP99", commitP99Micros], true),
	];
}

function checkOutages(scenario: Scenario): Problem[] {
	const { outages, devices } = scenario;
	const problems: Problem[] = [];
	const figures = outages.flatMap((o) =>
		o.kind === "brown-out" ? [`${o.lossPpm}/${o.duplicatePpm}/${o.reorderPpm}/${o.latencyFactor}`] : [],
	);
	const distinct = new Set(figures).size;
	if (distinct > MAX_BROWN_OUTS) {
		const message = `expected at most ${MAX_BROWN_OUTS} brown-outs with different figures, found ${distinct}`;
		problems.push(problem(["outages"], message));
	}
	for (const taken of OUTAGE_TAKES) {
		const peak = outagePeak(cohortsOf(outages, taken));
		if (peak.devices > devices.count) {
			const message =
				`${peak.devices} devices are out of ${taken} at once at ${formatDuration(peak.atMicros)}, more than the fleet's ` +
				`${devices.count}: to run with fewer devices, scale the scenario (--devices) instead of changing devices.count`;
			problems.push(problem(["outages"], message));
		}
	}
	return [...problems, ...outages.flatMap((_, index) => checkServersHit(scenario, index))];
}

/** No gateway and no node is hit by two outages at once. */
function checkServersHit({ outages, gateways, broker }: Scenario, index: number): Problem[] {
	const outage = outages[index];
	if (outage === undefined || outage.kind === "broker" || "cohorts" in outage) {
		return [];
	}
	const during = outages.filter(
		(other) =>
			"outAtMicros" in other &&
			other.outAtMicros <= outage.outAtMicros &&
			outage.outAtMicros < other.backAtMicros,
	);
	const problems: Problem[] = [];
	if (outage.kind === "broker-slow" && outage.factor === 0) {
		const message = "expected more than nothing: a broker that stands still is an outage of kind broker";
		problems.push(problem(["outages", index, "factor"], message));
	}
	const gatewaysHit = sumOf(during.map((other) => ("gateways" in other ? other.gateways : 0)));
	if ("gateways" in outage && gatewaysHit > gateways.count) {
		const message = `${gatewaysHit} gateways are hit at once, more than the ${gateways.count} that there are`;
		problems.push(problem(["outages", index, "gateways"], message));
	}
	const nodesHit = sumOf(during.map((other) => ("nodes" in other ? other.nodes : 0)));
	if ("nodes" in outage && nodesHit > broker.nodes) {
		const message = `${nodesHit} nodes are lost at once, more than the ${broker.nodes} that there are (broker.nodes)`;
		problems.push(problem(["outages", index, "nodes"], message));
	}
	if (outage.kind === "gateway-cut" && new Set(outage.from).size < outage.from.length) {
		problems.push(problem(["outages", index, "from"], "one of them is there twice"));
	}
	return problems;
}

/** What takes a swarm, and what a swarm cannot be told. */
function checkSwarm({ gateways, outages, attacks = [] }: Scenario): Problem[] {
	const liars = attacks.flatMap((attack, index) => {
		if (attack.kind !== "liar") {
			return [];
		}
		const path = ["attacks", index, "gateway"];
		const { gateway } = attack;
		if (gateway >= gateways.count) {
			return [problem(path, `there is no gateway ${gateway} of ${gateways.count}: they count from 0`)];
		}
		return gateways.swarm === undefined
			? [problem(["attacks", index], "a gateway can lie to a swarm alone: set gateways.swarm to true")]
			: [];
	});
	const unnoticed = outages.flatMap((outage, index) =>
		gateways.swarm !== undefined && outage.kind === "gateway" && !outage.takeover
			? [problem(["outages", index, "takeover"], "a swarm notices by itself: leave takeover out")]
			: [],
	);
	return [...liars, ...unnoticed];
}

function sumOf(values: readonly number[]): number {
	return values.reduce((sum, value) => sum + value, 0);
}

function checkPolicies({ policies }: Scenario): Problem[] {
	return policies.flatMap((policy, index) =>
		policies.indexOf(policy) < index
			? [problem(["policies", index], `the policy ${policy} is there twice`)]
			: [],
	);
}

/** Demands that `low` come before `high`, or be equal unless `strictly`. */
function ordered(base: Path, low: [string, Micros], high: [string, Micros], strictly: boolean): Problem[] {
	if (low[1] < high[1] || (!strictly && low[1] === high[1])) {
		return [];
	}
	const relation = strictly ? "more than" : "at least";
	const message = `expected ${relation} ${low[0]} (${formatDuration(low[1])}), found ${formatDuration(high[1])}`;
	return [problem([...base, high[0]], message)];
}

function problem(path: Path, message: string): Problem {
	return { path, kind: "schema", message };
}
