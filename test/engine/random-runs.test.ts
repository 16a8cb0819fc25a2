import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { prepareHistograms } from "../../src/engine/collector.js";
import { LINK_PROFILE_NAMES } from "../../src/scenarios/link-profiles.js";
import { cohortsOf, OUTAGE_TAKES, outagePeak } from "../../src/scenarios/outage-peak.js";
import type { BackoffKind, Firmware, Outage, Scenario } from "../../src/scenarios/scenario.js";
import { POLICY_NAMES } from "../../src/scenarios/schema.js";
import { micros } from "../../src/units/micros.js";
import { expectDrained, expectHonest, virtualPart } from "./honesty.js";
import { cohort, SECOND, scenarioOf, simulate } from "./support.js";

beforeAll(prepareHistograms);

/** Another seed, another set of runs: `KLAIS_FUZZ_SEED=7 KLAIS_FUZZ_RUNS=1000 npx vitest run test/engine/random-runs.test.ts`. */
const SEED = Number(process.env["KLAIS_FUZZ_SEED"] ?? 1);
const RUNS = Number(process.env["KLAIS_FUZZ_RUNS"] ?? 60);

const BACKOFFS: readonly BackoffKind[] = [
	"none",
	"fixed",
	"exponential",
	"full-jitter",
	"equal-jitter",
	"decorrelated",
];
/** All outages are over by then; what follows is long enough for a device on standby whose call was lost (10 min). */
const LAST_BACK_SECONDS = 600;
const QUIET_SECONDS = 1_000;

const seconds = (min: number, max: number) => fc.integer({ min, max }).map((s) => micros(s * SECOND));

const firmware: fc.Arbitrary<Partial<Firmware>> = fc
	.record({
		reading: fc.constantFrom(10, 30, 60),
		perReport: fc.integer({ min: 1, max: 4 }),
		keepAlive: fc.constantFrom(0, 0, 15, 47),
		bufferKind: fc.constantFrom("flash" as const, "volatile" as const),
		bufferReadings: fc.constantFrom(1, 5, 30, 1_440, 65_535),
		overflow: fc.constantFrom("drop-oldest" as const, "drop-newest" as const, "decimate" as const),
		backup: fc.constantFrom("none" as const, "sensing" as const),
		boot: fc.integer({ min: 0, max: 20 }),
		base: seconds(1, 3),
		cap: seconds(5, 60),
		hello: seconds(3, 10),
		request: seconds(2, 30),
		windowFrames: fc.constantFrom(1, 2, 5, 20),
		frameReadings: fc.constantFrom(1, 7, 64, 255),
	})
	.map(({ reading, perReport, keepAlive, boot, base, cap, hello, request, ...rest }) => ({
		...rest,
		readingIntervalMicros: micros(reading * SECOND),
		reportIntervalMicros: micros(reading * perReport * SECOND),
		keepAliveMicros: micros(keepAlive * SECOND),
		bootMinMicros: micros((boot * SECOND) / 2),
		bootMaxMicros: micros(boot * SECOND),
		backoff: { kind: "exponential" as const, baseMicros: base, capMicros: cap },
		helloTimeoutMicros: hello,
		helloTimeoutMaxMicros: micros(30 * SECOND),
		requestTimeoutMicros: request,
	}));

const anyCohort = fc
	.tuple(
		fc.double({ min: 0.02, max: 0.5, noNaN: true }),
		fc.integer({ min: 0, max: 400 }),
		fc.oneof(fc.constantFrom(0.01, 0.05, 2, 5), fc.integer({ min: 1, max: 150 })),
		fc.constantFrom(0, 0, 3, 50),
	)
	.map(
		([share, out, length, spread]) =>
			(devices: number) =>
				cohort(Math.max(1, Math.floor(share * devices)), out, out + length, spread),
	);

const anyOutage = fc
	.tuple(
		fc.constantFrom(
			"power",
			"power",
			"refused",
			"black-holed",
			"half-open",
			"brown-out",
			"gateway",
			"broker",
		),
		fc.array(anyCohort, { minLength: 1, maxLength: 3 }),
	)
	.map(([kind, rows]) => (devices: number, gateways: number): Outage => {
		const cohorts = rows.map((row) => row(devices)).sort((x, y) => x.outAtMicros - y.outAtMicros);
		const { outAtMicros, backAtMicros } = cohorts[0] as (typeof cohorts)[number];
		const window = { outAtMicros, backAtMicros: backAtMicros ?? outAtMicros };
		if (kind === "gateway") {
			return { kind, gateways: 1 + (rows.length % gateways), down: "process", takeover: true, ...window };
		}
		if (kind === "broker") {
			return { kind, ...window };
		}
		return kind === "brown-out"
			? {
					kind,
					cohorts,
					lossPpm: rows.length * 100_000,
					duplicatePpm: 0,
					reorderPpm: 0,
					latencyFactor: rows.length,
				}
			: { kind: kind as "power", cohorts };
	});

const anyScenario = fc
	.record({
		seed: fc.integer({ min: 0, max: 1_000_000 }),
		devices: fc.integer({ min: 5, max: 80 }),
		firmware,
		// The faster the link, the more slices a run takes.
		link: fc.constantFrom(...LINK_PROFILE_NAMES, "lte-m" as const, "nb-iot" as const),
		gateways: fc.integer({ min: 1, max: 4 }),
		sessions: fc.integer({ min: 1, max: 10 }),
		receiveQueue: fc.constantFrom(8, 256),
		sinkQueue: fc.constantFrom(255, 5_000),
		nodes: fc.integer({ min: 1, max: 3 }),
		spare: fc.integer({ min: 2, max: 8 }),
		timeout: fc.constantFrom(2, 10, 30),
		outages: fc.array(anyOutage, { minLength: 1, maxLength: 3 }),
	})
	.map((x): Scenario => {
		const outages = x.outages.map((make) => make(x.devices, x.gateways));
		const interval = (x.firmware.readingIntervalMicros ?? SECOND) / SECOND;
		const capacity = Math.ceil((x.spare * x.devices) / interval) + 20;
		// A request for one frame must be possible: its device's node alone works on it.
		const oneFrame = Math.ceil((3 * (x.firmware.frameReadings ?? 1) * x.nodes) / capacity);
		return scenarioOf({
			devices: x.devices,
			seed: `random-${x.seed}`,
			durationSeconds: LAST_BACK_SECONDS + QUIET_SECONDS,
			firmware: x.firmware,
			link: x.link,
			gateways: {
				count: x.gateways,
				sessionsPerSecond: x.sessions,
				receiveQueueFrames: x.receiveQueue,
				sinkQueueReadings: x.sinkQueue,
				sinkBatchReadings: 255,
			},
			broker: {
				nodes: x.nodes,
				capacityPerSecond: capacity,
				requestTimeoutMicros: micros(Math.max(x.timeout, oneFrame) * SECOND),
				// Small steps cost time, not coverage: the link's own minimum is used where it is smaller.
				commitMinMicros: micros(60_000),
			},
			outages: isLegal(outages, x.devices, x.gateways) ? outages : outages.slice(0, 1),
		});
	})
	.filter(({ outages, devices, gateways }) => isLegal(outages, devices.count, gateways.count));

/** What the loader checks: no device or gateway is taken twice at once. */
function isLegal(outages: readonly Outage[], devices: number, gateways: number): boolean {
	const down = outages.reduce((sum, o) => sum + (o.kind === "gateway" ? o.gateways : 0), 0);
	return down <= gateways && OUTAGE_TAKES.every((t) => outagePeak(cohortsOf(outages, t)).devices <= devices);
}

describe("any small scenario", () => {
	it("is accounted for under every policy, and drained under klais", () => {
		const runs = fc.tuple(
			anyScenario,
			fc.constantFrom(...POLICY_NAMES, "klais"),
			fc.constantFrom(...BACKOFFS),
		);
		fc.assert(
			fc.property(runs, fc.nat({ max: 7 }), ([scenario, policy, backoffKind], again) => {
				const finished = simulate(scenario, policy, { policy: { backoffKind } });
				expectHonest(finished);
				if (policy === "klais") {
					expectDrained(finished, QUIET_SECONDS / 2);
				}
				if (again === 0) {
					const twin = simulate(scenario, policy, { policy: { backoffKind } });
					expect(virtualPart(twin.record)).toEqual(virtualPart(finished.record));
				}
			}),
			{ numRuns: RUNS, seed: SEED, endOnFailure: RUNS > 60 },
		);
	});
});
