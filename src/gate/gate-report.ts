/**
 * `pass`: nothing is worse. `fail`: something is, for certain. `inconclusive`: the measurements do not tell. `incomparable`:
 * base and candidate are not two versions of one thing, so nothing was judged.
 */
export type GateVerdict = "pass" | "fail" | "inconclusive" | "incomparable";

/** What is compared: exactly, statistically, or by counting instructions. */
export type Plane = "exact" | "time" | "instructions";

/** One thing that was judged: a run, a metric of a benchmark, a count. */
export interface Judged {
	readonly name: string;
	readonly verdict: GateVerdict;
	/** One line: why. */
	readonly message: string;
	/** The row of the plane's table, without the name. */
	readonly cells: readonly string[];
	/** Lines below it: what differs, and where. */
	readonly details: readonly string[];
	/** The figures behind it, for machines. */
	readonly figures: Readonly<Record<string, unknown>>;
}

/** A plane and all that was judged in it. */
export interface PlaneReport {
	readonly plane: Plane;
	/** Columns of its table, the name's first. */
	readonly head: readonly string[];
	readonly judged: readonly Judged[];
	/** How it was measured, and what was left out and why. */
	readonly notes: readonly string[];
}

/** All that a gate has to say. */
export interface GateReport {
	readonly schema: "klais.gate-report/1";
	/** What both sides are called: a file, a commit. */
	readonly base: string;
	readonly candidate: string;
	readonly verdict: GateVerdict;
	readonly planes: readonly PlaneReport[];
	readonly notes: readonly string[];
}

/** From bad to good, but for the first: what cannot be compared refuses the whole. */
const SEVERITY: readonly GateVerdict[] = ["incomparable", "fail", "inconclusive", "pass"];

/** The verdict over several; of none `inconclusive`, because what measured nothing must not pass. */
export function worst(verdicts: readonly GateVerdict[]): GateVerdict {
	return verdicts.length === 0
		? "inconclusive"
		: (SEVERITY.find((one) => verdicts.includes(one)) ?? "inconclusive");
}

/** Puts a report together. A plane in which nothing was judged cannot pass. */
export function gateReport(
	sides: { readonly base: string; readonly candidate: string },
	planes: readonly PlaneReport[],
	notes: readonly string[],
): GateReport {
	const verdict = worst(planes.map(({ judged }) => worst(judged.map((one) => one.verdict))));
	return { schema: "klais.gate-report/1", ...sides, verdict, planes, notes };
}
