import type { BenchRecord } from "../../record/run-record.js";
import type { PolicyName } from "../../scenarios/scenario.js";
import { runToEnd } from "./children.js";
import { machine } from "./environment.js";
import type { Group, GroupResult } from "./group.js";
import { at } from "./places.js";
import { best, interleave, middle } from "./samples.js";
import type { StormSample, StormTask } from "./storm-sample.js";
import { amount, size } from "./table.js";

interface Size {
	readonly devices: number;
	readonly samples: number;
}

const SIZES: readonly Size[] = [
	{ devices: 100_000, samples: 5 },
	{ devices: 1_000_000, samples: 3 },
	{ devices: 10_000_000, samples: 2 },
];
const QUICK_SIZES: readonly Size[] = [{ devices: 10_000, samples: 2 }];
const POLICIES: readonly PolicyName[] = ["klais", "none"];

/** Events per second and core that are wanted of `klais` at a million devices, and the part of it at ten million. */
const WANTED_PER_SECOND = 5_000_000;
const WANTED_SHARE = 0.7;
const WANTED_RSS_BYTES = 3 * 2 ** 30;

interface Storm {
	readonly devices: number;
	readonly policy: PolicyName;
	readonly samples: readonly StormSample[];
	readonly rate: BenchRecord;
	readonly memory: BenchRecord;
}

/** The whole simulator with the real modules, at its busiest. */
export const engineStorm: Group = async ({ quick, say }) => {
	const storms: Storm[] = [];
	for (const { devices, samples } of quick ? QUICK_SIZES : SIZES) {
		const contenders = POLICIES.map((policy) => ({
			name: `${policy}, ${size(devices)} devices`,
			sample: () => take({ scenario: at("bench/storm.yaml"), devices, policy }),
		}));
		const taken = await interleave(contenders, samples, say);
		storms.push(...POLICIES.map((policy, n) => storm(devices, policy, taken[n] ?? [])));
	}
	return report(storms);
};

async function take(task: StormTask): Promise<StormSample> {
	const stdout = await runToEnd(process.execPath, [
		at("dist/cli/bench/storm-child.js"),
		JSON.stringify(task),
	]);
	return JSON.parse(stdout) as StormSample;
}

function storm(devices: number, policy: PolicyName, samples: readonly StormSample[]): Storm {
	const name = `engine-storm, ${policy}, ${size(devices)} devices`;
	const environment = {
		...machine(),
		policy,
		devices: String(devices),
		events: String(samples[0]?.events ?? 0),
		digest: samples[0]?.digest ?? "",
		time: "CPU time of the run, all threads of its process",
	};
	const rate: BenchRecord = {
		name,
		unit: "events/s per core",
		better: "higher",
		samples: samples.map(({ events, cpuMicros }) => Math.round((events * 1_000_000) / cpuMicros)),
		environment,
	};
	const memory: BenchRecord = {
		name: `${name}: peak memory`,
		unit: "bytes",
		better: "lower",
		samples: samples.map(({ peakRssBytes }) => peakRssBytes),
		environment: { ...environment, time: "none", what: "peak resident set of the process" },
	};
	return { devices, policy, samples, rate, memory };
}

function report(storms: readonly Storm[]): GroupResult {
	const records = storms.flatMap(({ rate, memory }) => [rate, memory]);
	const head = ["devices", "policy", "events/s per core, best", "median", "ns/event, best", "median"];
	const speed = storms.map(({ devices, policy, samples, rate }) => [
		size(devices),
		policy,
		amount(best(rate)),
		amount(middle(rate)),
		amount(1e9 / best(rate)),
		amount(1e9 / middle(rate)),
		amount(samples[0]?.events ?? 0),
		amount((samples[0]?.events ?? 0) / (samples[0]?.slices ?? 1)),
		amount(Math.min(...samples.map(({ wallMicros }) => wallMicros / 1_000_000))),
		String(samples.length),
	]);
	const memory = storms.map(({ devices, policy, samples, memory: peak }) => [
		size(devices),
		policy,
		String(samples[0]?.stateBytesPerDevice ?? 0),
		amount((best(peak) - Math.min(...samples.map(({ baseRssBytes }) => baseRssBytes))) / devices),
		`${amount(best(peak) / 2 ** 20)} MiB`,
	]);
	return {
		records,
		tables: [
			{
				title: "The simulator in a storm, real modules in the loop, every frame an event",
				head: [...head, "events", "per slice", "wall s, best", "samples"],
				rows: speed,
			},
			{
				title: "Its memory",
				head: ["devices", "policy", "state, bytes/device", "resident, bytes/device", "peak resident"],
				rows: memory,
			},
		],
		notes: [
			"Every sample is a process of its own. Per core: events over the CPU time of the whole process, so that waiting for a shared core does not count, and garbage collection and compilation do.",
			"State: what wheels, world, ledger and native modules keep per device. Resident: the peak less the bare runtime, frames in flight included.",
			...wanted(storms),
		],
		failures: storms.flatMap(failuresOf),
	};
}

function wanted(storms: readonly Storm[]): string[] {
	const of = (devices: number) => storms.find((s) => s.policy === "klais" && s.devices === devices);
	const [million, ten] = [of(1_000_000), of(10_000_000)];
	if (million === undefined || ten === undefined) {
		return [];
	}
	const rate = best(million.rate);
	const share = best(ten.rate) / rate;
	const peak = best(ten.memory);
	const verdict = (met: boolean) => (met ? "met" : "MISSED");
	return [
		`Wanted at 1 M devices: ${amount(WANTED_PER_SECOND)} events/s per core; it is ${amount(rate)}: ${verdict(rate >= WANTED_PER_SECOND)}.`,
		`Wanted at 10 M devices: ${WANTED_SHARE} of that rate; it is ${share.toFixed(2)}: ${verdict(share >= WANTED_SHARE)}.`,
		`Wanted at 10 M devices: under 3 GiB; it is ${(peak / 2 ** 30).toFixed(2)} GiB: ${verdict(peak < WANTED_RSS_BYTES)}.`,
	];
}

function failuresOf({ devices, policy, samples }: Storm): string[] {
	const name = `engine-storm, ${policy}, ${size(devices)} devices`;
	const failures = samples
		.filter(({ digest }) => digest !== samples[0]?.digest)
		.map(
			({ digest }) => `${name}: digest ${digest}, before ${samples[0]?.digest}: the run is not deterministic`,
		);
	const imbalance = samples[0]?.imbalance ?? null;
	return imbalance === null ? failures : [...failures, `${name}: the ledger does not balance: ${imbalance}`];
}
