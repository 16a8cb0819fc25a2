import type { LiveAssertion, LiveRecord, LiveVariant, LiveWitness } from "../record/live-record.js";
import type { LiveControl, LiveOrder } from "./live-order.js";
import { runLive } from "./live-run.js";
import { runPlain } from "./plain/plain-run.js";

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
	for (const variant of order.compare) {
		if (control.stopped()) {
			break;
		}
		control.say(`the same with ${variant} in place of gateways and protocol`);
		comparison.push(await runPlain(order, variant, control));
	}
	const isWhole = comparison.length === order.compare.length && comparison.every(({ complete }) => complete);
	return {
		...live,
		complete: live.complete && isWhole,
		assertions: [...live.assertions, comparable(order, live.witness, comparison)],
		comparison,
	};
}

/** The witness has read everything, and devices took the same readings while the same was done to them. */
function comparable(
	{ faults, compare }: LiveOrder,
	witness: LiveWitness | undefined,
	variants: readonly LiveVariant[],
): LiveAssertion {
	const taken = witness?.fleet.produced ?? 0;
	const faultsFound = variants.flatMap((variant) => {
		const { name, faultsDone } = variant;
		const { deleted, undecided, malformed, unbalancedDevices, fleet } = variant.witness;
		const others = Object.values(malformed).reduce((sum, count) => sum + count, 0);
		return [
			...(fleet.produced === taken ? [] : [`${name}: ${digits(fleet.produced)} readings were taken`]),
			...(faultsDone === faults.length
				? []
				: [`${name}: ${faultsDone} of ${faults.length} faults were done`]),
			...(deleted + undecided > 0 ? [`${name}: the witness could not read everything`] : []),
			...(others > 0 ? [`${name}: ${digits(others)} records are no readings`] : []),
			...(unbalancedDevices > 0 ? [`${name}: ${digits(unbalancedDevices)} accounts do not balance`] : []),
		];
	});
	const missing = compare.slice(variants.length).map((name) => `${name} was not run`);
	const found = [...missing, ...faultsFound];
	const words = `${variants.length} more runs, each with ${digits(taken)} readings taken and ${faults.length} faults done`;
	return {
		name: "comparable",
		holds: found.length === 0,
		message: found.length === 0 ? words : `${found.join(", ")} (${digits(taken)} taken under klais)`,
	};
}

function digits(value: number): string {
	return value.toLocaleString("en-US");
}
