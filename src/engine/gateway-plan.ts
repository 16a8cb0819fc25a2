import type { GatewayOutage, Outage } from "../scenarios/scenario.js";
import { takeFree } from "./take-free.js";

/** A fault of gateways begins, or ends. */
export interface GatewayTransition {
	readonly slice: number;
	readonly back: boolean;
	/** Which ones: faults that overlap hit different gateways. */
	readonly gateways: readonly number[];
	readonly outSlice: number;
	readonly backSlice: number;
	readonly outage: GatewayOutage;
}

/** A time during which something holds: `from` is in it, `to` is not. Microseconds. */
export interface Interval {
	readonly from: number;
	readonly to: number;
}

/** The faults of gateways, in time order on the slice grid; a fault lasts a slice at least. Ends come before beginnings. */
export function gatewayTransitions(
	outages: readonly Outage[],
	gateways: number,
	sliceOf: (time: number) => number,
): GatewayTransition[] {
	const faults = outages.filter(isGatewayOutage).map((outage) => {
		const outSlice = sliceOf(outage.outAtMicros);
		return { outage, outSlice, backSlice: Math.max(outSlice + 1, sliceOf(outage.backAtMicros)) };
	});
	const takings = faults.map(({ outage, outSlice, backSlice }) => ({
		from: outSlice,
		to: backSlice,
		servers: outage.gateways,
	}));
	const taken = takeFree(takings, gateways);
	return faults
		.flatMap((fault, place) => {
			const hit = { ...fault, gateways: taken[place] ?? [] };
			return [
				{ ...hit, slice: fault.outSlice, back: false },
				{ ...hit, slice: fault.backSlice, back: true },
			];
		})
		.sort((x, y) => x.slice - y.slice || Number(y.back) - Number(x.back));
}

function isGatewayOutage(outage: Outage): outage is GatewayOutage {
	return "gateways" in outage;
}

/** When the partitions that each node of the broker leads are away, by node. */
export function leaderLosses(outages: readonly Outage[], nodes: number): Interval[][] {
	const losses = outages.flatMap((outage) =>
		outage.kind === "leader-loss"
			? [{ from: outage.outAtMicros, to: outage.backAtMicros, servers: outage.nodes }]
			: [],
	);
	const away: Interval[][] = Array.from({ length: nodes }, () => []);
	for (const [place, hit] of takeFree(losses, nodes).entries()) {
		const { from, to } = losses[place] as (typeof losses)[number];
		for (const node of hit) {
			away[node]?.push({ from, to });
		}
	}
	return away;
}
