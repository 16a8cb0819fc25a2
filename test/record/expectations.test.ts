import { describe, expect, it } from "vitest";
import { judgeExpectations } from "../../src/record/expectations.js";
import type { RunRecord } from "../../src/record/run-record.js";
import { verdictOf } from "../../src/record/verdict.js";
import { parseExpectation } from "../../src/scenarios/expectation.js";
import type { PolicyName } from "../../src/scenarios/scenario.js";
import { pspsRun } from "../fixtures/psps-results.js";

const klais = pspsRun("klais");

/** The run with these expectations in its configuration, as the loader resolves them. */
function expecting(texts: readonly string[], run = klais, policies?: readonly PolicyName[]): RunRecord {
	const expected = texts.map((text) => {
		const parsed = parseExpectation(text, policies);
		if (!parsed.ok) {
			throw new Error(parsed.error);
		}
		return parsed.value;
	});
	return { ...run, config: { ...(run.config as object), expect: expected } };
}

const outcome = (text: string, run = klais) => judgeExpectations(expecting([text], run))[0];

describe("judgeExpectations", () => {
	it.each([
		["drainRatio", "<=", true, false],
		["drainRatio", "<", false, false],
		["drainRatio", ">=", true, true],
		["drainRatio", ">", false, true],
		["drainRatio", "==", true, false],
		["drainRatio", "!=", false, true],
	])("%s %s: at the limit %s, above it %s", (metric, relation, atLimit, above) => {
		const at = (drainRatio: number) => ({ ...klais, virtual: { ...klais.virtual, drainRatio } });
		expect(outcome(`${metric} ${relation} 1.25`, at(1.25))?.holds).toBe(atLimit);
		expect(outcome(`${metric} ${relation} 1.25`, at(1.3))?.holds).toBe(above);
	});

	it("says what was found in the metric's own unit", () => {
		const virtual = {
			...klais.virtual,
			drainRatio: 1.3424242,
			drainSeconds: 401.2,
			utilisation: 0.4567,
			peakOfferedPerSecond: 12_345.5,
			liveLatencyRecoveryMicros: { p50: 800, p99: 12_340_567, p999: 1, max: 1, count: 9 },
		};
		const run = { ...klais, virtual, ledger: { ...klais.ledger, duplicates: 12_345 } };
		expect(outcome("drainRatio <= 1.1", run)?.found).toBe("1.34242");
		expect(outcome("drainSeconds <= 5m", run)?.found).toBe("6m 41s 200ms");
		expect(outcome("utilisation >= 95%", run)?.found).toBe("45.67%");
		expect(outcome("utilisation >= 0.95", run)?.found).toBe("0.4567");
		expect(outcome("peakOfferedPerSecond < 100/s", run)?.found).toBe("12,345.5/s");
		expect(outcome("liveLatencyRecoveryMicros.p99 < 5s", run)?.found).toBe("12s 341ms");
		expect(outcome("liveLatencyRecoveryMicros.p50 < 500us", run)?.found).toBe("800us");
		expect(outcome("duplicates == 0", run)?.found).toBe("12,345");
	});

	it("never rounds a value that fails to its limit", () => {
		const virtual = { ...klais.virtual, drainRatio: 1.10000001, drainSeconds: 300.0001 };
		expect(outcome("drainRatio <= 1.1", { ...klais, virtual })).toMatchObject({
			holds: false,
			found: "1.10000001",
		});
		expect(outcome("drainSeconds <= 5m", { ...klais, virtual })).toMatchObject({
			holds: false,
			found: "5m 100us",
		});
	});

	it("compares with a multiple of another metric", () => {
		const connected = { ...klais.virtual.devicesConnected, p95Seconds: 130, count: 7 };
		const devicesConnectedBound = { ...klais.virtual.devicesConnectedBound, p95Seconds: 100 };
		const run = {
			...klais,
			virtual: { ...klais.virtual, devicesConnected: connected, devicesConnectedBound },
		};
		const text = (times: string) => `devicesConnected.p95Seconds <= ${times}devicesConnectedBound.p95Seconds`;
		expect(outcome(text("1.5 * "), run)?.holds).toBe(true);
		expect(outcome(text("1.2 * "), run)).toMatchObject({ holds: false, found: "2m 10s against 2m" });
		expect(outcome(text(""), run)).toMatchObject({ holds: false, found: "2m 10s against 1m 40s" });
	});

	it("takes sums, a reason for drops, and the worst of all takeovers", () => {
		const takeover = { kind: "gateway", gateway: 0, atSeconds: 1, shards: 4, shardsTaken: 4 };
		const rest = { firstCommitSeconds: 2, readingsDelayed: 3, delayP99Seconds: null };
		const virtual = {
			...klais.virtual,
			drops: { "link-loss": 3, "no-owner": 4 },
			takeovers: [
				{ ...takeover, ...rest, lastCommitSeconds: 9 },
				{ ...takeover, ...rest, lastCommitSeconds: null },
			],
		};
		const run = { ...klais, virtual, ledger: { ...klais.ledger, lostOverflow: 5, lostVolatile: 6 } };
		expect(outcome("lost == 11", run)?.holds).toBe(true);
		expect(outcome("drops == 7", run)?.holds).toBe(true);
		expect(outcome("drops.no-owner == 4", run)?.holds).toBe(true);
		expect(outcome("drops.replayed == 0", run)?.holds).toBe(true);
		expect(outcome("takeovers.lastCommitSeconds <= 8s", run)).toMatchObject({ holds: false, found: "9s" });
		expect(outcome("takeovers.delayP99Seconds <= 8s", run)).toMatchObject({
			holds: false,
			found: "none: no shard changed hands",
		});
	});

	it("lets nothing that was not measured pass", () => {
		const none = { p50: 0, p99: 0, p999: 0, max: 0, count: 0 };
		const connected = { ...klais.virtual.devicesConnected, p95Seconds: 0, count: 0 };
		const empty = { ...klais.virtual, liveLatencyRecoveryMicros: none, devicesConnected: connected };
		const run = { ...klais, virtual: { ...empty, drainRatio: null, drainSeconds: null } };
		const nothing = { ...empty, drainRatio: null, drainBoundSeconds: 0, undrainedReadings: 0 };
		expect(outcome("liveLatencyRecoveryMicros.p99 < 1h", run)).toMatchObject({
			holds: false,
			found: "none: nothing was measured",
		});
		expect(outcome("devicesConnected.p95Seconds < 1h", run)?.holds).toBe(false);
		expect(outcome("devicesConnectedBound.p95Seconds < 1h", run)?.holds).toBe(false);
		expect(outcome("devicesConnected.count == 0", run)?.holds).toBe(true);
		expect(outcome("drainRatio <= 99", run)?.found).toBe("none: it never drained");
		expect(outcome("drainRatio <= 99", { ...klais, virtual: nothing })?.found).toBe(
			"none: nothing had to drain",
		);
	});

	it("holds a policy to its own, and a stopped run to nothing", () => {
		const texts = ["duplicates == 99"];
		expect(judgeExpectations(expecting(texts, klais, ["none"]))).toEqual([]);
		expect(judgeExpectations(expecting(texts, klais, ["klais"]))).toHaveLength(1);
		expect(judgeExpectations({ ...expecting(texts), complete: false })).toEqual([]);
		expect(judgeExpectations(klais)).toEqual([]);
	});

	it.each([
		["no list", 5],
		["an entry that is no map", ["drainRatio <= 1"]],
		["an unknown relation", [{ text: "x", metric: "ledger.lost", relation: "~", value: 1 }]],
		["nothing to compare with", [{ text: "x", metric: "ledger.lost", relation: "<=" }]],
		["a metric that no record has", [{ text: "x", metric: "virtual.nothing", relation: ">", value: 0 }]],
	])("a record's entry that cannot be read does not hold: %s", (_name, entries) => {
		expect(judgeExpectations({ ...klais, config: { expect: entries } })).toMatchObject([{ holds: false }]);
	});
});

describe("the verdict", () => {
	it("fails a run for an expectation that does not hold, whatever the policy", () => {
		for (const policy of ["none", "klais"] as const) {
			const run = expecting(["durable == 1", "ackedLost == 0"], pspsRun(policy));
			const { passed, findings } = verdictOf(run);
			expect(passed).toBe(false);
			const failures = findings.filter(({ severity }) => severity === "failure");
			expect(failures).toEqual([
				{
					severity: "failure",
					code: "expectation",
					message: `expected durable == 1, found ${run.ledger.durable.toLocaleString("en-US")}`,
				},
			]);
		}
	});

	it("passes one whose expectations hold", () => {
		expect(verdictOf(expecting(["ackedLost == 0", "durable > 1"]))).toEqual({ passed: true, findings: [] });
	});
});
