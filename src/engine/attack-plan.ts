import type { Attack, Scenario } from "../scenarios/scenario.js";

export type Flood = Exclude<Attack, { kind: "liar" }>;
export type Liar = Extract<Attack, { kind: "liar" }>;

/** A flood, and the number of its first device, or of its first address. */
export interface PlannedFlood {
	readonly flood: Flood;
	readonly first: number;
}

/** Devices that misbehave are numbered from the end of the fleet on, addresses that forge from 0. */
export function plannedFloods({ attacks = [], devices }: Scenario): PlannedFlood[] {
	let device = devices.count;
	let address = 0;
	return attacks.flatMap((flood) => {
		if (flood.kind === "liar") {
			return [];
		}
		const first = flood.kind === "forge" ? address : device;
		if (flood.kind === "forge") {
			address += flood.devices;
		} else {
			device += flood.devices;
		}
		return [{ flood, first }];
	});
}

/** Devices with keys beside the fleet's own. */
export function hostileDevices({ attacks = [] }: Scenario): number {
	return attacks.reduce(
		(sum, attack) =>
			sum + (attack.kind === "hello-flood" || attack.kind === "data-flood" ? attack.devices : 0),
		0,
	);
}
