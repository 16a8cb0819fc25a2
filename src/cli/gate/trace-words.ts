import type { TraceRecord } from "./trace-task.js";

/** Names of the kinds of `native/node/src/record.rs`. */
const KINDS: Readonly<Record<number, string>> = {
	...{ 0: "TIMER", 1: "POWER_ON", 2: "POWER_OFF", 3: "REFUSED" },
	...{ 8: "HELLO", 9: "ADMIT", 10: "DEFER", 11: "DATA", 12: "ACK", 13: "NACK", 14: "BYE", 15: "REDIRECT" },
	...{ 32: "CONNECTED", 33: "DISCONNECTED", 34: "LOST" },
	...{ 48: "SUBMISSION", 49: "ENTRY", 50: "OUTCOME", 51: "RESTART", 52: "GATEWAY", 53: "OPEN", 54: "OPENED" },
	...{ 55: "STORED", 56: "MEMBER", 57: "FREEZE", 58: "CLOSE" },
};

/** What the words a, b, c and d of a record mean; `-`: nothing worth a name. */
const FIELDS: Readonly<Record<string, readonly string[]>> = {
	ADMIT: ["live mark", "backfill mark", "backfill delay ms", "credit"],
	DEFER: ["delay ms", "cookie", "cookie", "slot"],
	DATA: ["previous", "first", "count and stride", "due ms"],
	ACK: ["mark", "-", "-", "-"],
	NACK: ["mark", "delay ms", "-", "-"],
	CONNECTED: ["backlog", "attempts", "-", "-"],
	LOST: ["overflow", "volatile", "-", "-"],
	SUBMISSION: ["batch", "entries", "readings", "d"],
	OUTCOME: ["batch", "outcome", "c", "d"],
};

/** Kinds that speak of a gateway, not of a device. */
const OF_GATEWAYS = new Set([
	"SUBMISSION",
	"OUTCOME",
	"RESTART",
	"GATEWAY",
	"OPEN",
	"OPENED",
	"STORED",
	"MEMBER",
	"FREEZE",
	"CLOSE",
]);

/** A record's time in microseconds. */
function timeOf(record: TraceRecord): number {
	return new Float64Array(Int32Array.from(record.slice(0, 2)).buffer)[0] ?? 0;
}

/** A record as people read it. */
export function describe(record: TraceRecord): string {
	const [, , device = 0, meta = 0, ...words] = record;
	const kind = KINDS[meta & 0xff] ?? `kind ${meta & 0xff}`;
	const flags = (meta >>> 8) & 0xff;
	const session = meta >>> 16;
	const names = FIELDS[kind] ?? ["a", "b", "c", "d"];
	const fields = names.flatMap((name, n) => (name === "-" ? [] : [`${name} ${(words[n] ?? 0) >>> 0}`]));
	const whose = OF_GATEWAYS.has(kind) ? "gateway" : "device";
	const details = [`session ${session}`, `flags ${flags}`, ...fields].join(", ");
	return `${kind} of ${whose} ${device >>> 0} at ${seconds(timeOf(record))} (${details})`;
}

/** Microseconds of virtual time, to the last digit. */
export function seconds(micros: number): string {
	return `${(micros / 1_000_000).toFixed(6)} s`;
}
