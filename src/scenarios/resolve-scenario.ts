import { micros } from "../units/micros.js";
import type { UserError } from "../units/user-error.js";
import type { Calibration } from "./calibration.js";
import { checkScenario } from "./check-scenario.js";
import { defaultCapacity, defaultSessions } from "./defaults.js";
import { FIRMWARE_PROFILES } from "./firmware-profiles.js";
import { LINK_PROFILES } from "./link-profiles.js";
import { resolveAttacks } from "./resolve-attacks.js";
import { resolveCosts } from "./resolve-costs.js";
import { type OutageContext, resolveOutages } from "./resolve-outages.js";
import type {
	Backoff,
	Broker,
	Clocks,
	Firmware,
	Fleet,
	Gateways,
	LinkProfile,
	Scenario,
} from "./scenario.js";
import type { ScenarioInput } from "./schema.js";
import type { Problem } from "./schema-errors.js";

/** Of the topic, where the scenario does not say; more, where there are more gateways or nodes. */
const PARTITIONS = 16;
/** Of a quartz without temperature compensation outdoors, rounded up. */
const DRIFT_PPM = 200;

export interface ResolveContext {
	/** The scenario's name when the file gives none. */
	readonly fallbackName: string;
	readonly readCohorts: OutageContext["readCohorts"];
	/** What frames cost where the scenario does not say. */
	readonly calibration: Calibration;
}

/** The scenario, to be used only when there are neither problems nor errors within cohort files. */
export interface ResolvedScenario {
	readonly scenario: Scenario;
	readonly problems: readonly Problem[];
	readonly fileErrors: readonly UserError[];
}

/** Fills in every default and checks what no single field can show. */
export function resolveScenario(input: ScenarioInput, context: ResolveContext): ResolvedScenario {
	const devices = resolveFleet(input.devices);
	const gateways = resolveGateways(input.gateways ?? {}, devices, context.calibration);
	const { outages, problems, fileErrors } = resolveOutages(input.outages ?? [], {
		durationMicros: input.duration,
		devices: devices.count,
		gateways: gateways.count,
		readCohorts: context.readCohorts,
	});
	const { attacks, problems: attackProblems } = resolveAttacks(input.attacks ?? [], {
		durationMicros: input.duration,
		gateways: gateways.count,
	});
	const name = input.name ?? context.fallbackName;
	const scenario: Scenario = {
		name,
		title: input.title ?? name,
		teaches: input.teaches ?? "",
		sources: input.sources ?? [],
		durationMicros: input.duration,
		seed: String(input.seed ?? "klais"),
		devices,
		gateways,
		broker: resolveBroker(input.broker ?? {}, devices, gateways.count),
		outages,
		...(attacks.length === 0 ? {} : { attacks }),
		policies: input.policies ?? ["none", "klais"],
		// Only where they are given: an empty list would change the hash of every scenario.
		...(input.expect === undefined || input.expect.length === 0 ? {} : { expect: input.expect }),
		...(input.margins === undefined ? {} : { margins: input.margins }),
	};
	return { scenario, problems: [...problems, ...attackProblems, ...checkScenario(scenario)], fileErrors };
}

function resolveFleet(input: ScenarioInput["devices"]): Fleet {
	return {
		count: input.count,
		firmware: resolveFirmware(input.firmware),
		link: resolveLink(input.link),
		clocks: resolveClocks(input.clocks ?? {}),
		...(input.outageOrder === "by-gateway" ? { outageOrder: input.outageOrder } : {}),
	};
}

function resolveClocks(given: NonNullable<ScenarioInput["devices"]["clocks"]>): Clocks {
	return {
		resetShare: given.reset ?? 0,
		aheadShare: given.ahead ?? 0,
		driftingShare: given.drifting ?? 0,
		driftPpm: given.drift ?? DRIFT_PPM,
	};
}

function resolveFirmware(input: ScenarioInput["devices"]["firmware"]): Firmware {
	const given = typeof input === "object" ? input : {};
	const profile = FIRMWARE_PROFILES[(typeof input === "string" ? input : given.profile) ?? "smart-meter"];
	return {
		readingIntervalMicros: given.readingInterval ?? profile.readingIntervalMicros,
		reportIntervalMicros: given.reportInterval ?? profile.reportIntervalMicros,
		keepAliveMicros: given.keepAlive ?? profile.keepAliveMicros,
		bufferKind: given.bufferKind ?? profile.bufferKind,
		bufferReadings: given.bufferReadings ?? profile.bufferReadings,
		overflow: given.overflow ?? profile.overflow,
		backup: given.backup ?? profile.backup,
		bootMinMicros: given.bootMin ?? profile.bootMinMicros,
		bootMaxMicros: given.bootMax ?? profile.bootMaxMicros,
		backoff: resolveBackoff(given.backoff, profile.backoff),
		helloTimeoutMicros: given.helloTimeout ?? profile.helloTimeoutMicros,
		helloTimeoutMaxMicros: given.helloTimeoutMax ?? profile.helloTimeoutMaxMicros,
		requestTimeoutMicros: given.requestTimeout ?? profile.requestTimeoutMicros,
		windowFrames: given.windowFrames ?? profile.windowFrames,
		frameReadings: given.frameReadings ?? profile.frameReadings,
		readingBytes: given.readingBytes ?? profile.readingBytes,
	};
}

type BackoffInput = Extract<ScenarioInput["devices"]["firmware"], object>["backoff"];

function resolveBackoff(input: BackoffInput, profile: Backoff): Backoff {
	const given = typeof input === "object" ? input : {};
	const kind = (typeof input === "string" ? input : given.kind) ?? profile.kind;
	const baseMicros = given.base ?? profile.baseMicros;
	// A wait that never grows needs no cap: one that the profile brought along must not contradict the base.
	const grows = kind !== "none" && kind !== "fixed";
	const profileCap = grows ? profile.capMicros : micros(Math.max(profile.capMicros, baseMicros));
	return { kind, baseMicros, capMicros: given.cap ?? profileCap };
}

function resolveLink(input: ScenarioInput["devices"]["link"]): LinkProfile {
	const given = typeof input === "object" ? input : {};
	const profile = LINK_PROFILES[(typeof input === "string" ? input : given.profile) ?? "lte-m"];
	return {
		name: profile.name,
		minMicros: given.min ?? profile.minMicros,
		medianMicros: given.median ?? profile.medianMicros,
		p99Micros: given.p99 ?? profile.p99Micros,
		maxMicros: given.max ?? profile.maxMicros,
		lossPpm: given.loss ?? profile.lossPpm,
		duplicatePpm: given.duplicate ?? profile.duplicatePpm,
		reorderPpm: given.reorder ?? profile.reorderPpm,
		uplinkBitsPerSecond: given.uplink ?? profile.uplinkBitsPerSecond,
		sources: profile.sources,
	};
}

function resolveGateways(
	given: NonNullable<ScenarioInput["gateways"]>,
	devices: Fleet,
	calibration: Calibration,
): Gateways {
	const count = given.count ?? 4;
	const costs = resolveCosts(given, calibration);
	return {
		count,
		costs,
		// Linux: net.core.somaxconn.
		receiveQueueFrames: given.receiveQueueFrames ?? 4_096,
		// Kafka producer: buffer.memory, 32 MiB; max.request.size, 1 MiB; max.in.flight.requests.per.connection, 5.
		sinkQueueReadings: given.sinkQueueReadings ?? Math.floor(33_554_432 / devices.firmware.readingBytes),
		sinkBatchReadings: given.sinkBatchReadings ?? Math.floor(1_048_576 / devices.firmware.readingBytes),
		sinkInFlightBatches: given.sinkInFlightBatches ?? 5,
		// Kafka Streams: commit.interval.ms under exactly-once.
		commitIntervalMicros: given.commitInterval ?? micros(100_000),
		sessionsPerSecond: given.sessions ?? defaultSessions(devices.count, count, costs.helloNanos),
		slotWindowMicros: given.slotWindow ?? micros(60_000_000),
		detectAfterMicros: given.detectAfter ?? micros(700_000),
		...resolvePeers(given.swarm ?? false),
	};
}

/** Two machines on one switch, where the scenario does not say. */
function resolvePeers(
	given: NonNullable<NonNullable<ScenarioInput["gateways"]>["swarm"]>,
): Pick<Gateways, "swarm"> {
	if (given === false) {
		return {};
	}
	const { delayMin = micros(100), delayMax = micros(400), loss = 0 } = given === true ? {} : given;
	const delayMaxMicros = micros(Math.max(delayMin, delayMax));
	return { swarm: { delayMinMicros: delayMin, delayMaxMicros, lossPpm: loss } };
}

function resolveBroker(
	given: NonNullable<ScenarioInput["broker"]>,
	devices: Fleet,
	gateways: number,
): Broker {
	const nodes = given.nodes ?? 1;
	return {
		partitions: given.partitions ?? Math.max(PARTITIONS, gateways, nodes),
		nodes,
		capacityPerSecond:
			given.capacity ?? defaultCapacity(devices.count, devices.firmware.readingIntervalMicros),
		commitMinMicros: given.commitMin ?? micros(100_000),
		commitMedianMicros: given.commitMedian ?? micros(120_000),
		commitP99Micros: given.commitP99 ?? micros(200_000),
		// Kafka producer: request.timeout.ms.
		requestTimeoutMicros: given.requestTimeout ?? micros(30_000_000),
		// Kafka broker: queued.max.requests.
		queuedRequests: given.queuedRequests ?? 500,
	};
}
