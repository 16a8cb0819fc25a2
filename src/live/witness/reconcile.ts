import type { DeviceLedger } from "./fleet-ledger.js";
import { addFault, type Tally } from "./tally.js";

/** Bits that are set, per byte. */
const ONES = Uint8Array.from({ length: 256 }, (_, byte) => byte.toString(2).replaceAll("0", "").length);

/**
 * Holds what is stored of a device against the device's own account. All that was acknowledged has to be there; what is there
 * beside it was on its way back when the run ended: then the device still has it, or has said that it lost it.
 */
export function reconcile(ledger: DeviceLedger, stored: Uint8Array, tally: Tally): DeviceEnd {
	const { device, produced, held, lostOverflow, lostVolatile } = ledger;
	const { acknowledged, missing, ahead, firstMissing } = compare(ledger.acknowledged, stored);
	const { fleet } = tally;
	fleet.produced += produced;
	fleet.acknowledged += acknowledged;
	fleet.held += held;
	fleet.lostOverflow += lostOverflow;
	fleet.lostVolatile += lostVolatile;
	tally.unacknowledged += ahead;
	const kept = held + lostOverflow + lostVolatile;
	if (missing > 0) {
		const upTo = `acknowledged up to ${ledger.liveMark} live, ${ledger.backfillMark} backfill`;
		const words = () =>
			`device ${device}, reading ${firstMissing}${missing > 1 ? ` and ${missing - 1} more` : ""} (${upTo})`;
		addFault(tally, "missing", words, missing);
	}
	if (ahead > kept) {
		const words = () =>
			`device ${device}: ${ahead} stored and not acknowledged, but only ${kept} held or lost by it`;
		addFault(tally, "unexplained", words, ahead - kept);
	}
	if (produced !== acknowledged + kept) {
		const words = () =>
			`device ${device}: ${produced} taken, but ${acknowledged} acknowledged + ${held} held + ` +
			`${lostOverflow + lostVolatile} lost`;
		addFault(tally, "unbalancedDevices", words);
	}
	return { owed: Math.max(0, held - ahead) };
}

/** How a device stands at the end. */
interface DeviceEnd {
	/** Readings that it has, and Kafka has not. */
	readonly owed: number;
}

interface Comparison {
	readonly acknowledged: number;
	readonly missing: number;
	/** Stored and not acknowledged. */
	readonly ahead: number;
	readonly firstMissing: number;
}

function compare(acknowledged: Uint8Array, stored: Uint8Array): Comparison {
	const counts = { acknowledged: 0, missing: 0, ahead: 0, firstMissing: -1 };
	for (let place = 0; place < acknowledged.length; place += 1) {
		const told = acknowledged[place] ?? 0;
		const there = stored[place] ?? 0;
		const lacking = told & ~there;
		counts.acknowledged += ONES[told] ?? 0;
		counts.ahead += ONES[there & ~told] ?? 0;
		if (lacking !== 0) {
			counts.missing += ONES[lacking] ?? 0;
			if (counts.firstMissing < 0) {
				counts.firstMissing = place * 8 + Math.log2(lacking & -lacking);
			}
		}
	}
	return counts;
}
