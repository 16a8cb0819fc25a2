/** Without a rate of its own, a gateway takes its share of the fleet within this long ... */
const CONNECT_SECONDS = 1_200;
/** ... but spends no more than this part of its CPU on sessions. */
const SESSION_CPU_SHARE = 0.8;
/** Without a capacity of its own, the broker stores this many times the live readings. */
const CAPACITY_FACTOR = 2;

/** Sessions per second that one gateway admits when the scenario does not say: the fleet in 20 minutes, CPU permitting. */
export function defaultSessions(devices: number, gateways: number, helloNanos: number): number {
	const wanted = Math.ceil(devices / (gateways * CONNECT_SECONDS));
	const affordable = Math.floor((SESSION_CPU_SHARE * 1_000_000_000) / Math.max(1, helloNanos));
	return Math.max(1, Math.min(wanted, affordable));
}

/** Readings per second of the broker when the scenario does not say: twice the live load. */
export function defaultCapacity(devices: number, readingIntervalMicros: number): number {
	return Math.max(1, Math.ceil((CAPACITY_FACTOR * devices * 1_000_000) / readingIntervalMicros));
}
