import type { UserError } from "../../units/user-error.js";
import { endOf, isOutOfService, type PlannedFault } from "./planned-fault.js";

/** What faults have to fit. */
interface Stage {
	readonly gateways: number;
	readonly durationMicros: number;
}

/** Why faults cannot be carried out in a run; empty: they can. */
export function faultRefusals(faults: readonly PlannedFault[], stage: Stage): UserError[] {
	return [
		...faults.flatMap((fault) => aloneRefusals(fault, stage)),
		...clashes(faults).map(([first, second]) =>
			refusal(`${second.text} begins while ${first.text} lasts: one after the other`),
		),
		...lonely(faults, stage),
	];
}

function aloneRefusals(fault: PlannedFault, { gateways, durationMicros }: Stage): UserError[] {
	const { gateway, text, atMicros } = fault;
	const end = endOf(fault);
	return [
		...(gateway !== null && gateway >= gateways
			? [refusal(`${text}: there is no gateway ${gateway} of ${gateways}, they count from 0`)]
			: []),
		...(atMicros >= durationMicros || (Number.isFinite(end) && end >= durationMicros)
			? [refusal(`${text}: not over before the run is: an earlier time, or a longer duration`)]
			: []),
	];
}

/** Pairs that hit the same target at once. */
function clashes(faults: readonly PlannedFault[]): (readonly [PlannedFault, PlannedFault])[] {
	const sorted = [...faults].sort((a, b) => a.atMicros - b.atMicros);
	return sorted.flatMap((first, place) =>
		sorted
			.slice(place + 1)
			.filter((second) => second.gateway === first.gateway && second.atMicros < endOf(first))
			.map((second) => [first, second] as const),
	);
}

/** A fault that leaves no gateway in service, for ever. */
function lonely(faults: readonly PlannedFault[], { gateways }: Stage): UserError[] {
	const gone = new Set(
		faults.filter((fault) => isOutOfService(fault) && fault.forMicros === null).map(({ gateway }) => gateway),
	);
	return gone.size >= gateways && gateways > 0
		? [refusal("no gateway is left to take over: with for=10s a killed one starts again")]
		: [];
}

function refusal(message: string): UserError {
	return { kind: "unsupported", key: "--fault", message };
}
