/** Metrics of which less is better; of others, such as totals that the scenario sets, neither is. */
const LOWER_IS_BETTER = [
	/^virtual\.(drainSeconds|drainRatio|undrainedReadings|attemptsPerConnect|peakSinkQueueReadings|overshoot|settlingSeconds)$/,
	/^virtual\.devicesConnected\.(p50Seconds|p95Seconds|p999Seconds|neverConnected)$/,
	/^virtual\.liveLatency\w*Micros\.(p50|p99|p999|max)$/,
	/^virtual\.backfillAgeSeconds\./,
	/^virtual\.(drops|work)\./,
	/^ledger\.(lostOverflow|lostVolatile|duplicates|reordered|ackedLost)$/,
];
const HIGHER_IS_BETTER = [/^virtual\.(utilisation|jainFairness)$/, /^ledger\.durable$/];

/** Whether a metric that moved got better or worse; undefined where neither can be said. */
export function movement(metric: string, base: unknown, candidate: unknown): "better" | "worse" | undefined {
	const lower = LOWER_IS_BETTER.some((pattern) => pattern.test(metric));
	const higher = HIGHER_IS_BETTER.some((pattern) => pattern.test(metric));
	if (!(lower || higher) || typeof base !== "number" || typeof candidate !== "number") {
		return undefined;
	}
	return candidate < base === lower ? "better" : "worse";
}
