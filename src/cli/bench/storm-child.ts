// One storm in a process of its own, so that its memory is its own: `node storm-child.js TASK` (see storm-sample.ts).
import { prepareHistograms } from "../../engine/collector.js";
import { ShardWheels } from "../../engine/shard-wheels.js";
import { Simulation } from "../../engine/simulation.js";
import { World } from "../../engine/world.js";
import { Ledger } from "../../record/ledger.js";
import { loadScenario } from "../../scenarios/load-scenario.js";
import type { StormSample, StormTask } from "./storm-sample.js";

async function storm({ scenario: file, devices, policy }: StormTask): Promise<StormSample> {
	const scenario = loadScenario(file, { devices });
	if (!scenario.ok) {
		throw new Error(scenario.error.map(({ message }) => message).join("; "));
	}
	await prepareHistograms();
	const baseRssBytes = process.memoryUsage.rss();
	const simulation = new Simulation(scenario.value, policy);
	const cpu = process.cpuUsage();
	const start = process.hrtime.bigint();
	const elapsedMicros = () => Number((process.hrtime.bigint() - start) / 1_000n);
	const control = { progress: () => undefined, stopped: () => false };
	const { virtual, ledger, digest } = simulation.run(control, () => elapsedMicros() / 1_000_000);
	const wallMicros = elapsedMicros();
	const { user, system } = process.cpuUsage(cpu);
	const { fleet, cluster } = simulation;
	const { count, neverConnected } = virtual.devicesConnected;
	return {
		events: virtual.work.events,
		frames: virtual.work.frames,
		slices: virtual.work.slices,
		cpuMicros: user + system,
		wallMicros,
		peakRssBytes: process.resourceUsage().maxRSS * 1_024,
		baseRssBytes,
		stateBytesPerDevice:
			ShardWheels.bytesPerDevice +
			World.bytesPerDevice +
			Ledger.bytesPerDevice +
			fleet.bytesPerDevice() +
			cluster.bytesPerDevice(),
		digest,
		imbalance: ledger.imbalance,
		connectedShare: count / Math.max(1, count + neverConnected),
	};
}

console.log(JSON.stringify(await storm(JSON.parse(process.argv[2] ?? "{}") as StormTask)));
