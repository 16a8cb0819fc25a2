/** What ties fields together; `src/scenarios/check-scenario.ts` enforces it. */
export const RULES = [
	"`reportInterval` is a multiple of `readingInterval`.",
	"`bootMin` ≤ `bootMax`, `backoff.base` ≤ `backoff.cap`, `helloTimeout` ≤ `helloTimeoutMax`.",
	"Link latencies rise strictly: `min` < `median` < `p99` < `max`. So do commit latencies: `commitMin` < `commitMedian` < `commitP99`.",
	"`sinkQueueReadings` and `sinkBatchReadings` hold at least one frame (`frameReadings`).",
	"At no moment are more devices out than there are, or more gateways or nodes hit.",
	"`reset`, `ahead` and `drifting` are at most 100 % together.",
	"`partitions` is at least `gateways.count` and `broker.nodes`; multiples of both share the load evenly.",
	"A `liar` needs `gateways.swarm`, and is one of the gateways. With a swarm no gateway dies unnoticed (`takeover: false`).",
	"No policy is named twice.",
];
