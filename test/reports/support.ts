import type { LiveRecord } from "../../src/record/live-record.js";
import type { ResultsFile, RunRecord, Series, Takeover } from "../../src/record/run-record.js";
import { liveRun } from "../fixtures/live-run.js";
import { pspsResults, pspsRun } from "../fixtures/psps-results.js";

/** A file with these runs. */
export function fileOf(...runs: readonly RunRecord[]): ResultsFile {
	return { ...pspsResults([]), runs };
}

/** A name that breaks out of whatever is not escaped. */
export const HOSTILE =
	"<script>alert(1)</script>\"'`|\n::error::x ]]>--><img src=x onerror=alert(2)>&amp;<%= 7*7 %>";

const KLAIS = pspsRun("klais");

export function withVirtual(change: Partial<RunRecord["virtual"]>, run: RunRecord = KLAIS): RunRecord {
	return { ...run, virtual: { ...run.virtual, ...change } };
}

/** The series with every column cut to `rows` and, with `value`, filled with it. */
function seriesOf(rows: number, value?: number): Series {
	const columns = Object.entries(KLAIS.series).map(([name, column]) => {
		if (!Array.isArray(column)) {
			return [name, column];
		}
		const cut = column.slice(0, rows);
		return [name, value === undefined || name === "timeSeconds" ? cut : cut.map(() => value)];
	});
	return Object.fromEntries(columns) as unknown as Series;
}

/** A live run whose every text tries to break out. */
function hostileLive(): LiveRecord {
	const clean = liveRun({ scenario: HOSTILE, policy: HOSTILE, seed: HOSTILE, complete: false });
	return {
		...clean,
		xdp: { asked: "native", used: "generic", reason: HOSTILE },
		environment: { [HOSTILE]: HOSTILE },
		assertions: [{ name: HOSTILE, holds: false, message: HOSTILE }],
		figures: [
			{ group: HOSTILE, name: HOSTILE, unit: HOSTILE, measured: 1, predicted: null, note: HOSTILE },
			{ group: "", name: "toString", unit: "toString", measured: null, predicted: 0, verdict: "missed" },
		],
	};
}

/** A fault of gateway 2; `null`: nobody has taken its shards. */
export function takeover(kind: string, seconds: number | null = 0.98): Takeover {
	return {
		kind,
		gateway: 2,
		atSeconds: 2_820,
		shards: 16,
		shardsTaken: seconds === null ? 0 : 16,
		firstCommitSeconds: seconds,
		lastCommitSeconds: seconds,
		readingsDelayed: 476,
		delayP99Seconds: seconds,
	};
}

/** Two policies and three seeds at each value of one parameter. */
export function sweepOf(values: readonly string[], path: string): ResultsFile {
	const seeds = ["1", "2", "3"];
	const policies = ["klais", "none"];
	const runs = values.flatMap((value, n) =>
		seeds.flatMap((seed, m) =>
			policies.map((policy): RunRecord => {
				const run = {
					...pspsRun(policy),
					seed,
					digest: `${n}${m}${policy}`,
					input: String(n),
					parameters: { [path]: value },
				};
				return withVirtual({ drainRatio: 1 + n + m / 10, attemptsPerConnect: 2 }, run);
			}),
		),
	);
	const metrics = ["virtual.drainRatio", "virtual.attemptsPerConnect"];
	return { ...fileOf(...runs), sweep: { title: path, parameters: [path], seeds, policies, metrics } };
}

const LATENCY = { p50: 0, p99: 0, p999: 0, max: 0, count: 0 };

/** Records at the edge of what the schema allows; every renderer must take each of them. */
export const EDGES: Readonly<Record<string, ResultsFile>> = {
	"no runs": fileOf(),
	"one run": fileOf(KLAIS),
	"a policy that nobody knows": fileOf({ ...KLAIS, policy: "toString" }, { ...KLAIS, policy: "brand-new" }),
	"an empty series": fileOf({ ...KLAIS, series: seriesOf(0) }),
	"one bucket": fileOf({ ...KLAIS, series: seriesOf(1) }),
	"all zero": fileOf({
		...withVirtual({
			drainSeconds: null,
			drainBoundSeconds: 0,
			drainRatio: null,
			capacityPerSecond: 0,
			drops: {},
			liveLatencyMicros: LATENCY,
			liveLatencyBeforeMicros: LATENCY,
			liveLatencyRecoveryMicros: LATENCY,
			devicesConnected: { p50Seconds: 0, p95Seconds: 0, p999Seconds: 0, count: 0, neverConnected: 0 },
		}),
		devices: 0,
		config: null,
		series: seriesOf(40, 0),
	}),
	"no live reading at all": fileOf({
		...KLAIS,
		series: { ...KLAIS.series, liveP99Micros: KLAIS.series.liveP99Micros.map(() => null) },
	}),
	"klais never drained": fileOf(withVirtual({ drainSeconds: null, drainRatio: null, undrainedReadings: 1 })),
	"stopped early": { ...fileOf({ ...KLAIS, complete: false }), partial: true },
	"hostile names": fileOf({
		...KLAIS,
		scenario: HOSTILE,
		policy: HOSTILE,
		seed: HOSTILE,
		digest: HOSTILE,
		config: { title: HOSTILE, teaches: HOSTILE, sources: [HOSTILE] },
		virtual: { ...KLAIS.virtual, drops: { [HOSTILE]: 3 } },
		ledger: { ...KLAIS.ledger, imbalance: HOSTILE },
	}),
	"gateways replaced": fileOf(withVirtual({ takeovers: [takeover("gateway"), takeover(HOSTILE, null)] })),
	"many seeds": fileOf(...Array.from({ length: 14 }, (_, i) => ({ ...KLAIS, seed: `s${i}` }))),
	"the same run twice": fileOf(KLAIS, KLAIS),
	"two scenarios": fileOf(KLAIS, pspsRun("none"), { ...KLAIS, scenario: "kddi-2022-07" }),
	"scenarios with clashing names": fileOf({ ...KLAIS, scenario: "a b" }, { ...KLAIS, scenario: "a-b" }),
	"a sweep": sweepOf(["20/s", "40/s"], "gateways.sessions"),
	"a sweep of hostile names": sweepOf([HOSTILE, "\u001b[31m"], HOSTILE),
	"benchmarks and live runs": {
		...fileOf(),
		bench: [
			{ name: "dam/pass", unit: "ns", better: "lower", samples: [6.5, 6.4, 7.1], environment: {} },
			{ name: "nothing measured", unit: "ops/s", better: "higher", samples: [], environment: {} },
		],
		live: [liveRun(), hostileLive()],
	},
	"huge numbers": fileOf(
		withVirtual({ peakOfferedPerSecond: 9e15, drainRatio: 12_345.6, undrainedReadings: 2 ** 53 - 1 }),
	),
};
