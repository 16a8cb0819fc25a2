import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compareExactly, type ExactOptions } from "../../src/gate/exact/compare.js";
import { leaves } from "../../src/gate/exact/leaves.js";
import { type MarginRule, parseMargin } from "../../src/gate/exact/margins.js";
import { gateReport, worst } from "../../src/gate/gate-report.js";
import type { ResultsFile, RunRecord } from "../../src/record/run-record.js";
import { pspsResults } from "../fixtures/psps-results.js";

const base = pspsResults(["none", "klais"]);

function margins(...texts: readonly string[]): MarginRule[] {
	return texts.map((text) => {
		const [path = "", value = ""] = text.split("=");
		const rule = parseMargin(path, value);
		expect(rule.ok).toBe(true);
		return (rule as { value: MarginRule }).value;
	});
}

function compare(candidate: ResultsFile, options: Partial<ExactOptions> = {}, before: ResultsFile = base) {
	return compareExactly(before, candidate, { margins: [], subset: false, ...options });
}

function verdictOf(result: ReturnType<typeof compareExactly>) {
	return worst(result.report.judged.map(({ verdict }) => verdict));
}

/** The base with its second run changed. */
function changed(change: (run: RunRecord) => Partial<RunRecord>): ResultsFile {
	const [first, second] = base.runs as [RunRecord, RunRecord];
	return { ...base, runs: [first, { ...second, ...change(second) }] };
}

/** A record with the value at a path replaced. */
function withLeaf<T>(value: T, path: readonly string[], leaf: unknown): T {
	const [key, ...rest] = path;
	return key === undefined
		? (leaf as T)
		: ({ ...value, [key]: withLeaf((value as Record<string, unknown>)[key], rest, leaf) } as T);
}

describe("the exact plane", () => {
	it("passes what is the same to the last digit", () => {
		const result = compare(structuredClone(base));
		expect(verdictOf(result)).toBe("pass");
		expect(result.report.judged.map(({ message }) => message)).toEqual(
			Array(2).fill("the same to the last digit"),
		);
		expect(result.changed).toEqual([]);
	});

	it("fails when any one value moves, however little, and names it", () => {
		const run = base.runs[1] as RunRecord;
		const all = [...leaves({ digest: run.digest, ledger: run.ledger, virtual: run.virtual })];
		expect(all.length).toBeGreaterThan(40);
		fc.assert(
			fc.property(
				fc.constantFrom(...all),
				fc.double({ min: 1e-9, max: 1, noNaN: true }),
				([path, value], by) => {
					const leaf = typeof value === "number" ? (value === 0 ? by : value * (1 + by)) : `${value}x`;
					fc.pre(leaf !== value);
					const result = compare(changed((one) => withLeaf(one, path.split("."), leaf)));
					expect(verdictOf(result)).toBe("fail");
					const [, judged] = result.report.judged;
					expect(judged?.details.some((line) => line.startsWith(`${path}: `))).toBe(true);
				},
			),
		);
	});

	it("says whether it got better or worse, and by how much", () => {
		const result = compare(
			changed(({ virtual }) => ({
				virtual: { ...virtual, attemptsPerConnect: virtual.attemptsPerConnect * 1.1 },
			})),
		);
		expect(result.report.judged[1]).toMatchObject({
			verdict: "fail",
			message: "1 metric beyond what is allowed",
			details: [expect.stringMatching(/^virtual\.attemptsPerConnect: .* -> .* \(\+10 %, worse\)$/)],
		});
	});

	it("names the first stretch of virtual time in which the series part", () => {
		const result = compare(
			changed(({ series }) => ({
				digest: "another",
				series: {
					...series,
					online: series.online.map((value, row) => (row === 7 || row === 9 ? value + 1 : value)),
				},
			})),
		);
		const { timeSeconds, bucketSeconds } = (base.runs[1] as RunRecord).series;
		const from = timeSeconds[7] as number;
		expect(result.report.judged[1]?.details).toContainEqual(
			expect.stringMatching(
				new RegExp(`^the series part between ${from} s and ${from + bucketSeconds} s.*: online`),
			),
		);
		expect(result.changed.map(({ name }) => name)).toEqual([result.report.judged[1]?.name]);
	});

	it("fails another series of the same events: it is measured differently", () => {
		const other = changed(({ series }) => ({
			series: { ...series, online: series.online.map((value) => value + 1) },
		}));
		expect(compare(other).report.judged[1]?.message).toContain("what changed is how it is measured");
		expect(verdictOf(compare(other, { margins: margins("series=any") }))).toBe("pass");
	});
});

describe("margins", () => {
	const slower = (by: number) =>
		changed(({ virtual }) => ({
			virtual: { ...virtual, attemptsPerConnect: virtual.attemptsPerConnect * by },
		}));

	it("let a metric move so far, and no farther", () => {
		const rules = margins("virtual.attemptsPerConnect=5%");
		expect(verdictOf(compare(slower(1.04), { margins: rules }))).toBe("pass");
		expect(verdictOf(compare(slower(1.06), { margins: rules }))).toBe("fail");
	});

	it("do not stand in the way of what got better", () => {
		expect(verdictOf(compare(slower(0.5), { margins: margins("virtual.attemptsPerConnect=5%") }))).toBe(
			"pass",
		);
		expect(verdictOf(compare(slower(0.5)))).toBe("fail");
	});

	it("may be amounts, wildcards, and the last one counts", () => {
		const rules = margins("virtual.*=1%", "virtual.attempts*=10");
		expect(verdictOf(compare(slower(1.5), { margins: rules }))).toBe("pass");
		expect(verdictOf(compare(slower(1.5), { margins: rules.toReversed() }))).toBe("fail");
	});

	it("come from the scenario too, the command line's after them", () => {
		const withMargins = (results: ResultsFile) => ({
			...results,
			runs: results.runs.map((run) => ({
				...run,
				config: { ...(run.config as object), margins: { digest: "any" } },
			})),
		});
		const other = withMargins(changed(() => ({ digest: "another" })));
		expect(verdictOf(compare(other))).toBe("pass");
		expect(verdictOf(compare(other, { margins: margins("digest=0") }))).toBe("fail");
	});

	it("that speak of no metric are told", () => {
		const { idle, metrics } = compare(base, { margins: margins("virtual.drainRation=1%", "virtual.*=1%") });
		expect(idle.map(({ path }) => path)).toEqual(["virtual.drainRation"]);
		expect(metrics).toContain("virtual.drainRatio");
	});

	it.each([
		["", "1%"],
		["virtual.x", "1 percent"],
		["virtual.x", "-1"],
		["virtual.x", "101%"],
		["a b", "1"],
		["virtual.x", ""],
	])("are refused: %s=%s", (path, value) => {
		expect(parseMargin(path, value)).toMatchObject({ ok: false, error: expect.stringContaining("expected") });
	});
});

describe("what cannot be compared", () => {
	const refused = (candidate: ResultsFile, before: ResultsFile = base) => {
		const { report, changed: runs } = compare(candidate, {}, before);
		expect(worst(report.judged.map(({ verdict }) => verdict))).toBe("incomparable");
		expect(runs).toEqual([]);
		return report.judged.map(({ message }) => message).join("\n");
	};
	const configured = (change: object) =>
		changed(({ config }) => ({ config: { ...(config as object), ...change } }));

	it("another configuration, with what differs", () => {
		expect(refused(configured({ gateways: { count: 9 } }))).toMatch(
			/gateways\.count is \S+ in the base, 9 in the candidate/,
		);
		expect(refused(changed(() => ({ devices: 7 })))).toContain("7 in the candidate");
	});

	it("not words, nor the policy's own settings, which the code under test decides", () => {
		const other = configured({
			title: "another",
			policies: ["klais"],
			teaches: "else",
			policy: { name: "klais", overbook: 2 },
			sliceMicros: 3,
		});
		const result = compare(other);
		expect(verdictOf(result)).toBe("pass");
		expect(result.report.judged[1]?.details.join()).toContain("policy.overbook absent -> 2");
	});

	it("other cohorts, which a record sums up", () => {
		const before = changed(() => ({ input: "a" }));
		expect(
			refused(
				changed(() => ({ input: "b" })),
				before,
			),
		).toContain("the cohorts of an outage");
	});

	it("a run that is missing, unless a subset will do", () => {
		const some = { ...base, runs: base.runs.slice(0, 1) };
		expect(refused(some)).toMatch(/the candidate has no run of .*klais.*--subset/);
		expect(verdictOf(compare(some, { subset: true }))).toBe("pass");
		// The other way round it is new.
		const { report } = compare(base, {}, some);
		expect(report.notes).toEqual([expect.stringContaining("new, the base has nothing to compare it with")]);
	});

	it("a run that was stopped, and files without a run in common", () => {
		expect(refused({ ...base, partial: true })).toContain("the candidate was stopped");
		expect(refused(changed(() => ({ complete: false })))).toContain("in the middle of");
		const elsewhere = { ...base, runs: base.runs.map((run) => ({ ...run, seed: "other" })) };
		expect(refused(elsewhere)).toContain("no run of");
		expect(refused({ ...base, runs: [] }, { ...base, runs: [] })).toContain("no run in common");
	});

	it("nothing judged is no pass", () => {
		const sides = { base: "a", candidate: "b" };
		expect(gateReport(sides, [], []).verdict).toBe("inconclusive");
		expect(gateReport(sides, [{ plane: "time", head: [], judged: [], notes: [] }], []).verdict).toBe(
			"inconclusive",
		);
	});
});
