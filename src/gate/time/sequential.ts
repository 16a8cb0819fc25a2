import { boundaries } from "../stats/alpha-spending.js";
import { type Estimate, estimate } from "../stats/bootstrap.js";
import { normalQuantile, normalTail } from "../stats/normal.js";
import { floorRatios, slowdowns } from "./blocks.js";

/** What one look at the samples of a metric says. */
export interface Look {
	/** Blocks that were in. */
	readonly blocks: number;
	readonly slowdown: Estimate;
	readonly floor: Estimate;
}

/** How a metric is judged. */
export interface Rule {
	/** Slower by more than this fails; 0.03 is 3 %. */
	readonly margin: number;
	/** Chance of failing a metric that is slower by just the margin, and of passing one; 0 to 0.5. */
	readonly error: number;
	/** Blocks after which the budget is spent. */
	readonly blocksMax: number;
}

/** Looks at the samples: `blocks` hold six values each, in the order of `BLOCK`. */
export function lookAt(blocks: readonly (readonly number[])[], higherIsBetter: boolean, seed: string): Look {
	return {
		blocks: blocks.length,
		slowdown: estimate(
			blocks.map((values) => slowdowns(values, higherIsBetter)),
			seed,
		),
		floor: estimate(
			blocks.map((values) => floorRatios(values, higherIsBetter)),
			`${seed}, floor`,
		),
	};
}

const known = new Map<string, readonly number[]>();
const KNOWN_MAX = 1_000;

/** Chances of error that belong to each look, so that all looks together have `error`: see `boundaries`. */
function levels(error: number, looks: readonly Look[], blocksMax: number): readonly number[] {
	const information = looks.map(({ blocks }) => Math.min(1, blocks / blocksMax));
	const key = JSON.stringify([error, information]);
	const found = known.get(key) ?? boundaries(error, information).map(normalTail);
	if (known.size >= KNOWN_MAX) {
		known.clear();
	}
	known.set(key, found);
	return found;
}

/**
 * Whether any look so far shows the metric as slower than the margin, all looks together with a chance of error of `error`. With
 * more than one metric the error is each one's share of the whole: see `holm`.
 */
export function isSlower(looks: readonly Look[], rule: Rule, error: number): boolean {
	const bar = Math.log1p(rule.margin);
	const allowed = levels(error, looks, rule.blocksMax);
	return looks.some(({ slowdown }, n) => slowdown.lower(allowed[n] as number) > bar);
}

/**
 * Whether the latest look shows the metric as no slower than the margin, and could have told. A machine on which differences of the
 * margin's size go unseen passes nothing.
 */
export function isWithin(looks: readonly Look[], rule: Rule): boolean {
	const look = looks.at(-1);
	if (look === undefined) {
		return false;
	}
	const error = levels(rule.error, looks, rule.blocksMax).at(-1) as number;
	const bar = Math.log1p(rule.margin);
	return look.slowdown.upper(error) < bar && Math.log1p(smallestFound(look, rule.error)) <= bar;
}

/** Chance at which an effect counts as one that would have been found. */
const POWER = 0.8;

/**
 * The smallest difference between two builds that a look tells from none, four times out of five: the minimum detectable
 * effect, as a share. What lies between margin and margin plus this may go either way.
 */
export function smallestFound({ slowdown, floor }: Look, error: number): number {
	const standardError = Math.max(slowdown.standardError, floor.standardError / Math.SQRT2);
	return Math.expm1((normalQuantile(1 - error) + normalQuantile(POWER)) * standardError);
}

/** Base against base says that one is slower than the other by more than the margin: nothing that was measured here is to be believed. */
export function isUnfit(look: Look, rule: Rule): boolean {
	const bar = Math.log1p(rule.margin);
	return look.floor.lower(rule.error) > bar || look.floor.upper(rule.error) < -bar;
}
