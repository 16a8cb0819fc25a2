/** Largest fleet. */
export const MAX_DEVICES = 10_000_000;

/** What one virtual device takes in memory, all told; the refusal of larger fleets quotes it. */
const MEMORY_BYTES_PER_DEVICE = 160;

/** Brown-outs with figures of their own: what is left of the 16 states that a link may have. */
export const MAX_BROWN_OUTS = 12;

/** Largest scenario file. Real ones are a few kilobytes; bulk data belongs in a cohort file. */
export const MAX_SCENARIO_BYTES = 1_048_576;

/** Largest cohort file or outage trace. */
export const MAX_TABLE_BYTES = 16_777_216;

/** Deepest nesting of a scenario file; the schema itself needs six levels. */
export const MAX_YAML_DEPTH = 32;

/** Most lexical pieces of a scenario file: the parser compares each key of a map with all others. */
export const MAX_YAML_LEXEMES = 60_000;

/** Most resolved aliases of one scenario file (a "billion laughs" needs thousands). */
export const MAX_YAML_ALIASES = 100;

/** Longest chain of scenario files that extend each other. */
export const MAX_LAYERS = 16;

export const MAX_OUTAGES = 1_000;

export const MAX_ATTACKS = 100;

/** Devices or addresses of one attack: the range for benchmarks, from which forgers send, has no more addresses. */
export const MAX_HOSTILE = 131_072;

/** Most rows of a cohort file. */
export const MAX_COHORTS = 250_000;

/** Most mistakes reported at once; the rest are counted. */
export const MAX_REPORTED_ERRORS = 20;

/** Why a fleet of this size is refused, or undefined when it is not. */
export function fleetRefusal(devices: number): string | undefined {
	if (devices <= MAX_DEVICES) {
		return undefined;
	}
	return (
		`${devices.toLocaleString("en-US")} devices would take ${bytesInWords(devices * MEMORY_BYTES_PER_DEVICE)} of memory ` +
		`(${MEMORY_BYTES_PER_DEVICE} bytes each): the limit is ${MAX_DEVICES.toLocaleString("en-US")} devices`
	);
}

function bytesInWords(bytes: number): string {
	const units = ["bytes", "kB", "MB", "GB", "TB", "PB"];
	let value = bytes;
	let unit = 0;
	while (value >= 1_000 && unit < units.length - 1) {
		value /= 1_000;
		unit += 1;
	}
	return `${value.toLocaleString("en-US", { maximumFractionDigits: 1 })} ${units[unit]}`;
}
