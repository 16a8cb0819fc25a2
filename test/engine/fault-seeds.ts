import { beforeAll, it } from "vitest";
import { prepareHistograms } from "../../src/engine/collector.js";
import { faultPlan, QUIET_SECONDS } from "./fault-plans.js";
import { expectDrained, expectHonest } from "./honesty.js";
import { simulate } from "./support.js";

/** One seed alone: how a failing one is repeated. */
const ONLY = process.env["KLAIS_FAULT_SEED"];
/** Times as many seeds as in CI. */
const TIMES = Number(process.env["KLAIS_FAULT_TIMES"] ?? 1);

/** Runs the seeds `first`, `first + step`, … `count` of them: in each the ledger must close. */
export function runFaultSeeds(file: string, first: number, step: number, count: number): void {
	beforeAll(prepareHistograms);
	const all = Array.from({ length: count * TIMES }, (_, n) => first + n * step);
	const seeds = ONLY === undefined ? all : all.filter((seed) => seed === Number(ONLY));
	// A test that runs nothing says nothing: a seed of the other file is skipped there.
	it.skipIf(seeds.length === 0).each(seeds.length === 0 ? [Number(ONLY)] : seeds)("seed %i", (seed) => {
		const { scenario, policy } = faultPlan(seed);
		try {
			const finished = simulate(scenario, policy);
			expectHonest(finished);
			expectDrained(finished, QUIET_SECONDS / 2);
		} catch (error) {
			console.error(`to repeat it: KLAIS_FAULT_SEED=${seed} npx vitest run test/engine/${file}`);
			throw error;
		}
	});
}
