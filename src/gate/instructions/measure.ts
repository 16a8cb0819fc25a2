import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BenchRecord } from "../../record/run-record.js";
import { err, ok, type Result } from "../../units/result.js";
import { executable } from "../executable.js";
import type { Judged, PlaneReport } from "../gate-report.js";
import { runProgram } from "../process.js";
import type { CountedBenchmark } from "../suite.js";
import type { Tree } from "../worktree.js";
import { type Counts, readCallgrind } from "./callgrind.js";
import { COUNT_HEAD, countRecords, DEFAULT_MARGIN, judgeCounts } from "./judge.js";

/** Under valgrind a program takes fifty times as long. */
const COUNT_SECONDS_MAX = 900;

/** Where and how instructions are counted. */
export interface CountOptions {
	/** Of the machine, the tools included: stored with every count. */
	readonly environment: Readonly<Record<string, string>>;
	readonly say: (line: string) => void;
	readonly stop: AbortSignal;
}

/** The version of valgrind; undefined where there is none, or none that can count here. */
export async function valgrindVersion(): Promise<string | undefined> {
	const { code, stdout } = await runProgram(["valgrind", "--version"], {
		folder: tmpdir(),
		timeoutSeconds: 30,
	});
	return code === 0 ? stdout.trim() : undefined;
}

/** Counts every benchmark in both trees, on the same machine and so on the same processor. */
export async function measureCounts(
	benchmarks: readonly CountedBenchmark[],
	base: Tree,
	candidate: Tree,
	options: CountOptions,
): Promise<{ readonly report: PlaneReport; readonly records: readonly BenchRecord[] }> {
	const judged: Judged[] = [];
	const notes: string[] = [];
	const records: BenchRecord[] = [];
	for (const benchmark of benchmarks) {
		const [before, after] = [
			await countIn(benchmark, base, options),
			await countIn(benchmark, candidate, options),
		];
		if (after.ok) {
			records.push(...countRecords(benchmark.name, after.value, { ...options.environment }));
		}
		if (before.ok && after.ok) {
			const margin = benchmark.margin ?? DEFAULT_MARGIN;
			judged.push(...judgeCounts(benchmark.name, before.value, after.value, margin));
		} else if (after.ok && !before.ok) {
			notes.push(`${benchmark.name}: not compared, the base cannot run it: ${before.error}`);
		} else if (!after.ok) {
			judged.push(broken(benchmark.name, after.error, before.ok));
		}
	}
	return { report: { plane: "instructions", head: COUNT_HEAD, judged, notes }, records };
}

async function countIn(
	benchmark: CountedBenchmark,
	{ folder, label }: Tree,
	{ say, stop }: CountOptions,
): Promise<Result<Counts, string>> {
	say(`${benchmark.name}: counting instructions of ${label}`);
	const words = await executable(benchmark, folder, stop);
	if (!words.ok) {
		return words;
	}
	const scratch = await mkdtemp(join(tmpdir(), "klais-callgrind-"));
	const file = join(scratch, "callgrind.out");
	try {
		// Without the kernel's random places for stack and heap, hashes of addresses and page crossings repeat.
		const fixed = process.platform === "linux" ? ["setarch", "-R"] : [];
		const counter = ["valgrind", "--tool=callgrind", "--error-exitcode=0", `--callgrind-out-file=${file}`];
		const [program = "", ...rest] = words.value;
		const path = program === "node" ? process.execPath : program;
		const ended = await runProgram([...fixed, ...counter, path, ...rest], {
			folder,
			timeoutSeconds: COUNT_SECONDS_MAX,
			stop,
		});
		if (ended.code !== 0) {
			return err(`it ended with ${ended.code ?? "a signal"}: ${ended.complaint}`);
		}
		const counts = readCallgrind(await readFile(file, "utf8"), benchmark.ignore);
		return counts === undefined ? err("callgrind counted nothing") : ok(counts);
	} catch (error) {
		return err(`callgrind left no counts: ${(error as Error).message}`);
	} finally {
		await rm(scratch, { recursive: true, force: true });
	}
}

function broken(name: string, reason: string, ranInBase: boolean): Judged {
	const verdict = ranInBase ? "fail" : "inconclusive";
	const message = `not measured: ${ranInBase ? "the candidate cannot run it" : "neither side can run it"}: ${reason}`;
	return { name, verdict, message, cells: ["", "", "", "", "not measured"], details: [], figures: {} };
}
