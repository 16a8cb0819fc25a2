import { describe, expect, it } from "vitest";
import { worst } from "../../src/gate/gate-report.js";
import type { Arm } from "../../src/gate/time/blocks.js";
import { judgeTimes } from "../../src/gate/time/judge.js";
import { type Contest, measureTimes, type TimeOptions } from "../../src/gate/time/measure.js";
import { CPU_TIME, parseSample, type Sample, WALL_TIME } from "../../src/gate/time/sample.js";
import { err, ok, type Result } from "../../src/units/result.js";
import { Chance } from "./chance.js";

const OPTIONS: TimeOptions = {
	...{ blocksMax: 30, budgetSeconds: 3_600, error: 0.05, seed: "test", judge: "cpu" },
	...{ say: () => undefined, stop: new AbortController().signal },
};

function sample(...values: readonly [metric: string, value: number][]): Result<Sample, string> {
	const all = values.map(([metric, value]) => ({ metric, unit: "us", higherIsBetter: false, value }));
	return ok({ values: all, digest: undefined });
}

/** A program whose candidate takes so much longer, on a machine as noisy as `chance.time` is. */
function noisy(name: string, slowdown: number, chance: Chance): Contest {
	const take = async (arm: Arm) =>
		sample([CPU_TIME, 1_000 * chance.time() * (arm === "candidate" ? 1 + slowdown : 1)]);
	return { name, margin: 0.03, only: undefined, take };
}

function contest(take: Contest["take"], only?: readonly string[]): Contest {
	return { name: "work", margin: 0.03, only, take };
}

async function judge(contests: readonly Contest[], options: Partial<TimeOptions> = {}) {
	const all = { ...OPTIONS, ...options };
	const report = judgeTimes(await measureTimes(contests, all), all);
	return { report, verdict: worst(report.judged.map(({ verdict }) => verdict)) };
}

describe("the time plane under simulated noise", () => {
	const verdicts = async (slowdown: number, trials: number) => {
		const found = { pass: 0, fail: 0, inconclusive: 0, incomparable: 0 };
		for (let n = 0; n < trials; n++) {
			const chance = new Chance(`${slowdown} ${n}`);
			const { verdict } = await judge([noisy("work", slowdown, chance)], { seed: `${n}` });
			found[verdict]++;
		}
		return found;
	};

	it("raises no alarm for the same build", async () => {
		const { fail, pass } = await verdicts(0, 60);
		expect(fail).toBe(0);
		expect(pass).toBeGreaterThan(50);
	});

	it("finds 10 %, and mostly 5 %", async () => {
		expect((await verdicts(0.1, 40)).fail).toBeGreaterThanOrEqual(38);
		expect((await verdicts(0.05, 40)).fail).toBeGreaterThanOrEqual(24);
	});

	it("does not fail what is slower by just the margin more often than it says", async () => {
		// Two rounds have to err, each with a chance of 5 %: 40 trials with more than one alarm would be one in 200.
		expect((await verdicts(0.03, 40)).fail).toBeLessThanOrEqual(1);
	});

	it("holds for a suite as for one metric", async () => {
		const chance = new Chance("suite");
		const contests = Array.from({ length: 12 }, (_, n) => noisy(`work ${n}`, n === 7 ? 0.15 : 0, chance));
		const { report } = await judge(contests);
		const failed = report.judged.filter(({ verdict }) => verdict === "fail").map(({ name }) => name);
		expect(failed).toEqual(["work 7, CPU time"]);
	});
});

describe("what decides", () => {
	it("takes no more samples than it needs", async () => {
		const chance = new Chance("early");
		const outcome = await measureTimes([noisy("work", 0, chance), noisy("slow", 0.5, chance)], OPTIONS);
		expect(outcome.outcomes.every(({ first }) => first.blocks.length < OPTIONS.blocksMax)).toBe(true);
	});

	it("does not believe a slowdown that does not recur", async () => {
		let taken = 0;
		const take = async (arm: Arm) =>
			sample([CPU_TIME, arm === "candidate" && ++taken <= 20 ? 120 + taken / 10 : 100]);
		const { report } = await judge([contest(take)]);
		expect(report.judged).toMatchObject([
			{ verdict: "inconclusive", message: expect.stringContaining("not again") },
		]);
	});

	it("believes nothing where base against base differs", async () => {
		const chance = new Chance("unfit");
		const take = async (arm: Arm) =>
			sample([
				CPU_TIME,
				(arm === "base" ? 100 : arm === "again" ? 110 : 130) * Math.exp(0.001 * chance.normal()),
			]);
		const { report } = await judge([contest(take)]);
		expect(report.judged).toMatchObject([
			{
				verdict: "inconclusive",
				message: expect.stringMatching(/^base against base differs by \+\d.*this machine cannot tell$/),
			},
		]);
	});

	it("says what it would have found when the budget is spent", async () => {
		const chance = new Chance("rough");
		const take = async () => sample([CPU_TIME, 100 * Math.exp(0.5 * chance.normal())]);
		const { report } = await judge([contest(take)], { blocksMax: 8 });
		expect(report.judged).toMatchObject([
			{
				verdict: "inconclusive",
				message: expect.stringMatching(/budget is spent: \d+ % is the smallest difference that shows here/),
			},
		]);
	});

	it("judges one time of a program, and shows the other", async () => {
		const chance = new Chance("both");
		const take = async (arm: Arm) =>
			sample(
				[CPU_TIME, 100 + chance.uniform() / 10],
				[WALL_TIME, (arm === "candidate" ? 200 : 100) + chance.uniform()],
			);
		const byCpu = await judge([contest(take)]);
		expect(byCpu.report.judged).toMatchObject([
			{
				name: "work, CPU time",
				verdict: "pass",
				details: [expect.stringMatching(/^wall time: \+\d.*not judged$/)],
			},
		]);
		const byWall = await judge([contest(take)], { judge: "wall" });
		expect(byWall.report.judged).toMatchObject([{ name: "work, wall time", verdict: "fail" }]);
	});

	it("takes more of a rate as faster", async () => {
		const chance = new Chance("rate");
		const take = async (arm: Arm): Promise<Result<Sample, string>> => {
			const value = (arm === "candidate" ? 80 : 100) + chance.uniform() / 10;
			return ok({
				values: [{ metric: "passes", unit: "passes/s", higherIsBetter: true, value }],
				digest: undefined,
			});
		};
		expect((await judge([contest(take)])).verdict).toBe("fail");
	});
});

describe("what cannot be measured", () => {
	const fine = async () => sample([CPU_TIME, 100]);
	const only = (side: "base" | "candidate") => async (arm: Arm) =>
		(arm === "candidate") === (side === "candidate") ? fine() : err("it ended with 1: no such option");

	it("nothing at all never passes", async () => {
		const { report, verdict } = await judge([]);
		expect(report.judged).toEqual([]);
		expect(verdict).toBe("inconclusive");
	});

	it("what the candidate broke fails", async () => {
		const { report } = await judge([contest(only("base"))]);
		expect(report.judged).toMatchObject([
			{
				verdict: "fail",
				message: "not measured: the candidate cannot run it: it ended with 1: no such option",
			},
		]);
	});

	it("what the base cannot run is new, and alone it proves nothing", async () => {
		const { report, verdict } = await judge([contest(only("candidate"))]);
		expect(report.judged).toEqual([]);
		expect(report.notes[0]).toContain("the base cannot run it");
		expect(verdict).toBe("inconclusive");
	});

	it("what neither runs is undecided", async () => {
		expect((await judge([contest(async () => err("it printed no measurement"))])).verdict).toBe(
			"inconclusive",
		);
	});

	it("a metric that vanished fails", async () => {
		const take = async (arm: Arm) => (arm === "candidate" ? sample(["a", 1]) : sample(["a", 1], ["b", 1]));
		expect((await judge([contest(take)])).report.judged).toMatchObject([
			{ verdict: "fail", message: expect.stringContaining("it does not measure b") },
		]);
	});

	it("a metric that is asked for and not there fails", async () => {
		expect((await judge([contest(fine, ["nothing such"])])).verdict).toBe("fail");
	});

	it("a program that fails in the middle is undecided", async () => {
		let taken = 0;
		const take = async () => (++taken > 9 ? err("it ended with 1: out of luck") : sample([CPU_TIME, 100]));
		expect((await judge([contest(take)])).report.judged).toMatchObject([
			{ verdict: "inconclusive", message: expect.stringContaining("failed in the middle") },
		]);
	});

	it("a budget that is too small says what it would take", async () => {
		const { report } = await judge([contest(fine)], { budgetSeconds: 0 });
		expect(report.judged).toMatchObject([
			{
				verdict: "inconclusive",
				message: expect.stringMatching(/budget of 0 s is too small: 6 blocks take/),
			},
		]);
	});

	it("other work is told", async () => {
		const take = async (arm: Arm): Promise<Result<Sample, string>> => {
			const values = [{ metric: CPU_TIME, unit: "us", higherIsBetter: false, value: 100 }];
			return ok({ values, digest: arm === "candidate" ? "b" : "a" });
		};
		expect((await judge([contest(take)])).report.notes[0]).toContain("do not do the same work");
	});
});

describe("the output of a benchmark", () => {
	it("is read in both forms, whatever else is printed", () => {
		const whole = parseSample('hello\n{"wallMicros":20,"cpuMicros":10,"digest":"d"}\n');
		expect(whole).toMatchObject({
			ok: true,
			value: {
				digest: "d",
				values: [
					{ metric: CPU_TIME, value: 10 },
					{ metric: WALL_TIME, value: 20 },
				],
			},
		});
		const parts = parseSample('{"name":"a","unit":"ns","better":"higher","samples":[3,1,2]}\n{"other":1}');
		expect(parts).toMatchObject({
			ok: true,
			value: { values: [{ metric: "a", higherIsBetter: true, value: 2 }] },
		});
	});

	it.each([
		["", "it printed no measurement"],
		["{not json", "it printed no measurement"],
		['{"wallMicros":0,"cpuMicros":1}', "it printed no measurement"],
		['{"name":"a","unit":"ns","better":"lower","samples":[]}', "it printed no measurement"],
		[
			'{"name":"a","unit":"ns","better":"lower","samples":[1]}\n{"name":"a","unit":"ns","better":"lower","samples":[2]}',
			'it printed "a" twice',
		],
	])("is refused: %s", (text, reason) => {
		expect(parseSample(text)).toEqual({ ok: false, error: reason });
	});
});
