import { holm } from "../stats/holm.js";
import { isSlower, isWithin, type Look, lookAt, type Rule } from "./sequential.js";

/** One metric of one benchmark, block after block. */
export interface Race {
	readonly metric: string;
	readonly unit: string;
	readonly higherIsBetter: boolean;
	readonly margin: number;
	/** False: shown beside what is judged. */
	readonly isJudged: boolean;
	/** Six values each, in the order of `BLOCK`. */
	readonly blocks: number[][];
	readonly looks: Look[];
	decision: "slower" | "within" | "unclear";
}

/** How races are judged. */
export interface RaceOptions {
	/** Chance of a false alarm over all metrics of a round, and of passing a metric that is slower by its margin. */
	readonly error: number;
	readonly seed: string;
}

/** Shares of the blocks after which the samples are looked at. */
const LOOKS = [0.2, 0.4, 0.6, 0.8, 1];

/** Numbers of blocks after which the samples are looked at, rising, `blocksMax` last. */
export function lookPoints(blocksMax: number, blocksMin: number): number[] {
	const points = LOOKS.map((share) => Math.max(blocksMin, Math.ceil(share * blocksMax)));
	return [...new Set(points)];
}

/**
 * Looks at every race that is still open, and decides those that can be. What is slower is decided over all races together,
 * so that a suite of many metrics raises no more false alarms than one.
 */
export function look(races: readonly Race[], blocksMax: number, options: RaceOptions): void {
	const open = races.filter(
		({ decision, blocks, looks }) => decision === "unclear" && blocks.length > (looks.at(-1)?.blocks ?? 0),
	);
	for (const race of open) {
		race.looks.push(
			lookAt(race.blocks, race.higherIsBetter, `${options.seed}, ${race.metric}, ${race.blocks.length}`),
		);
	}
	const judged = races.filter(({ isJudged }) => isJudged);
	const slower = holm(judged, options.error, (race, level) => {
		// What was found to be within its margin stays so.
		return race.decision !== "within" && isSlower(race.looks, ruleOf(race, blocksMax, options), level);
	});
	for (const race of open.filter(({ isJudged }) => isJudged)) {
		if (slower.has(race)) {
			race.decision = "slower";
		} else if (isWithin(race.looks, ruleOf(race, blocksMax, options))) {
			race.decision = "within";
		}
	}
}

/** The rule for one race. */
export function ruleOf({ margin }: Race, blocksMax: number, { error }: RaceOptions): Rule {
	return { margin, error, blocksMax };
}
