import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { prepareHistograms } from "../../src/engine/collector.js";
import type { Simulation } from "../../src/engine/simulation.js";
import type { RunRecord, SwarmMetrics } from "../../src/record/run-record.js";
import type { Attack, GatewayOutage, PeerNetwork, Scenario } from "../../src/scenarios/scenario.js";
import { micros } from "../../src/units/micros.js";
import { cohort, cutOff, dies, freezes, SECOND, type Sketch, scenarioOf, simulate, span } from "./support.js";

const LAN: PeerNetwork = { delayMinMicros: micros(100), delayMaxMicros: micros(400), lossPpm: 0 };
const LOSSY: PeerNetwork = { delayMinMicros: micros(200), delayMaxMicros: micros(5_000), lossPpm: 20_000 };

function swarmOf(sketch: Partial<Sketch> & { count?: number; network?: PeerNetwork }): Scenario {
	const { count = 4, network = LAN, ...rest } = sketch;
	const base = { devices: 400, durationSeconds: 90 };
	return scenarioOf({ ...base, ...rest, gateways: { count, swarm: network, ...rest.gateways } });
}

function flood(
	kind: "hello-flood" | "data-flood" | "forge",
	devices: number,
	from: number,
	until: number,
): Attack {
	return {
		kind,
		devices,
		framesPerSecond: { "hello-flood": 80, "data-flood": 20, forge: 200 }[kind],
		gateways: kind === "data-flood" ? 1 : 4,
		fromMicros: micros(from * SECOND),
		untilMicros: micros(until * SECOND),
	};
}

function liar(from: number, until: number): Attack {
	const window = { fromMicros: micros(from * SECOND), untilMicros: micros(until * SECOND) };
	return { kind: "liar", gateway: 1, accusationsPerSecond: 500, ...window };
}

function parted(gateways: number, out: number, back: number, reachesBroker: boolean): GatewayOutage {
	return { kind: "gateway-partition", gateways, reachesBroker, ...span(out, back) };
}

function swarm(record: RunRecord): SwarmMetrics {
	const { swarm: metrics } = record.virtual;
	expect(metrics).toBeDefined();
	return metrics as SwarmMetrics;
}

/** What holds whatever happens: nothing twice, nothing acknowledged and lost, no account out of balance. */
function expectHonest({ record, run }: { record: RunRecord; run: Simulation }): void {
	const { ledger } = record;
	expect(ledger.imbalance).toBeNull();
	expect({ duplicates: ledger.duplicates, ackedLost: ledger.ackedLost, reordered: ledger.reordered }).toEqual(
		{
			duplicates: 0,
			ackedLost: 0,
			reordered: 0,
		},
	);
	expect(run.world.ledger.durableTotal).toBe(ledger.durable);
}

beforeAll(prepareHistograms);

describe("a swarm of gateways in the simulator", () => {
	it("notices a gateway that dies, gives its shards to others, and takes it back", () => {
		const finished = simulate(swarmOf({ outages: [dies(1, 20, 50)] }), "klais");
		expectHonest(finished);
		const { downs, ups } = swarm(finished.record);
		// Everybody meets everybody once; three lose sight of one, and it meets them again.
		expect({ downs, ups }).toEqual({ downs: 3, ups: 12 + 6 });
		const [takeover] = finished.record.virtual.takeovers ?? [];
		expect(takeover).toMatchObject({ kind: "gateway", shards: 16, shardsTaken: 16 });
		expect(takeover?.lastCommitSeconds).toBeLessThan(3);
	});

	it("drops devices that flood at every gateway within the bound on gossip", () => {
		const attacks = [flood("hello-flood", 8, 20, 60)];
		const finished = simulate(
			swarmOf({ attacks, outages: [{ kind: "power", cohorts: [cohort(200, 5, 22)] }] }),
			"klais",
		);
		expectHonest(finished);
		const metrics = swarm(finished.record);
		expect(metrics).toMatchObject({
			devicesBlocked: 8,
			blockedEverywhere: 8,
			wrongBlocks: 0,
			boundRounds: 6,
		});
		expect(metrics.spreadMaxRounds).toBeLessThanOrEqual(metrics.boundRounds);
		expect(finished.record.virtual.drops["blocked"]).toBeGreaterThan(0);
	});

	it("stops live readings that nobody took, and keeps them out of the ledger", () => {
		const attacks = [flood("data-flood", 4, 20, 60)];
		const finished = simulate(swarmOf({ attacks, broker: { capacityPerSecond: 20_000 } }), "klais");
		expectHonest(finished);
		const { devicesBlocked, wrongBlocks } = swarm(finished.record);
		expect({ devicesBlocked, wrongBlocks }).toEqual({ devicesBlocked: 4, wrongBlocks: 0 });
		const { attack, drops } = finished.record.virtual;
		expect(attack?.readingsStored).toBeGreaterThan(0);
		expect(drops["blocked"]).toBeGreaterThan(0.5 * (attack?.frames ?? 0));
	});

	it("blames addresses for forged frames, never the devices that they name", () => {
		const finished = simulate(
			swarmOf({ attacks: [flood("forge", 3, 20, 80)], broker: { capacityPerSecond: 20_000 } }),
			"klais",
		);
		expectHonest(finished);
		const { addressesBlocked, devicesBlocked, wrongBlocks } = swarm(finished.record);
		expect({ devicesBlocked, wrongBlocks }).toEqual({ devicesBlocked: 0, wrongBlocks: 0 });
		expect(addressesBlocked).toBeGreaterThanOrEqual(3);
		const { mac = 0, prefix = 0 } = finished.record.virtual.drops;
		expect(mac).toBeGreaterThan(0);
		expect(prefix).toBeGreaterThan(0);
	});

	it.each([LAN, LOSSY])("one liar blocks no device of the fleet (network %#)", (network) => {
		const finished = simulate(swarmOf({ network, attacks: [liar(10, 80)] }), "klais");
		expectHonest(finished);
		const metrics = swarm(finished.record);
		expect(metrics).toMatchObject({ wrongBlocks: 0, wrongBlockedDeviceHours: 0, accusations: 35_000 });
		expect(finished.record.virtual.devicesConnected.neverConnected).toBe(0);
	});

	it.each([true, false])("a partition heals; the smaller side reaches the broker: %s", (reachesBroker) => {
		const scenario = swarmOf({ count: 5, durationSeconds: 150, outages: [parted(2, 20, 60, reachesBroker)] });
		const finished = simulate(scenario, "klais");
		expectHonest(finished);
		const { downs, ups } = swarm(finished.record);
		// Of twenty pairs twelve lose sight of each other. Everybody was given up by somebody, and comes back under a new number.
		expect({ downs, ups: ups - 20 }).toEqual({ downs: 20, ups: 20 });
		expect(finished.record.virtual.undrainedReadings).toBe(0);
	});

	it("says the same twice, and steps through every slice anyway", () => {
		const outages = [dies(1, 12, 20), freezes(1, 25, 31), cutOff(1, 35, 45, ["peers"], "in")];
		const attacks = [flood("hello-flood", 4, 15, 40), flood("forge", 2, 15, 40), liar(20, 50)];
		const scenario = swarmOf({ network: LOSSY, outages, attacks });
		const once = simulate(scenario, "klais");
		expectHonest(once);
		const again = simulate(scenario, "klais");
		const slowly = simulate(scenario, "klais", { everySlice: true });
		expect(again.record.digest).toBe(once.record.digest);
		expect(slowly.record.digest).toBe(once.record.digest);
		expect(again.record.virtual).toEqual(once.record.virtual);
	});

	it("leaves policies without owners as they are", () => {
		const { record } = simulate(swarmOf({ attacks: [flood("forge", 2, 10, 20), liar(10, 20)] }), "none");
		expect(record.virtual.swarm).toBeUndefined();
		expect(record.virtual.drops["mac"]).toBe(4_000);
	});
});

describe("whatever goes wrong at once", () => {
	const time = fc.integer({ min: 5, max: 60 });
	const fault = fc.tuple(fc.integer({ min: 0, max: 3 }), time, fc.integer({ min: 1, max: 25 }));
	const attack = fc.tuple(fc.constantFrom("hello-flood", "data-flood", "forge", "liar"), time);

	it("no device of the fleet is blocked, and no reading is lost or stored twice", () => {
		const plan = fc.tuple(fault, fc.array(attack, { minLength: 1, maxLength: 3 }), fc.boolean(), fc.string());
		fc.assert(
			fc.property(plan, ([[kind, out, seconds], attacks, isLossy, seed]) => {
				const back = out + seconds;
				const outages = [dies(1, out, back), freezes(1, out, back), parted(2, out, back, isLossy)];
				const chosen = outages[kind];
				const scenario = swarmOf({
					count: 5,
					seed,
					network: isLossy ? LOSSY : LAN,
					outages: [
						{ kind: "power", cohorts: [cohort(150, 8, 25)] },
						...(chosen === undefined ? [] : [chosen]),
					],
					attacks: attacks.map(([name, from]) =>
						name === "liar" ? liar(from, from + 20) : flood(name as "forge", 5, from, from + 20),
					),
				});
				const finished = simulate(scenario, "klais");
				expectHonest(finished);
				expect(swarm(finished.record).wrongBlocks).toBe(0);
			}),
			{ numRuns: 8, seed: 16 },
		);
	}, 120_000);
});
