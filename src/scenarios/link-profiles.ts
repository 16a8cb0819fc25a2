import { type Micros, micros } from "../units/micros.js";
import type { LinkProfile } from "./scenario.js";

/** A link profile: everything in a `LinkProfile`. */
export const LINK_PROFILE_NAMES = ["lte-m", "nb-iot", "wifi", "ethernet", "lab"] as const;
export type LinkProfileName = (typeof LINK_PROFILE_NAMES)[number];

function milliseconds(value: number): Micros {
	return micros(value * 1_000);
}

/**
 * One-way latencies between a device and the cloud, for a device whose radio is connected. Publications give a typical
 * and a worst case; the shape between them is our assumption. The minimum is the engine's lookahead: it decides how
 * often the world and the system have to meet, so it sits at the low end of what is plausible, not at the record.
 */
export const LINK_PROFILES: Readonly<Record<LinkProfileName, LinkProfile>> = {
	"lte-m": {
		name: "lte-m",
		minMicros: milliseconds(100),
		medianMicros: milliseconds(140),
		p99Micros: milliseconds(900),
		maxMicros: milliseconds(6_200),
		lossPpm: 2_000,
		duplicatePpm: 100,
		reorderPpm: 1_000,
		uplinkBitsPerSecond: 375_000,
		sources: [
			"Latency: 'Evaluation of LTE-M towards 5G IoT requirements', white paper v1.1, March 2018: 0.1 s at the edge of normal coverage, 6.2 s in extreme coverage",
			"Uplink: 3GPP release 13, category M1 with half duplex, 375 kbit/s peak",
			"Loss, duplication, reordering: assumed; the radio link layer repeats lost blocks, so what is left comes from handover and the Internet path",
		],
	},
	"nb-iot": {
		name: "nb-iot",
		minMicros: milliseconds(250),
		medianMicros: milliseconds(900),
		p99Micros: milliseconds(6_000),
		maxMicros: milliseconds(10_000),
		lossPpm: 15_000,
		duplicatePpm: 200,
		reorderPpm: 1_000,
		uplinkBitsPerSecond: 62_500,
		sources: [
			"Latency: 1.6 to 10 s round trip is the range usually quoted for category NB1; 10 s is the limit that 3GPP TR 45.820 sets for an exception report",
			"Reliability: Basu, Sultania, Famaey, Hoebeke, 'Experimental Performance Evaluation of NB-IoT', WiMob 2019, on a commercial network",
			"Uplink: 3GPP release 13, multi-tone, about 62.5 kbit/s peak",
			"Loss, duplication, reordering: assumed, above lte-m for the deeper coverage",
		],
	},
	wifi: {
		name: "wifi",
		minMicros: milliseconds(8),
		medianMicros: milliseconds(15),
		p99Micros: milliseconds(120),
		maxMicros: milliseconds(1_000),
		lossPpm: 2_000,
		duplicatePpm: 50,
		reorderPpm: 2_000,
		uplinkBitsPerSecond: 10_000_000,
		sources: [
			"Assumed: a consumer uplink (10 Mbit/s) behind one Wi-Fi hop; the tail is a busy channel and a full home router queue",
		],
	},
	ethernet: {
		name: "ethernet",
		minMicros: milliseconds(4),
		medianMicros: milliseconds(9),
		p99Micros: milliseconds(40),
		maxMicros: milliseconds(250),
		lossPpm: 100,
		duplicatePpm: 10,
		reorderPpm: 500,
		uplinkBitsPerSecond: 100_000_000,
		sources: [
			"Assumed: a wired site, some hundreds of kilometres from the cloud region (light in fibre: about 5 us per km)",
		],
	},
	lab: {
		name: "lab",
		minMicros: micros(1_000),
		medianMicros: micros(1_001),
		p99Micros: micros(1_002),
		maxMicros: micros(1_003),
		lossPpm: 0,
		duplicatePpm: 0,
		reorderPpm: 0,
		uplinkBitsPerSecond: 0,
		sources: [
			"No access network at all, as between the namespaces of `klais live`: nothing is lost or late. A virtual cable takes microseconds; 1 ms is the least that the simulator's time slice allows",
		],
	},
};
