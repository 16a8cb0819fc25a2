import type { Micros } from "../units/micros.js";
import { windowProblems } from "./resolve-outages.js";
import type { Attack } from "./scenario.js";
import type { AttackInput } from "./schema.js";
import type { Problem } from "./schema-errors.js";

/** Frames of a hostile device, or of an address that forges, where the scenario does not say. */
const FRAMES_PER_SECOND = 12;
/** Reports of one gateway that the others look at are 64 a second: what is beyond is refused. */
const ACCUSATIONS_PER_SECOND = 1_000;

/** Resolved attacks, and the problems of the scenario file. */
export interface ResolvedAttacks {
	readonly attacks: readonly Attack[];
	readonly problems: readonly Problem[];
}

/** Fills in what the attacks of a scenario file leave out, and checks them one by one. */
export function resolveAttacks(
	inputs: readonly AttackInput[],
	context: { readonly durationMicros: Micros; readonly gateways: number },
): ResolvedAttacks {
	const problems = inputs.flatMap(({ at, until }, index) =>
		windowProblems(["attacks", index], at, until, context, "attack"),
	);
	return { attacks: inputs.map((input) => resolveAttack(input, context.gateways)), problems };
}

function resolveAttack(input: AttackInput, gateways: number): Attack {
	const window = { fromMicros: input.at, untilMicros: input.until };
	if (input.kind === "liar") {
		const { gateway = 0, accusations = ACCUSATIONS_PER_SECOND } = input;
		return { kind: "liar", ...window, gateway, accusationsPerSecond: accusations };
	}
	const { kind, devices, perDevice = FRAMES_PER_SECOND } = input;
	// Readings are taken by the owner of a shard alone.
	const most = kind === "data-flood" ? 1 : gateways;
	return {
		kind,
		...window,
		devices,
		framesPerSecond: perDevice,
		gateways: Math.min(input.gateways ?? most, gateways),
	};
}
