import type { LiveAssertion, LiveVariant } from "../record/live-record.js";
import type { LiveOrder } from "./live-order.js";

/** What came of a comparison. */
interface Outcome {
	/** Readings that the devices of the run itself took. */
	readonly taken: number;
	/** Variants that were run, in the order's order. */
	readonly comparison: readonly LiveVariant[];
	/** What went wrong with the others, in words. */
	readonly broken: readonly string[];
}

/** The witness has read everything, and devices took the same readings while the same was done to them. */
export function comparable(
	{ faults, compare }: Pick<LiveOrder, "faults" | "compare">,
	{ taken, comparison, broken }: Outcome,
): LiveAssertion {
	const differences = comparison.flatMap((variant) => {
		const { name, complete, faultsDone } = variant;
		if (!complete) {
			return [`${name} was stopped before its end`];
		}
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
	const skipped = compare
		.slice(comparison.length + broken.length)
		.map((variant) => `${variant} was not run, as all was stopped`);
	const found = [...broken, ...skipped, ...differences];
	const words = `${comparison.length} more runs, each with ${digits(taken)} readings taken and ${faults.length} faults done`;
	return {
		name: "comparable",
		holds: found.length === 0,
		message: found.length === 0 ? words : `${found.join(", ")} (${digits(taken)} taken under klais)`,
	};
}

function digits(value: number): string {
	return value.toLocaleString("en-US");
}
