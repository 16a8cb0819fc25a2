import { median } from "simple-statistics";
import { Bench, type FnOptions } from "tinybench";
import type { BenchRecord } from "../../record/run-record.js";
import { loadScenario } from "../../scenarios/load-scenario.js";
import type { Setting } from "../../scenarios/overrides.js";
import { machine } from "./environment.js";
import type { Group } from "./group.js";
import { NativeLoop } from "./native-loop.js";
import { at } from "./places.js";
import { RECORD_HEAD, recordRow, size } from "./table.js";

const BATCHES: readonly number[] = [16, 1_024, 16_384];
const ROUNDS = 5;
const ROUND_MILLIS = 60;
const QUICK_ROUNDS = 2;
const QUICK_ROUND_MILLIS = 5;
const NANOS_PER_MILLI = 1_000_000;

type Part = "report" | "ingress" | "handle" | "acknowledge";

const PARTS: readonly { readonly part: Part; readonly name: string }[] = [
	{ part: "report", name: "fleet.step, a report each" },
	{ part: "ingress", name: "cluster.ingress, a frame each" },
	{ part: "handle", name: "cluster.handle, a frame each" },
	{ part: "acknowledge", name: "fleet.step, an acknowledgement each" },
];

/** What one record costs in each native call, by the size of the batch. */
export const nativeStep: Group = async ({ quick, say }) => {
	const rounds = quick ? QUICK_ROUNDS : ROUNDS;
	const tasks = BATCHES.flatMap((batch) => {
		const loop = new NativeLoop(scenarioOf(batch));
		return PARTS.map(({ part, name }) => ({ part, name, batch, loop, samples: [] as number[] }));
	});
	for (let round = 0; round < rounds; round++) {
		say(`native calls, round ${round + 1} of ${rounds}`);
		for (const task of round % 2 === 0 ? tasks : tasks.toReversed()) {
			task.samples.push(nanosPerRecord(task, quick ? QUICK_ROUND_MILLIS : ROUND_MILLIS));
		}
	}
	const records = tasks.map(
		({ name, batch, samples }): BenchRecord => ({
			name: `native-step, ${name}, batches of ${size(batch)}`,
			unit: "ns/record",
			better: "lower",
			samples,
			environment: {
				...machine(),
				batch: String(batch),
				time: "wall time; a sample is the median of a round's calls",
			},
		}),
	);
	return {
		records,
		tables: [
			{
				title: "The native calls, per record",
				head: RECORD_HEAD,
				rows: records.map((record) => recordRow(record, record.name.replace(/^native-step, /, ""))),
			},
		],
		notes: [
			"A batch holds one record of each of so many devices, which is also the size of the fleet: state is in the cache, the crossing between JavaScript and Rust is in the figure.",
		],
		failures: [],
	};
};

function nanosPerRecord(
	{ part, batch, loop }: { part: Part; batch: number; loop: NativeLoop },
	time: number,
): number {
	const bench = new Bench({ time, iterations: 8, warmup: false, retainSamples: true });
	bench.add(part, () => loop[part](), around(loop, part));
	const [task] = bench.runSync();
	if (task?.result.state !== "completed") {
		const why = task?.result.state === "errored" ? task.result.error.message : "no result";
		throw new Error(`native-step, ${part}, ${batch}: ${why}`);
	}
	return (median([...(task.result.latency.samples ?? [])]) * NANOS_PER_MILLI) / batch;
}

/** Runs the other parts of a round around the one that is measured, outside of its time. */
function around(loop: NativeLoop, part: Part): FnOptions {
	const steps: [Part | null, () => void][] = [
		[null, () => loop.begin()],
		["report", () => loop.report()],
		[null, () => loop.arrive()],
		["ingress", () => loop.ingress()],
		["handle", () => loop.handle()],
		[null, () => loop.decide()],
		["acknowledge", () => loop.acknowledge()],
	];
	const place = steps.findIndex(([name]) => name === part);
	const all = (some: typeof steps) => () => {
		for (const [, step] of some) {
			step();
		}
	};
	// Said, or it would be found out by a call for which nothing is prepared.
	return { async: false, beforeEach: all(steps.slice(0, place)), afterEach: all(steps.slice(place + 1)) };
}

/** So many devices before gateways and a broker that never hold anything back. */
function scenarioOf(devices: number) {
	const set: readonly Setting[] = [
		["devices.count", String(devices)],
		["broker.capacity", "100_000_000/s"],
	];
	const scenario = loadScenario(at("bench/storm.yaml"), { set });
	if (!scenario.ok) {
		throw new Error(scenario.error.map(({ message }) => message).join("; "));
	}
	return scenario.value;
}
