import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { freePorts } from "../../live/broker/free-ports.js";
import type { BenchRecord } from "../../record/run-record.js";
import { firstLine } from "../host-facts.js";
import { runToEnd } from "./children.js";
import { machine } from "./environment.js";
import type { Group, GroupContext } from "./group.js";
import { at } from "./places.js";
import { best, interleave, middle } from "./samples.js";
import { amount, RECORD_HEAD, recordRow } from "./table.js";

/** Two policies, `values` of one parameter, `seeds` seeds. */
interface Size {
	readonly values: number;
	readonly seeds: number;
	readonly samples: number;
}

const FULL: Size = { values: 10, seeds: 10, samples: 2 };
const QUICK: Size = { values: 2, seeds: 2, samples: 1 };
const POLICIES = 2;

/** How many times as many runs two workers do in the same time. */
const WANTED_SPEEDUP = 1.8;
const REDIS_START_MS = 10_000;

/** A way to have a sweep done. */
interface Way {
	readonly name: string;
	/** Does it all; seconds. */
	seconds(): Promise<number>;
}

/** A sweep of small runs, by one worker and by two: threads of one process, and processes at a queue. */
export const sweep: Group = async (context) => {
	const folder = mkdtempSync(join(tmpdir(), "klais-bench-sweep-"));
	try {
		return await measure(context, folder);
	} finally {
		rmSync(folder, { recursive: true, force: true });
	}
};

async function measure({ quick, say }: GroupContext, folder: string) {
	const size = quick ? QUICK : FULL;
	const runs = size.values * size.seeds * POLICIES;
	const file = join(folder, "sweep.yaml");
	writeFileSync(file, sweepFile(size));
	const hasRedis = (await firstLine("redis-server", ["--version"])) !== undefined;
	const ways = [1, 2].flatMap((workers) => [
		onThreads(file, folder, workers),
		...(hasRedis ? [onQueue(file, folder, workers)] : []),
	]);
	const contenders = ways.map((way) => ({ name: way.name, sample: () => way.seconds() }));
	const taken = await interleave(contenders, size.samples, say);
	const records = ways.map(
		({ name }, n): BenchRecord => ({
			name: `sweep, ${name}`,
			unit: "runs/s",
			better: "higher",
			samples: (taken[n] ?? []).map((seconds) => runs / seconds),
			environment: {
				...machine(),
				scenario: "smoke",
				runs: String(runs),
				time: "wall time of the whole command",
			},
		}),
	);
	return {
		records,
		tables: [
			{
				title: `A sweep of ${runs} runs of 2,000 devices`,
				head: [...RECORD_HEAD],
				rows: records.map((record) => recordRow(record)),
			},
		],
		notes: [
			"From the start of `klais sweep` to its end: scenarios are loaded, runs done, one record is written. Workers at a queue are up before, one run at a time each; every run there is a process of its own.",
			...(hasRedis ? [] : ["Workers at a queue are skipped: there is no redis-server."]),
			...(quick ? [] : wanted(records)),
		],
		failures: [],
	};
}

function sweepFile({ values, seeds }: Size): string {
	const rates = Array.from({ length: values }, (_, n) => `${20 + n}/s`);
	return [
		"schema: klais.sweep/1",
		"scenario: smoke",
		`grid: { gateways.sessions: [${rates.join(", ")}] }`,
		`seeds: ${seeds}`,
		"policies: [static, klais]",
		"",
	].join("\n");
}

function wanted(records: readonly BenchRecord[]): string[] {
	return ["threads", "queue"].flatMap((way) => {
		const of = (workers: string) => records.find(({ name }) => name === `sweep, ${way}, ${workers}`);
		const [one, two] = [of("1 worker"), of("2 workers")];
		if (one === undefined || two === undefined) {
			return [];
		}
		const speedup = middle(two) / middle(one);
		const verdict = speedup >= WANTED_SPEEDUP ? "met" : "MISSED";
		return [
			`Wanted of two workers (${way}): ${WANTED_SPEEDUP} times one; it is ${amount(speedup)} (best samples: ${amount(best(two) / best(one))}): ${verdict}. It means something only where two cores are free.`,
		];
	});
}

const named = (way: string, workers: number) =>
	`${way}, ${workers === 1 ? "1 worker" : `${workers} workers`}`;

const program = (...args: string[]) => [at("dist/cli/main.js"), "sweep", ...args];

function onThreads(file: string, folder: string, workers: number): Way {
	const output = ["--out", join(folder, "out"), "--reporter", "json"];
	const args = program(file, "--workers", String(workers), ...output);
	return { name: named("threads", workers), seconds: () => timed(() => runToEnd(process.execPath, args)) };
}

function onQueue(file: string, folder: string, workers: number): Way {
	const seconds = async () => {
		const [port = 0] = await freePorts(1);
		const url = `redis://127.0.0.1:${port}`;
		const place = ["--port", String(port), "--bind", "127.0.0.1", "--dir", folder];
		const children = [
			spawn("redis-server", [...place, "--save", "", "--appendonly", "no"], { stdio: "ignore" }),
		];
		try {
			await answers(port);
			const hands = Array.from({ length: workers }, () => startWorker(url));
			children.push(...hands.map(({ child }) => child));
			await Promise.all(hands.map(({ isReady }) => isReady));
			const output = ["--out", join(folder, "out"), "--reporter", "json"];
			return await timed(() => runToEnd(process.execPath, program(file, "--queue", url, ...output)));
		} finally {
			// The workers first: they would wait for their Redis.
			for (const child of children.toReversed()) {
				await end(child);
			}
		}
	};
	return { name: named("queue", workers), seconds };
}

function startWorker(url: string) {
	const args = program("--worker", "--queue", url, "--workers", "1");
	const child = spawn(process.execPath, args, { stdio: ["ignore", "ignore", "pipe"] });
	// The lines are read to the end: a full pipe would stop the worker.
	const isReady = once(
		createInterface({ input: child.stderr as Readable }).on("line", () => undefined),
		"line",
	);
	return { child, isReady };
}

async function end(child: ChildProcess): Promise<void> {
	if (child.exitCode === null && child.signalCode === null) {
		child.kill("SIGTERM");
		await once(child, "exit");
	}
}

async function timed(work: () => Promise<unknown>): Promise<number> {
	const started = performance.now();
	await work();
	return (performance.now() - started) / 1_000;
}

/** Waits until something listens there. */
async function answers(port: number): Promise<void> {
	const end = performance.now() + REDIS_START_MS;
	for (;;) {
		const isThere = await new Promise<boolean>((resolve) => {
			const socket = connect(port, "127.0.0.1", () => {
				socket.destroy();
				resolve(true);
			});
			socket.once("error", () => resolve(false));
		});
		if (isThere) {
			return;
		}
		if (performance.now() > end) {
			throw new Error(`redis-server does not listen after ${REDIS_START_MS} ms`);
		}
		await sleep(50);
	}
}
