import { z } from "zod";
import { FIRMWARE_PROFILE_NAMES } from "./firmware-profiles.js";
import { fleetRefusal, MAX_ATTACKS, MAX_HOSTILE, MAX_OUTAGES } from "./limits.js";
import { LINK_PROFILE_NAMES } from "./link-profiles.js";
import type { BackoffKind, Counterpart, PolicyName } from "./scenario.js";
import { SCENARIO_NAME, SCENARIO_NAME_IN_WORDS } from "./scenario-name.js";
import { expectations, margins } from "./schema-checks.js";
import { bitRate, chance, duration, rate, share, strictMap, text, whole } from "./schema-fields.js";

/** The schema id that a scenario file starts with. */
export const SCENARIO_SCHEMA_ID = "klais.scenario/1";

export const POLICY_NAMES = [
	"none",
	"static",
	"klais",
	"aimd",
	"gradient2",
	"vegas",
	"codel",
	"breakwater",
	"pid",
	"client-throttle",
	"kafka-quota",
	"oracle",
] as const satisfies readonly PolicyName[];

export const COUNTERPARTS = ["devices", "peers", "broker"] as const satisfies readonly Counterpart[];

const BACKOFF_KINDS = [
	"none",
	"fixed",
	"exponential",
	"full-jitter",
	"equal-jitter",
	"decorrelated",
] as const satisfies readonly BackoffKind[];

const U32_MAX = 4_294_967_295;
const SECOND = 1_000_000;
const DAY = 86_400 * SECOND;

const backoff = z.union([
	z.enum(BACKOFF_KINDS),
	strictMap({
		kind: z.enum(BACKOFF_KINDS).optional(),
		base: duration({ min: 1, max: DAY }).optional(),
		cap: duration({ min: 1, max: DAY }).optional(),
	}),
]);

const firmware = z.union([
	z.enum(FIRMWARE_PROFILE_NAMES),
	strictMap({
		profile: z.enum(FIRMWARE_PROFILE_NAMES).optional(),
		readingInterval: duration({ min: SECOND, max: DAY }).optional(),
		reportInterval: duration({ min: SECOND, max: 7 * DAY }).optional(),
		keepAlive: duration({ max: 7 * DAY }).optional(),
		bufferKind: z.enum(["flash", "volatile"]).optional(),
		bufferReadings: whole(1, 65_535).optional(),
		overflow: z.enum(["drop-oldest", "drop-newest", "decimate"]).optional(),
		backup: z.enum(["none", "sensing"]).optional(),
		bootMin: duration({ max: DAY }).optional(),
		bootMax: duration({ max: DAY }).optional(),
		backoff: backoff.optional(),
		helloTimeout: duration({ min: 1_000, max: DAY }).optional(),
		helloTimeoutMax: duration({ min: 1_000, max: DAY }).optional(),
		requestTimeout: duration({ min: 1_000, max: DAY }).optional(),
		windowFrames: whole(1, 255).optional(),
		frameReadings: whole(1, 255).optional(),
		readingBytes: whole(1, 65_535).optional(),
	}),
]);

const link = z.union([
	z.enum(LINK_PROFILE_NAMES),
	strictMap({
		profile: z.enum(LINK_PROFILE_NAMES).optional(),
		min: duration({ min: 1_000, max: 3_600 * SECOND }).optional(),
		median: duration({ min: 1_000, max: 3_600 * SECOND }).optional(),
		p99: duration({ min: 1_000, max: 3_600 * SECOND }).optional(),
		max: duration({ min: 1_000, max: 3_600 * SECOND }).optional(),
		loss: chance().optional(),
		duplicate: chance().optional(),
		reorder: chance().optional(),
		uplink: bitRate().optional(),
	}),
]);

const clocks = strictMap({
	reset: share().optional(),
	ahead: share().optional(),
	drifting: share().optional(),
	drift: chance().optional(),
});

const devices = strictMap({
	count: whole(1, Number.MAX_SAFE_INTEGER).superRefine((count, context) => {
		const refusal = fleetRefusal(count);
		if (refusal !== undefined) {
			context.addIssue({ code: "custom", message: refusal, params: { kind: "limit" } });
		}
	}),
	firmware: firmware.optional(),
	link: link.optional(),
	clocks: clocks.optional(),
	outageOrder: z.enum(["random", "by-gateway"]).optional(),
});

/** Between gateways. */
const peerNetwork = strictMap({
	delayMin: duration({ max: SECOND }).optional(),
	delayMax: duration({ max: SECOND }).optional(),
	loss: chance().optional(),
});

const gateways = strictMap({
	count: whole(1, 1_000).optional(),
	helloCpu: duration({ max: 60 * SECOND }).optional(),
	dataCpu: duration({ max: 60 * SECOND }).optional(),
	readingCpuNanos: whole(0, 1_000_000_000).optional(),
	receiveQueueFrames: whole(1, U32_MAX).optional(),
	sinkQueueReadings: whole(1, U32_MAX).optional(),
	commitInterval: duration({ min: 1_000, max: 60 * SECOND }).optional(),
	sinkInFlightBatches: whole(1, 10_000).optional(),
	sinkBatchReadings: whole(1, U32_MAX).optional(),
	sessions: rate().optional(),
	slotWindow: duration({ min: 1_000, max: DAY }).optional(),
	detectAfter: duration({ max: 3_600 * SECOND }).optional(),
	swarm: z.union([z.boolean(), peerNetwork]).optional(),
});

const broker = strictMap({
	partitions: whole(1, 10_000).optional(),
	nodes: whole(1, 1_000).optional(),
	capacity: rate().optional(),
	commitMin: duration({ min: 1, max: 60 * SECOND }).optional(),
	commitMedian: duration({ min: 1, max: 60 * SECOND }).optional(),
	commitP99: duration({ min: 1, max: 60 * SECOND }).optional(),
	requestTimeout: duration({ min: 1_000, max: 3_600 * SECOND }).optional(),
	queuedRequests: whole(1, 1_000_000).optional(),
});

/** When and whom an outage hits: in words (`at`, `until`, `share`, `spread`), or row by row in a file (`cohorts`). */
const extent = {
	at: duration().optional(),
	until: z.union([z.literal("never"), duration()]).optional(),
	share: share().optional(),
	spread: duration().optional(),
	cohorts: text(1_000).optional(),
};

/** When something happens to servers. They always come back. */
const window = { at: duration(), until: duration() };

const outage = z.discriminatedUnion("kind", [
	strictMap({ kind: z.enum(["power", "refused", "black-holed", "half-open"]), ...extent }),
	strictMap({
		kind: z.literal("brown-out"),
		...extent,
		loss: chance().optional(),
		duplicate: chance().optional(),
		reorder: chance().optional(),
		latencyFactor: whole(1, 1_000).optional(),
	}),
	strictMap({
		kind: z.literal("gateway"),
		...window,
		gateways: whole(1, 1_000).optional(),
		down: z.enum(["process", "machine"]).optional(),
		takeover: z.boolean().optional(),
	}),
	strictMap({ kind: z.literal("gateway-freeze"), ...window, gateways: whole(1, 1_000).optional() }),
	strictMap({
		kind: z.literal("gateway-cut"),
		...window,
		gateways: whole(1, 1_000).optional(),
		from: z
			.array(z.enum(COUNTERPARTS))
			.min(1, "expected at least one of devices, peers, broker")
			.max(COUNTERPARTS.length)
			.optional(),
		direction: z.enum(["both", "in", "out"]).optional(),
	}),
	strictMap({
		kind: z.literal("gateway-partition"),
		...window,
		gateways: whole(1, 1_000).optional(),
		reachesBroker: z.boolean().optional(),
	}),
	strictMap({ kind: z.literal("broker"), ...window }),
	strictMap({ kind: z.literal("broker-slow"), ...window, factor: share("the capacity") }),
	strictMap({ kind: z.literal("leader-loss"), ...window, nodes: whole(1, 1_000).optional() }),
]);

const attack = z.discriminatedUnion("kind", [
	strictMap({
		kind: z.enum(["hello-flood", "data-flood", "forge"]),
		...window,
		devices: whole(1, MAX_HOSTILE),
		perDevice: rate().optional(),
		gateways: whole(1, 1_000).optional(),
	}),
	strictMap({
		kind: z.literal("liar"),
		...window,
		gateway: whole(0, 999).optional(),
		accusations: rate().optional(),
	}),
]);

/** A scenario file, schema `klais.scenario/1`. Only `schema`, `duration` and `devices.count` must be there. */
export const scenarioSchema = strictMap({
	schema: z.literal(SCENARIO_SCHEMA_ID, {
		error: `expected ${SCENARIO_SCHEMA_ID}, the only schema that this version reads`,
	}),
	extends: text(1_000).optional(),
	name: z.string().regex(SCENARIO_NAME, `expected ${SCENARIO_NAME_IN_WORDS}`).optional(),
	title: text(200).optional(),
	teaches: text(2_000).optional(),
	sources: z.array(text(1_000)).max(100, "expected at most 100 sources").optional(),
	duration: duration({ min: SECOND }),
	seed: z.union([text(100), z.int().nonnegative()]).optional(),
	devices,
	gateways: gateways.optional(),
	broker: broker.optional(),
	outages: z.array(outage).max(MAX_OUTAGES, `expected at most ${MAX_OUTAGES} outages`).optional(),
	attacks: z.array(attack).max(MAX_ATTACKS, `expected at most ${MAX_ATTACKS} attacks`).optional(),
	policies: z
		.array(z.enum(POLICY_NAMES))
		.min(1, "expected at least one policy")
		.max(POLICY_NAMES.length)
		.optional(),
	expect: expectations.optional(),
	margins: margins.optional(),
});

/** A scenario file as read: units resolved to numbers, defaults not yet filled in. */
export type ScenarioInput = z.output<typeof scenarioSchema>;
export type AttackInput = NonNullable<ScenarioInput["attacks"]>[number];
export type OutageInput = NonNullable<ScenarioInput["outages"]>[number];
