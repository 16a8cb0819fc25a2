import type { GateVerdict, Judged, PlaneReport } from "../gate-report.js";
import type { RaceOutcome, TimeOptions, TimeOutcome, Unmeasured } from "./measure.js";
import { type Race, ruleOf } from "./race.js";
import { isUnfit, type Look, smallestFound } from "./sequential.js";

const HEAD = [
	"metric",
	"change",
	"interval",
	"base against base",
	"finds",
	"margin",
	"blocks",
	"verdict",
] as const;

/** The verdict on every metric that was measured, and on every benchmark that was not. */
export function judgeTimes(outcome: TimeOutcome, options: TimeOptions): PlaneReport {
	const judged = outcome.outcomes
		.filter(({ first }) => first.isJudged)
		.map((one) => judge(one, besides(one, outcome.outcomes, options), outcome.blocksMax, options));
	const level = Math.round((1 - 2 * options.error) * 100);
	return {
		plane: "time",
		head: HEAD,
		judged: [...judged, ...outcome.unmeasured.filter(({ side }) => side !== "base").map(unmeasured)],
		notes: [
			...outcome.notes,
			...outcome.unmeasured
				.filter(({ side }) => side === "base")
				.map(({ benchmark, reason }) => `${benchmark}: not compared, the base cannot run it: ${reason}`),
			...(judged.length === 0
				? []
				: [
						`Change: how much slower the candidate is. Interval: where the truth lies, ${level} of 100 times. ` +
							"Finds: the smallest difference that so many samples on this machine tell from none, 80 of 100 times.",
					]),
		],
	};
}

/** Metrics of the same benchmark that are shown, not judged. */
function besides(one: RaceOutcome, all: readonly RaceOutcome[], { error }: TimeOptions): string[] {
	return all
		.filter(({ benchmark, first }) => benchmark === one.benchmark && !first.isJudged)
		.flatMap(({ first }) => {
			const last = first.looks.at(-1);
			return last === undefined
				? []
				: [`${first.metric}: ${change(last)} (${interval(last, error)}), not judged`];
		});
}

function judge(
	one: RaceOutcome,
	shownBeside: readonly string[],
	blocksMax: number,
	options: TimeOptions,
): Judged {
	const { benchmark, first, second } = one;
	const name = `${benchmark}, ${first.metric}`;
	const last = first.looks.at(-1);
	if (last === undefined) {
		return nothing(name, "stopped before there were samples enough");
	}
	const { verdict, message } = verdictOn(one, last, blocksMax, options);
	const blocks = first.blocks.length + (second?.blocks.length ?? 0);
	const again = second?.looks.at(-1);
	return {
		name,
		verdict,
		message,
		cells: [
			change(last),
			interval(last, options.error),
			floorInterval(last, options.error),
			percent(smallestFound(last, options.error)),
			percent(first.margin),
			String(blocks),
			verdict,
		],
		details: [
			...(again === undefined ? [] : [`second round: ${change(again)} (${interval(again, options.error)})`]),
			...shownBeside,
		],
		figures: {
			...figures(first, last, options.error),
			...(again === undefined ? {} : { second: figures(second as Race, again, options.error) }),
		},
	};
}

function verdictOn(
	{ first, second }: RaceOutcome,
	last: Look,
	blocksMax: number,
	options: TimeOptions,
): { verdict: GateVerdict; message: string } {
	const margin = percent(first.margin);
	const found = `${change(last)} (${interval(last, options.error)})`;
	const looks = [last, ...(second?.looks.slice(-1) ?? [])];
	const unfit = looks.find((each) => isUnfit(each, ruleOf(first, blocksMax, options)));
	if (unfit !== undefined) {
		const message = `base against base differs by ${floorInterval(unfit, options.error)}, margin ${margin}: this machine cannot tell`;
		return { verdict: "inconclusive", message };
	}
	if (first.decision === "within") {
		return { verdict: "pass", message: `${found}, within ${margin}` };
	}
	if (first.decision === "slower") {
		return second?.decision === "slower"
			? { verdict: "fail", message: `${found}, and so again in a second round: beyond ${margin}` }
			: { verdict: "inconclusive", message: `${found}, beyond ${margin}, but not again in a second round` };
	}
	const finds = `${percent(smallestFound(last, options.error))} is the smallest difference that shows here`;
	const isAcross = last.slowdown.upper(options.error) >= Math.log1p(first.margin);
	const why = isAcross
		? `may be on either side of ${margin}`
		: `within ${margin}, but ${margin} more would not have shown`;
	const message = `${found}, ${why}, and the budget is spent: ${finds}`;
	return { verdict: "inconclusive", message };
}

function unmeasured({ benchmark, side, reason }: Unmeasured): Judged {
	// What ran in the base and does not in the candidate was broken by the change.
	return side === "candidate"
		? { ...nothing(benchmark, `the candidate cannot run it: ${reason}`), verdict: "fail" }
		: nothing(benchmark, reason);
}

function nothing(name: string, message: string): Judged {
	const cells = ["", "", "", "", "", "0", "not measured"];
	return {
		name,
		verdict: "inconclusive",
		message: `not measured: ${message}`,
		cells,
		details: [],
		figures: {},
	};
}

function figures({ margin, unit, blocks }: Race, last: Look, error: number): Record<string, unknown> {
	const share = (log: number) => Number(Math.expm1(log).toPrecision(6));
	return {
		...{ unit, margin, blocks: blocks.length },
		change: share(last.slowdown.location),
		interval: [share(last.slowdown.lower(error)), share(last.slowdown.upper(error))],
		floor: [share(last.floor.lower(error)), share(last.floor.upper(error))],
		finds: Number(smallestFound(last, error).toPrecision(6)),
		samples: blocks,
	};
}

function change({ slowdown }: Look): string {
	return signed(Math.expm1(slowdown.location));
}

function interval({ slowdown }: Look, error: number): string {
	return range(slowdown.lower(error), slowdown.upper(error));
}

function floorInterval({ floor }: Look, error: number): string {
	return range(floor.lower(error), floor.upper(error));
}

function range(lower: number, upper: number): string {
	return `${signed(Math.expm1(lower))} to ${signed(Math.expm1(upper))}`;
}

function signed(share: number): string {
	const text = (share * 100).toFixed(1);
	return `${share >= 0 && !text.startsWith("-") ? "+" : ""}${text} %`;
}

function percent(share: number): string {
	return `${Number((share * 100).toPrecision(2))} %`;
}
