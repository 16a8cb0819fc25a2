import { join } from "node:path";
import seedrandom from "seedrandom";
import { executable } from "../../gate/executable.js";
import { gateReport, type Plane, type PlaneReport } from "../../gate/gate-report.js";
import { measureCounts, valgrindVersion } from "../../gate/instructions/measure.js";
import { readSuite, type Suite } from "../../gate/suite.js";
import type { Arm } from "../../gate/time/blocks.js";
import { judgeTimes } from "../../gate/time/judge.js";
import { type Contest, measureTimes, type TimeOptions } from "../../gate/time/measure.js";
import { takeSample } from "../../gate/time/sample.js";
import { baseTree, candidateTree, defaultCache, repositoryOf, type Tree } from "../../gate/worktree.js";
import type { BenchRecord, RunRecord } from "../../record/run-record.js";
import { didYouMean } from "../../scenarios/did-you-mean.js";
import { err, ok, type Result } from "../../units/result.js";
import type { UserError } from "../../units/user-error.js";
import type { ExitCode } from "../exit-codes.js";
import { hostFacts } from "../host-facts.js";
import { shellCommand } from "../shell-command.js";
import { refuse, say } from "../talk.js";
import { exactInTrees } from "./exact-in-trees.js";
import type { BaseRequest } from "./flags.js";
import { publishGate } from "./publish.js";

/** Bytes by which the environment of a sample is longer at most: a page. */
const PADDING_BYTES = 4_096;

/** Both builds, and what is measured of them. */
interface Sides {
	readonly base: Tree;
	readonly candidate: Tree;
	readonly suite: Suite;
}

/** What measuring a plane gave. */
interface Part {
	readonly report?: PlaneReport;
	readonly note?: string;
	readonly runs?: readonly RunRecord[];
	readonly bench?: readonly BenchRecord[];
}

/** `klais gate --base`: builds another commit, and measures it and this checkout in turn. */
export async function gateBase(request: BaseRequest, stop: AbortSignal): Promise<ExitCode> {
	const repository = await repositoryOf(process.cwd());
	if (!repository.ok) {
		return refuse([repository.error]);
	}
	const file = request.suite ?? join(repository.value, "bench", "gate.yaml");
	const read = await readSuite(file);
	const suite = read.ok ? select(read.value, file, request) : err(read.error);
	if (!suite.ok) {
		return refuse([suite.error]);
	}
	const order = { steps: suite.value.build, cache: request.cache ?? defaultCache(), say, stop };
	const base = await baseTree(repository.value, request.base, order);
	const candidate = base.ok ? await candidateTree(repository.value, order) : base;
	if (!base.ok || !candidate.ok) {
		return refuse([...(base.ok ? [] : [base.error]), ...(base.ok && !candidate.ok ? [candidate.error] : [])]);
	}
	const sides = { base: base.value, candidate: candidate.value, suite: suite.value };
	const parts: Part[] = [];
	for (const measure of [exactPlane, instructionPlane, timePlane]) {
		const part = stop.aborted ? ok({}) : await measure(sides, request, stop);
		if (!part.ok) {
			return refuse(part.error);
		}
		parts.push(part.value);
	}
	const report = gateReport(
		{ base: base.value.label, candidate: candidate.value.label },
		parts.flatMap((part) => part.report ?? []),
		parts.flatMap((part) => part.note ?? []),
	);
	return publishGate(report, request, {
		command: shellCommand(["klais", "gate", "--base", request.base]),
		runs: parts.flatMap((part) => part.runs ?? []),
		bench: parts.flatMap((part) => part.bench ?? []),
	});
}

/** The part of a suite that was asked for. */
function select(suite: Suite, file: string, { planes, only }: BaseRequest): Result<Suite, UserError> {
	const has: Readonly<Record<Plane, boolean>> = {
		exact: suite.exact !== undefined,
		time: suite.time.length > 0,
		instructions: suite.instructions.length > 0,
	};
	const missing = planes?.find((plane) => !has[plane]);
	if (missing !== undefined) {
		const message = `has nothing for the plane ${missing}: docs/gate.md shows how to write it`;
		return err({ kind: "usage", message, file });
	}
	const names = [...suite.time, ...suite.instructions].map(({ name }) => name);
	const unknown = only?.find((name) => !names.includes(name));
	if (unknown !== undefined) {
		const hint = didYouMean(unknown, names);
		const message = `${file} has no benchmark ${JSON.stringify(unknown)}: expected ${names.join(", ")}.${hint}`;
		return err({ kind: "usage", message, file: "--only" });
	}
	const wants = (plane: Plane) => planes === undefined || planes.includes(plane);
	const chosen = <T extends { name: string }>(plane: Plane, all: readonly T[]) =>
		wants(plane) ? all.filter(({ name }) => only === undefined || only.includes(name)) : [];
	const { exact, ...rest } = suite;
	const keepsExact =
		exact !== undefined && wants("exact") && (only === undefined || planes?.includes("exact") === true);
	return ok({
		...rest,
		...(keepsExact ? { exact } : {}),
		time: chosen("time", suite.time),
		instructions: chosen("instructions", suite.instructions),
	});
}

async function exactPlane(
	sides: Sides,
	request: BaseRequest,
	stop: AbortSignal,
): Promise<Result<Part, UserError[]>> {
	const { exact } = sides.suite;
	return exact === undefined ? ok({}) : exactInTrees(exact, sides, request, stop);
}

async function instructionPlane(
	{ base, candidate, suite }: Sides,
	{ planes }: BaseRequest,
	stop: AbortSignal,
): Promise<Result<Part, UserError[]>> {
	if (suite.instructions.length === 0) {
		return ok({});
	}
	const valgrind = await valgrindVersion();
	if (valgrind === undefined) {
		const why = "instructions cannot be counted: there is no valgrind (Debian: apt-get install valgrind)";
		return planes?.includes("instructions") === true
			? err([{ kind: "unsupported", message: why, file: "--plane" }])
			: ok({ note: `The instruction plane was left out: ${why}.` });
	}
	const { cpu, rustc, kernel } = await hostFacts();
	const environment = { cpu, rustc, kernel, valgrind };
	const { report, records } = await measureCounts(suite.instructions, base, candidate, {
		environment,
		say,
		stop,
	});
	return ok({ report, bench: records });
}

async function timePlane(
	{ base, candidate, suite }: Sides,
	request: BaseRequest,
	stop: AbortSignal,
): Promise<Result<Part, UserError[]>> {
	if (suite.time.length === 0) {
		return ok({});
	}
	const chance = seedrandom.alea(`${request.seed}, padding`);
	const contests: Contest[] = [];
	for (const benchmark of suite.time) {
		say(`${benchmark.name}: building`);
		const before = await executable(benchmark, base.folder, stop);
		const after = await executable(benchmark, candidate.folder, stop);
		contests.push({
			name: benchmark.name,
			margin: benchmark.margin ?? request.timeMargin,
			only: benchmark.only,
			take: async (arm: Arm) => {
				const [words, tree] = arm === "candidate" ? [after, candidate] : [before, base];
				const padding = Math.floor(chance() * PADDING_BYTES);
				return words.ok ? takeSample(words.value, tree.folder, padding, stop) : words;
			},
		});
	}
	const { blocksMax, budgetSeconds, judge, seed } = request;
	const options: TimeOptions = { blocksMax, budgetSeconds, error: TIME_ERROR, seed, judge, say, stop };
	return ok({ report: judgeTimes(await measureTimes(contests, options), options) });
}

/** Chance of error of a round; a false alarm takes two rounds that err. */
const TIME_ERROR = 0.05;
