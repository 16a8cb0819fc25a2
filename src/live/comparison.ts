import type { LiveRecord, LiveVariant } from "../record/live-record.js";
import { comparable } from "./comparison-check.js";
import { LiveFault } from "./live-fault.js";
import type { LiveControl, LiveOrder } from "./live-order.js";
import { runLive } from "./live-run.js";
import { runPlain } from "./plain/plain-run.js";
import type { PlainVariant } from "./plain/plain-variant.js";

/**
 * Runs an order, and then the same once more with each plain variant that it names. What these lose or double is what the
 * comparison is for, and fails nothing; that the witness could not look, or that the world was another, does.
 */
export async function runCompared(order: LiveOrder, control: LiveControl): Promise<LiveRecord> {
	const live = await runLive(order, control);
	if (order.compare.length === 0) {
		return live;
	}
	const comparison: LiveVariant[] = [];
	const broken: string[] = [];
	for (const variant of order.compare) {
		if (control.stopped()) {
			break;
		}
		control.say(`the same with ${variant} in place of gateways and protocol`);
		const ran = await runOrFault(order, variant, control);
		if (ran instanceof LiveFault) {
			broken.push(`${variant} broke: ${ran.message}`);
		} else {
			comparison.push(ran);
		}
	}
	const isStopped = comparison.some(({ complete }) => !complete) || control.stopped();
	return {
		...live,
		complete: live.complete && !isStopped,
		assertions: [
			...live.assertions,
			comparable(order, { taken: live.witness?.fleet.produced ?? 0, comparison, broken }),
		],
		comparison,
	};
}

/** What went wrong with a variant must not take the record of the run itself with it. */
async function runOrFault(
	order: LiveOrder,
	variant: PlainVariant,
	control: LiveControl,
): Promise<LiveVariant | LiveFault> {
	try {
		return await runPlain(order, variant, control);
	} catch (error) {
		if (error instanceof LiveFault) {
			return error;
		}
		throw error;
	}
}
