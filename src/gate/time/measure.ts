import { performance } from "node:perf_hooks";
import type { Result } from "../../units/result.js";
import { BLOCKS_MIN } from "../stats/bootstrap.js";
import { type Arm, BLOCK } from "./blocks.js";
import { look, lookPoints, type Race } from "./race.js";
import { CPU_TIME, type MetricValue, type Sample, WALL_TIME } from "./sample.js";

/** A benchmark in both trees. */
export interface Contest {
	readonly name: string;
	readonly margin: number;
	/** Metrics that are judged; all when undefined. */
	readonly only: readonly string[] | undefined;
	take(arm: Arm): Promise<Result<Sample, string>>;
}

/** How times are measured and judged. */
export interface TimeOptions {
	readonly blocksMax: number;
	/** For the first round; the second takes as long again at most, and only where something failed. */
	readonly budgetSeconds: number;
	/** See `RaceOptions`. */
	readonly error: number;
	readonly seed: string;
	/** Which time of a program is judged; the other is shown. */
	readonly judge: "cpu" | "wall";
	readonly say: (line: string) => void;
	readonly stop: AbortSignal;
}

/** A metric after both rounds. */
export interface RaceOutcome {
	readonly benchmark: string;
	readonly first: Race;
	/** The second, independent round; undefined where the first found nothing. */
	readonly second: Race | undefined;
}

/** A benchmark that could not be measured. */
export interface Unmeasured {
	readonly benchmark: string;
	readonly side: "base" | "candidate" | "both" | "neither";
	readonly reason: string;
}

/** What a time plane measured. */
export interface TimeOutcome {
	readonly blocksMax: number;
	readonly outcomes: readonly RaceOutcome[];
	readonly unmeasured: readonly Unmeasured[];
	readonly notes: readonly string[];
}

/** A contest that runs, with what it measures. */
interface Runner {
	readonly contest: Contest;
	readonly metrics: readonly MetricValue[];
	/** Of one block. */
	readonly seconds: number;
}

/** A round: the races of every contest, and those that broke on the way. */
interface Round {
	readonly races: ReadonlyMap<Runner, readonly Race[]>;
	readonly broken: Unmeasured[];
}

/**
 * Measures every contest, block by block in turn, until each metric is decided or the budget is spent. What is slower then
 * is measured again from scratch, and is believed only if it is slower again.
 */
export async function measureTimes(contests: readonly Contest[], options: TimeOptions): Promise<TimeOutcome> {
	const started = performance.now();
	const notes: string[] = [];
	const unmeasured: Unmeasured[] = [];
	const runners: Runner[] = [];
	for (const contest of contests) {
		options.say(`${contest.name}: warming up`);
		const warm = await warmUp(contest, notes);
		if ("reason" in warm) {
			unmeasured.push(warm);
		} else {
			runners.push(warm);
		}
	}
	const seconds = runners.reduce((sum, runner) => sum + runner.seconds, 0);
	const left = options.budgetSeconds - (performance.now() - started) / 1_000;
	const blocksMax = seconds === 0 ? 0 : Math.min(options.blocksMax, Math.floor(left / seconds));
	if (blocksMax < BLOCKS_MIN) {
		const needed = Math.ceil(BLOCKS_MIN * seconds + options.budgetSeconds - left);
		const reason = `the budget of ${options.budgetSeconds} s is too small: ${BLOCKS_MIN} blocks take ${needed} s`;
		unmeasured.push(
			...runners.map(({ contest }) => ({ benchmark: contest.name, side: "neither" as const, reason })),
		);
		return { blocksMax: 0, outcomes: [], unmeasured, notes };
	}
	const first = await runRound(runners, blocksMax, "first round", options);
	const suspects = runners.filter((runner) => racesOf(first, runner).some(isSlow));
	const slow = new Map(suspects.map((runner) => [runner, racesOf(first, runner).filter(isSlow)]));
	const second =
		suspects.length === 0 ? undefined : await runRound(suspects, blocksMax, "second round", options, slow);
	const outcomes = runners
		.filter((runner) => !first.broken.some(({ benchmark }) => benchmark === runner.contest.name))
		.flatMap((runner) =>
			racesOf(first, runner).map((race) => ({
				benchmark: runner.contest.name,
				first: race,
				second:
					second === undefined || !isSlow(race)
						? undefined
						: racesOf(second, runner).find(({ metric }) => metric === race.metric),
			})),
		);
	return {
		blocksMax,
		outcomes,
		unmeasured: [...unmeasured, ...first.broken, ...(second?.broken ?? [])],
		notes,
	};
}

function racesOf(round: Round, runner: Runner): readonly Race[] {
	return round.races.get(runner) ?? [];
}

function isSlow({ decision }: Race): boolean {
	return decision === "slower";
}

/** One sample of each side, not kept: caches warm, faults show, and the time of a block is known. */
async function warmUp(contest: Contest, notes: string[]): Promise<Runner | Unmeasured> {
	const { name } = contest;
	const started = performance.now();
	const base = await contest.take("base");
	const candidate = await contest.take("candidate");
	const seconds = ((performance.now() - started) / 1_000 / 2) * BLOCK.length;
	if (!base.ok || !candidate.ok) {
		const side = base.ok ? "candidate" : candidate.ok ? "base" : "both";
		return {
			benchmark: name,
			side,
			reason: !candidate.ok ? candidate.error : (base as { error: string }).error,
		};
	}
	const [before, after] = [base.value, candidate.value];
	if (before.digest !== after.digest) {
		notes.push(
			`${name}: base and candidate do not do the same work (their digests differ): the times include that`,
		);
	}
	const wanted = ({ metric }: MetricValue) => contest.only === undefined || contest.only.includes(metric);
	const metrics = after.values.filter(wanted);
	const shared = metrics.filter(({ metric }) => before.values.some((one) => one.metric === metric));
	const lost = [...(contest.only ?? []), ...before.values.filter(wanted).map(({ metric }) => metric)].filter(
		(metric) => !after.values.some((one) => one.metric === metric),
	);
	if (lost.length > 0 || shared.length === 0) {
		const reason =
			lost.length > 0 ? `it does not measure ${lost[0]}` : "the two sides measure nothing in common";
		return { benchmark: name, side: lost.length > 0 ? "candidate" : "both", reason };
	}
	for (const { metric } of metrics.filter((one) => !shared.includes(one))) {
		notes.push(`${name}, ${metric}: new, the base has nothing to compare it with`);
	}
	return { contest, metrics: shared, seconds };
}

/** `slow`: in a second round, the races of the first that are run again. */
async function runRound(
	runners: readonly Runner[],
	blocksMax: number,
	title: string,
	options: TimeOptions,
	slow?: ReadonlyMap<Runner, readonly Race[]>,
): Promise<Round> {
	const judge = { error: options.error, seed: `${options.seed}, ${title}` };
	const races = new Map(
		runners.map((runner) => {
			const again = slow?.get(runner)?.map(({ metric }) => metric);
			const metrics = runner.metrics.filter(({ metric }) => again === undefined || again.includes(metric));
			return [runner, metrics.map((value) => newRace(runner.contest, value, options.judge))];
		}),
	);
	const broken: Unmeasured[] = [];
	const points = lookPoints(blocksMax, BLOCKS_MIN);
	let running = [...runners];
	for (let block = 1; block <= blocksMax && running.length > 0; block++) {
		options.say(
			`${title}, block ${block} of at most ${blocksMax}: ${running.map(({ contest }) => contest.name).join(", ")}`,
		);
		for (const runner of running) {
			const reason = await runBlock(runner, races.get(runner) as readonly Race[]);
			if (reason !== undefined) {
				broken.push({ benchmark: runner.contest.name, side: "neither", reason });
				races.delete(runner);
			}
		}
		if (options.stop.aborted) {
			break;
		}
		if (points.includes(block)) {
			look([...races.values()].flat(), blocksMax, judge);
		}
		running = running.filter((runner) => races.get(runner)?.some(isOpen) === true);
	}
	return { races, broken };
}

function isOpen({ isJudged, decision }: Race): boolean {
	return isJudged && decision === "unclear";
}

function newRace(
	contest: Contest,
	{ metric, unit, higherIsBetter }: MetricValue,
	judge: "cpu" | "wall",
): Race {
	const shownOnly = metric === (judge === "cpu" ? WALL_TIME : CPU_TIME);
	return {
		...{ metric, unit, higherIsBetter, margin: contest.margin, isJudged: !shownOnly },
		...{ blocks: [], looks: [], decision: "unclear" },
	};
}

/** Takes one block; the reason why not, if a sample failed. */
async function runBlock({ contest }: Runner, races: readonly Race[]): Promise<string | undefined> {
	const blocks = races.map((): number[] => []);
	for (const arm of BLOCK) {
		const sample = await contest.take(arm);
		if (!sample.ok) {
			return `the ${arm === "candidate" ? "candidate" : "base"} failed in the middle: ${sample.error}`;
		}
		for (const [n, { metric }] of races.entries()) {
			const found = sample.value.values.find((one) => one.metric === metric);
			if (found === undefined) {
				return `${metric} was not measured every time`;
			}
			blocks[n]?.push(found.value);
		}
	}
	for (const [n, race] of races.entries()) {
		if (race.decision === "unclear") {
			race.blocks.push(blocks[n] as number[]);
		}
	}
	return undefined;
}
