import { spawn } from "node:child_process";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { median } from "simple-statistics";
import type { GateVerdict } from "../../gate/gate-report.js";
import { runProgram } from "../../gate/process.js";
import {
	OWN_GATE,
	type Rate,
	rateOf,
	rateRecords,
	reaches,
	SLOWDOWNS,
	TARGETS,
} from "../../gate/self-test/rates.js";
import { RIVAL_SAMPLES, type RivalSamples } from "../../gate/self-test/rivals.js";
import {
	type PoolSample,
	resampledTrials,
	rivalRates,
	type TrialOptions,
	trial,
} from "../../gate/self-test/trials.js";
import type { Arm } from "../../gate/time/blocks.js";
import { takeSample } from "../../gate/time/sample.js";
import { RESULTS_FILE_NAME, serialiseResults, writeResults } from "../../record/write-results.js";
import { load, machine } from "../bench/environment.js";
import { renderTable } from "../bench/table.js";
import { EXIT, type ExitCode } from "../exit-codes.js";
import { hostFacts } from "../host-facts.js";
import { print, refuse, say } from "../talk.js";
import { toolFacts } from "../tool-facts.js";
import type { SelfTestRequest } from "./flags.js";

const folder = fileURLToPath(new URL(".", import.meta.url));
const at = (name: string) => join(folder, name);

/** CPU time of one sample. */
const SAMPLE_MICROS = 30_000;
const CALIBRATION_ITERATIONS = 5_000_000;
const MARGIN = 0.03;
/** The gate as its users have it, by default. */
const DEFAULTS = { blocksMax: 30, budgetSeconds: 600, error: 0.05, judge: "cpu" } as const;

interface Size {
	/** Real trials for each slowdown. */
	readonly real: number;
	readonly realSlowdowns: readonly number[];
	readonly pool: number;
	readonly resampled: number;
}

const FULL: Size = { real: 5, realSlowdowns: SLOWDOWNS, pool: 3_000, resampled: 500 };
const QUICK: Size = { real: 1, realSlowdowns: [0, 0.2], pool: 150, resampled: 10 };

/**
 * `klais gate --self-test`: what this gate, and the usual ones, say about a program that is made slower by a known share while
 * noisy neighbours run.
 */
export async function gateSelfTest(request: SelfTestRequest, stop: AbortSignal): Promise<ExitCode> {
	const size = request.quick ? QUICK : FULL;
	const before = load();
	const neighbours = startNoise(availableParallelism());
	let rates: Rate[];
	try {
		const iterations = await calibrate(stop);
		const real = await realTrials(
			iterations,
			{ ...size, real: request.trials ?? size.real },
			request.seed,
			stop,
		);
		say(`taking ${size.pool} samples for the resampled trials`);
		const pool = await takePool(iterations, size.pool, stop);
		say(`${size.resampled} resampled trials for each slowdown`);
		const options: TrialOptions = { ...DEFAULTS, stop };
		rates = [...real, ...(await resampledTrials(pool, size.resampled, request.seed, MARGIN, options))];
	} finally {
		neighbours.stop();
	}
	return report(
		rates,
		request,
		`load average ${before} before, ${load()} after; ${neighbours.count} noisy neighbours`,
	);
}

/** Neighbours that come and go by themselves, and end with this process. */
function startNoise(count: number) {
	const children = Array.from({ length: count }, (_, n) =>
		spawn(process.execPath, [at("noise-child.js"), `noise ${n}`], { stdio: ["pipe", "ignore", "ignore"] }),
	);
	return {
		count,
		stop: () => {
			for (const child of children) {
				child.kill();
			}
		},
	};
}

function words(iterations: number): readonly string[] {
	return ["node", at("workload-child.js"), String(Math.round(iterations))];
}

/** Iterations that take `SAMPLE_MICROS` of CPU time here. */
async function calibrate(stop: AbortSignal): Promise<number> {
	const times: number[] = [];
	for (let n = 0; n < 5; n++) {
		times.push((await once(CALIBRATION_ITERATIONS, stop)).cpuMicros);
	}
	return (CALIBRATION_ITERATIONS * SAMPLE_MICROS) / median(times);
}

/** One sample in a process of its own. Throws when it fails: then there is nothing to test with. */
async function once(iterations: number, stop: AbortSignal): Promise<PoolSample> {
	const ended = await runProgram(words(iterations), { folder, timeoutSeconds: 60, stop });
	if (ended.code !== 0) {
		throw new Error(`the self-test's workload failed: ${ended.complaint}`);
	}
	return JSON.parse(ended.stdout) as PoolSample;
}

async function takePool(iterations: number, count: number, stop: AbortSignal): Promise<PoolSample[]> {
	const pool: PoolSample[] = [];
	while (pool.length < count && !stop.aborted) {
		pool.push(await once(iterations, stop));
	}
	return pool;
}

async function realTrials(
	iterations: number,
	{ real, realSlowdowns }: Size,
	seed: string,
	stop: AbortSignal,
): Promise<Rate[]> {
	const rates: Rate[] = [];
	let previous = await takePool(iterations, RIVAL_SAMPLES, stop);
	for (const slowdown of realSlowdowns) {
		const verdicts: GateVerdict[] = [];
		const samples: RivalSamples<PoolSample>[] = [];
		for (let n = 0; n < real && !stop.aborted; n++) {
			const slower = iterations * (1 + slowdown);
			const contest = {
				...{ name: "workload", margin: MARGIN, only: undefined },
				take: (arm: Arm) => takeSample(words(arm === "candidate" ? slower : iterations), folder, 0, stop),
			};
			verdicts.push(await trial(contest, `${seed}, real, ${slowdown}, ${n}`, { ...DEFAULTS, stop }));
			const base = await takePool(iterations, RIVAL_SAMPLES, stop);
			const candidate = await takePool(slower, RIVAL_SAMPLES, stop);
			samples.push({ base, candidate, previous });
			previous = base;
			say(`${percent(slowdown)} slower, real trial ${n + 1} of ${real}: ${verdicts.at(-1)}`);
		}
		rates.push(rateOf("real", slowdown, verdicts), ...rivalRates("real", slowdown, samples));
	}
	return rates;
}

async function report(
	rates: readonly Rate[],
	request: SelfTestRequest,
	circumstances: string,
): Promise<ExitCode> {
	const tables = (["real", "resampled"] as const).map((kind) => tableOf(kind, rates));
	const resampled = rates.filter(({ kind, gate }) => kind === "resampled" && gate === OWN_GATE);
	const targets = TARGETS.map((target) => {
		const rate = resampled.find(({ slowdown }) => slowdown === target.slowdown);
		const reached = rate === undefined ? undefined : reaches(rate, target);
		const bar = target.atMost === undefined ? `at least ${target.atLeast}` : `at most ${target.atMost}`;
		const word = reached === undefined ? "not measured" : reached ? "met" : "MISSED";
		return {
			reached,
			line: `- ${percent(target.slowdown)} slower: ${bar} alarms of 100, resampled: ${word}`,
		};
	});
	const notes = [
		`- Alarms, by injected slowdown; for klais gate also how often it could not tell. Real: every sample a process of its own, the gate as users run it (CPU time, ${DEFAULTS.blocksMax} blocks, margin ${percent(MARGIN)}). Resampled: stretches of one pool of such samples, the candidate's made longer by arithmetic. The usual gates take the samples of each side one after the other.`,
		`- Measured under ${circumstances}.${request.quick ? " Quick: it shows that it works, not what it finds." : ""}`,
		...(request.quick ? [] : targets.map(({ line }) => line)),
	];
	const text = [...tables.map(renderTable), notes.join("\n")].join("\n\n");
	print(text);
	const flags = request.quick ? " --quick" : "";
	const record = serialiseResults({
		...{ schema: "klais.results/1", tool: await toolFacts(), host: await hostFacts() },
		...{ command: `klais gate --self-test${flags}`, partial: false, runs: [], live: [] },
		bench: rateRecords(rates, machine()),
	});
	const written = await writeResults(request.out, [
		{ name: "SELF_TEST.txt", content: `${text}\n` },
		{ name: RESULTS_FILE_NAME, content: record },
	]);
	if (!written.ok) {
		return refuse([written.error]);
	}
	print(join(written.value.folder, RESULTS_FILE_NAME));
	return request.quick || targets.every(({ reached }) => reached === true) ? EXIT.passed : EXIT.failed;
}

function tableOf(kind: Rate["kind"], rates: readonly Rate[]) {
	const mine = rates.filter((rate) => rate.kind === kind);
	const gates = [...new Set(mine.map(({ gate }) => gate))];
	const slowdowns = SLOWDOWNS.filter((slowdown) => mine.some((rate) => rate.slowdown === slowdown));
	const row = (gate: string, cell: (rate: Rate) => string) =>
		slowdowns.map((slowdown) => {
			const rate = mine.find((one) => one.gate === gate && one.slowdown === slowdown);
			return rate === undefined ? "" : cell(rate);
		});
	return {
		title: `Alarms, ${kind} trials`,
		head: ["gate", ...slowdowns.map((slowdown) => `${percent(slowdown)} slower`)],
		rows: [
			...gates.flatMap((gate) => [
				[gate, ...row(gate, ({ alarms, trials }) => `${alarms} of ${trials}`)],
				...(gate === OWN_GATE
					? [["  could not tell", ...row(gate, ({ undecided }) => String(undecided))]]
					: []),
			]),
		],
	};
}

function percent(share: number): string {
	return `${Math.round(share * 100)} %`;
}
