import type { RunRecord } from "../record/run-record.js";
import type { PolicyName, Scenario } from "../scenarios/scenario.js";
import { Attacks } from "./attacks.js";
import { Collector, type Phase } from "./collector.js";
import { DeviceSide, FRAME_OVERHEAD_BYTES, WIRE_READING_BYTES } from "./device-side.js";
import { GatewayPaths } from "./gateway-paths.js";
import { GatewaySide } from "./gateway-side.js";
import { createCluster, createFleet, type NativeCluster, type NativeFleet } from "./native.js";
import { OutagePlan } from "./outage-plan.js";
import { type PlanFacts, planFacts } from "./plan-facts.js";
import { clusterOptions, fleetOptions, POLICIES, type Policy } from "./policies.js";
import { Production } from "./production.js";
import { LAST_SLICE } from "./shard-wheels.js";
import { type FinishedRun, summarise } from "./summary.js";
import { joinSwarm } from "./swarm.js";
import { Transitions } from "./transitions.js";
import { Witness } from "./witness.js";
import { World } from "./world.js";

/** Rows of the series, at most one more. */
const BUCKETS = 480;
const SECOND = 1_000_000;
const RING_SLICES_MAX = 65_536;
const RING_SLICES_MIN = 32;
/** Slices between two looks at the stop flag and two words of progress. */
const CONTROL_SLICES = 4_096;

/** What a test may change. */
export interface SimulationOptions {
	/** Step through every slice instead of skipping idle ones: slower, with the same result. */
	readonly everySlice?: boolean;
	/** Settings that replace the policy's own. */
	readonly policy?: Partial<Policy>;
}

/** How whoever started a run watches and stops it. */
export interface RunControl {
	/** Virtual time reached, and events so far. */
	progress(atMicros: number, events: number): void;
	/** True: end here; the record is marked as incomplete. */
	stopped(): boolean;
}

/**
 * One run: the world in TypeScript, the system under test in Rust, in lockstep over time slices as long as the shortest
 * one-way latency, so that nothing that happens in a slice can matter to anyone else within it.
 */
export class Simulation implements FinishedRun {
	readonly world: World;
	readonly facts: PlanFacts;
	readonly collector: Collector;
	readonly fleet: NativeFleet;
	readonly cluster: NativeCluster;
	readonly sliceMicros: number;
	/** Slices stepped through; the rest was idle and skipped. */
	slices = 0;
	drainedMicros: number | null = null;
	private readonly devices: DeviceSide;
	private readonly gateways: GatewaySide;
	private readonly attacks: Attacks;
	private readonly transitions: Transitions;
	private readonly production: Production;
	private readonly stats = new Float64Array(8);
	private bucketStart = 0;
	/** End of the slice stepped through last. */
	private steppedMicros = 0;

	/** `seed` overrides the scenario's. Throws if the native library is missing or refuses a checked scenario. */
	constructor(
		readonly scenario: Scenario,
		policy: PolicyName,
		readonly seed: string = scenario.seed,
		private readonly options: SimulationOptions = {},
	) {
		const chosen = { ...POLICIES[policy], ...options.policy };
		this.world = new World(scenario, chosen, seed);
		const { streams, links } = this.world;
		this.sliceMicros = sliceMicrosOf(scenario);
		if (scenario.durationMicros / this.sliceMicros > LAST_SLICE) {
			throw new RangeError("the scenario is too long for its shortest latency");
		}
		const plan = new OutagePlan(scenario, this.sliceMicros, streams);
		links.brownOuts = plan.brownOuts;
		this.facts = planFacts(scenario, plan, this.sliceMicros, streams);
		this.fleet = createFleet(fleetOptions(scenario, chosen, streams));
		this.cluster = createCluster(clusterOptions(scenario, chosen, streams));
		this.cluster.assumeOnline(scenario.devices.count + this.world.hostileDevices);
		joinSwarm(this.cluster, scenario, chosen, streams);
		const bucket = Math.ceil(scenario.durationMicros / BUCKETS / SECOND) * SECOND;
		this.collector = new Collector(bucket);
		const slowest = plan.brownOuts.reduce((factor, b) => Math.max(factor, b.latencyFactor), 1);
		const ring = ringSlices(this.world, this.sliceMicros, slowest);
		const { world, cluster, sliceMicros } = this;
		const witness = new Witness(world, this.fleet, this.collector);
		this.gateways = new GatewaySide(world, cluster, witness, sliceMicros, ring, {
			outages: plan.brokerOutages,
			losses: plan.leaderLosses,
			slowdowns: plan.brokerSlowdowns,
			paths: new GatewayPaths(plan.gatewayTransitions, scenario.gateways.count, sliceMicros),
		});
		this.devices = new DeviceSide(world, this.fleet, this.gateways, sliceMicros, ring);
		this.gateways.downlink = this.devices;
		this.gateways.everySlice = options.everySlice === true;
		this.attacks = new Attacks(world, this.gateways, sliceMicros);
		this.gateways.attackers = this.attacks;
		this.devices.everySlice = options.everySlice === true;
		const production = new Production(world, this.fleet);
		this.production = production;
		world.unstored = (device, time) => production.owed(device, time);
		this.transitions = new Transitions(
			world,
			plan,
			this.devices,
			this.gateways,
			this.production,
			sliceMicros,
		);
	}

	/** Runs to the end, or until stopped. `elapsedSeconds` tells the wall time spent so far. */
	run(control: RunControl, elapsedSeconds: () => number): RunRecord {
		const end = Math.ceil(this.scenario.durationMicros / this.sliceMicros);
		let slice = 0;
		let stopped = false;
		while (slice < end && !stopped) {
			this.endBuckets(slice * this.sliceMicros);
			this.watch(slice);
			this.transitions.apply(slice);
			this.attacks.run(slice);
			this.devices.run(slice);
			this.gateways.run(slice);
			this.slices++;
			const next = Math.min(
				this.devices.nextSlice(),
				this.gateways.nextSlice(slice),
				this.transitions.nextSlice(),
				this.attacks.nextSlice(),
			);
			const skipTo = this.options.everySlice === true ? 0 : Math.min(next, end);
			slice = Math.max(slice + 1, skipTo);
			if (this.slices % CONTROL_SLICES === 0) {
				control.progress(slice * this.sliceMicros, this.world.events);
				stopped = control.stopped();
			}
		}
		const at = slice * this.sliceMicros;
		this.endBuckets(at);
		this.watch(slice);
		const record = summarise(this, this.production, at, !stopped, elapsedSeconds);
		this.dispose();
		return record;
	}

	/** Frees the memory outside JavaScript's heap. `run` does so at its end. */
	dispose(): void {
		this.fleet.dispose();
		this.cluster.dispose();
		this.collector.dispose();
	}

	/** What the gateways counted: see `NativeCluster.stats`. */
	gatewayStats(): Float64Array {
		this.cluster.stats(this.stats);
		return this.stats;
	}

	/** Looks at the time before `slice`: since the slice stepped through last, nothing has changed but the time. */
	private watch(slice: number): void {
		const { bound } = this.facts;
		const now = slice * this.sliceMicros;
		if (this.drainedMicros === null && bound.endMicros !== null && now >= bound.endMicros) {
			if (this.world.owedTotal <= bound.epsilonReadings) {
				const possible = Math.ceil(bound.endMicros / this.sliceMicros) * this.sliceMicros;
				this.drainedMicros = Math.max(possible, this.steppedMicros);
			}
		}
		this.steppedMicros = now + this.sliceMicros;
		this.collector.enter(this.phaseAt(now));
	}

	private phaseAt(time: number): Phase {
		const { onsetMicros, recoveryMicros } = this.facts;
		if (onsetMicros === null || time < onsetMicros) {
			return "before";
		}
		if (this.drainedMicros !== null) {
			return "after";
		}
		return recoveryMicros === null || time < recoveryMicros ? "outage" : "recovery";
	}

	private endBuckets(time: number): void {
		const { bucketMicros } = this.collector;
		while (this.bucketStart + bucketMicros <= time) {
			this.endBucket(this.bucketStart + bucketMicros);
		}
	}

	private endBucket(endMicros: number): void {
		const { counters, reachable, online, owedTotal, drops } = this.world;
		const stats = this.gatewayStats();
		counters.hellos = stats[0] as number;
		counters.deferred = stats[1] as number;
		counters.offered = stats[2] as number;
		counters.admitted = stats[3] as number;
		counters.dropped = this.cluster.drops().reduce((x, y) => x + y, drops["receive-queue-full"]);
		const { backlog, stepMicros } = this.facts.bound;
		const step = Math.min(backlog.length - 1, Math.floor((endMicros - 1) / stepMicros));
		const backlogBound = backlog[step] ?? 0;
		this.collector.endBucket(this.bucketStart, counters, {
			reachable,
			online,
			backlog: owedTotal,
			backlogBound,
		});
		this.bucketStart = endMicros;
	}
}

/** Length of a time slice: the shortest time in which anyone can matter to anyone else. */
export function sliceMicrosOf({ devices, broker }: Scenario): number {
	return Math.min(devices.link.minMicros, broker.commitMinMicros);
}

function ringSlices(world: World, sliceMicros: number, latencyFactor: number): number {
	const { firmware } = world.scenario.devices;
	const frameBytes = FRAME_OVERHEAD_BYTES + firmware.frameReadings * WIRE_READING_BYTES;
	// A duplicate or a refusal takes the way twice.
	const { max } = world.links.bounds(latencyFactor, frameBytes, 2 * firmware.windowFrames);
	let slices = RING_SLICES_MIN;
	while (slices < (2 * max) / sliceMicros + 4) {
		slices *= 2;
	}
	if (slices > RING_SLICES_MAX) {
		throw new RangeError("the link's longest latency is too long for its shortest");
	}
	return slices;
}
