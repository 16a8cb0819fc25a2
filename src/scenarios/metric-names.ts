/** What a figure is counted in; it decides how an expectation may write a value. */
export type MetricUnit = "seconds" | "micros" | "per-second" | "share" | "number" | "count";

const DROP_REASONS = [
	"link-loss",
	"link-down",
	"receive-queue-full",
	"blocked",
	"unknown-device",
	"invalid-cost",
	"device-rate",
	"class-rate",
	"global-rate",
	"session-rate",
	"bad-cookie",
	"horizon",
	"contended",
	"replayed",
	"stale-epoch",
	"stale-session",
	"sink-queue-full",
	"device-in-flight",
	"pending-hellos",
	"no-credit",
	"misdirected",
	"no-owner",
	"beyond-range",
	"mac",
	"prefix",
	"copied-frame",
	"controller",
] as const;

const SWARM_COUNTS = [
	...[
		"gateways",
		"detected",
		"seconded",
		"devicesBlocked",
		"addressesBlocked",
		"blockedEverywhere",
		"wrongBlocks",
	],
	...["blocks", "expired", "overruled", "vetoed", "uncorroborated", "accusations"],
	...["ups", "downs", "expulsions", "censusChanges", "datagramsLost", "datagramsRefused"],
] as const;

const SWARM_NUMBERS = [
	...["spreadMaxRounds", "boundRounds", "wrongBlockedDeviceHours", "wrongBlocksPerDeviceHour"],
	...["gossipBytesPerNodeSecond", "datagramsPerNodeSecond"],
] as const;

const CONNECTED = ["p50Seconds", "p95Seconds", "p999Seconds"] as const;
const LATENCIES = ["p50", "p99", "p999", "max"] as const;
const LIVE = ["liveLatencyMicros", "liveLatencyBeforeMicros", "liveLatencyRecoveryMicros"] as const;

/** The exact figures of a run by their paths in the run record: those that are stored there. */
const STORED: readonly (readonly [path: string, unit: MetricUnit])[] = [
	["virtual.drainSeconds", "seconds"],
	["virtual.drainBoundSeconds", "seconds"],
	["virtual.drainRatio", "share"],
	["virtual.undrainedReadings", "count"],
	...CONNECTED.map((field) => [`virtual.devicesConnected.${field}`, "seconds"] as const),
	["virtual.devicesConnected.count", "count"],
	["virtual.devicesConnected.neverConnected", "count"],
	...CONNECTED.map((field) => [`virtual.devicesConnectedBound.${field}`, "seconds"] as const),
	["virtual.peakOfferedPerSecond", "per-second"],
	["virtual.peakAdmittedPerSecond", "per-second"],
	["virtual.capacityPerSecond", "per-second"],
	["virtual.utilisation", "share"],
	["virtual.attemptsPerConnect", "number"],
	...LIVE.flatMap((group) => [
		...LATENCIES.map((field) => [`virtual.${group}.${field}`, "micros"] as const),
		[`virtual.${group}.count`, "count"] as const,
	]),
	...["p50", "p99", "max"].map((field) => [`virtual.backfillAgeSeconds.${field}`, "seconds"] as const),
	...SWARM_COUNTS.map((field) => [`virtual.swarm.${field}`, "count"] as const),
	...["firstBlockSeconds", "spreadP50Seconds", "spreadP99Seconds", "spreadMaxSeconds"].map(
		(field) => [`virtual.swarm.${field}`, "seconds"] as const,
	),
	...SWARM_NUMBERS.map((field) => [`virtual.swarm.${field}`, "number"] as const),
	...["devices", "frames", "sessions", "readingsStored"].map(
		(field) => [`virtual.attack.${field}`, "count"] as const,
	),
	["virtual.jainFairness", "share"],
	["virtual.overshoot", "share"],
	["virtual.settlingSeconds", "seconds"],
	["virtual.peakSinkQueueReadings", "count"],
	...DROP_REASONS.map((reason) => [`virtual.drops.${reason}`, "count"] as const),
	...["events", "frames", "hellos", "slices"].map((field) => [`virtual.work.${field}`, "count"] as const),
	...["produced", "durable", "buffered", "lostOverflow", "lostVolatile"].map(
		(field) => [`ledger.${field}`, "count"] as const,
	),
	...["duplicates", "reordered", "ackedLost"].map((field) => [`ledger.${field}`, "count"] as const),
];

/** Figures made of others when an expectation asks: sums, and the worst of all takeovers. */
const DERIVED: readonly (readonly [path: string, unit: MetricUnit])[] = [
	["virtual.drops", "count"],
	["ledger.lost", "count"],
	["virtual.takeovers.firstCommitSeconds", "seconds"],
	["virtual.takeovers.lastCommitSeconds", "seconds"],
	["virtual.takeovers.delayP99Seconds", "seconds"],
	["virtual.takeovers.readingsDelayed", "count"],
];

/** Fields of one takeover as the record has them. */
const TAKEOVER_FIELDS = [
	...["kind", "gateway", "atSeconds", "shards", "shardsTaken", "firstCommitSeconds"],
	...["lastCommitSeconds", "readingsDelayed", "delayP99Seconds"],
];

/** What an expectation can speak of, with its unit. */
export const EXPECTED_METRICS: ReadonlyMap<string, MetricUnit> = new Map([...STORED, ...DERIVED]);

/** What the gate compares, and a margin can speak of; of takeovers the first stands for all. */
export const COMPARED_METRICS: readonly string[] = [
	"digest",
	"series",
	"ledger.imbalance",
	...STORED.map(([path]) => path),
	...TAKEOVER_FIELDS.map((field) => `virtual.takeovers.0.${field}`),
];

const SECTIONS = ["virtual", "ledger"];

/** The full path of a metric whose section may be left out: `drainRatio` is `virtual.drainRatio`. */
export function fullMetricName(name: string): string {
	const [section = ""] = name.split(".");
	if (SECTIONS.includes(section)) {
		return name;
	}
	return SECTIONS.map((each) => `${each}.${name}`).find((path) => EXPECTED_METRICS.has(path)) ?? name;
}

/** Names that a user may have meant: full ones, and those without their section. */
export const METRIC_WORDS: readonly string[] = [...EXPECTED_METRICS.keys()].flatMap((path) => [
	path.slice(path.indexOf(".") + 1),
	path,
]);
