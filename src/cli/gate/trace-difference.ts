import type { TraceCall, TraceRecord } from "./trace-task.js";
import { describe, seconds } from "./trace-words.js";

/** Who speaks and who answers in a call of the native library. */
const CALLS: Readonly<Record<string, { readonly given: string; readonly answered: string }>> = {
	stepFleet: { given: "what reached the devices", answered: "what the devices did" },
	drainFleet: { given: "", answered: "what the devices did" },
	clusterIngress: { given: "the frames that reached the gateways", answered: "the dam's answers" },
	clusterHandle: { given: "what the gateways took in", answered: "what the gateways did" },
	drainCluster: { given: "", answered: "what the gateways did" },
};

const VERDICTS = ["accepted", "answered", "dropped"];

/** Words for the first thing in which a call differs between two builds. null: that build's run was over before. */
export function firstDifference(base: TraceCall | null, candidate: TraceCall | null, call: number): string {
	if (base === null || candidate === null) {
		const [side, longer] = base === null ? ["base", candidate] : ["candidate", base];
		return `the ${side}'s run ends where the other goes on with ${longer?.name ?? "nothing"} (call ${call})`;
	}
	const where = `call ${call.toLocaleString("en-US")}, up to ${seconds(base.horizonMicros)} of virtual time`;
	const alike = `all ${base.recordsBefore.toLocaleString("en-US")} records before are the same`;
	if (base.name !== candidate.name || base.horizonMicros !== candidate.horizonMicros) {
		const ends = [base, candidate].map((one) => `${one.name} up to ${seconds(one.horizonMicros)}`);
		return `the base goes on with ${ends[0]}, the candidate with ${ends[1]} (call ${call}); ${alike}`;
	}
	const words = CALLS[base.name] ?? { given: "what went in", answered: "what came out" };
	const found =
		inRecords(base.given, candidate.given, words.given) ??
		inVerdicts(base, candidate) ??
		inRecords(base.answered, candidate.answered, words.answered) ??
		inTimers(base, candidate) ??
		"beyond the records that are kept of one call";
	return `${found}; ${where}; ${alike}`;
}

function inRecords(
	base: readonly TraceRecord[],
	candidate: readonly TraceRecord[],
	what: string,
): string | undefined {
	for (let n = 0; n < Math.max(base.length, candidate.length); n++) {
		const [x, y] = [base[n], candidate[n]];
		if (JSON.stringify(x) !== JSON.stringify(y)) {
			const side = (record: TraceRecord | undefined) => (record === undefined ? "nothing" : describe(record));
			return `in ${what}, record ${n + 1}: the base has ${side(x)}, the candidate ${side(y)}`;
		}
	}
	return undefined;
}

function inVerdicts(base: TraceCall, candidate: TraceCall): string | undefined {
	const n = base.verdicts.findIndex((verdict, at) => verdict !== candidate.verdicts[at]);
	const name = (verdicts: readonly number[]) => VERDICTS[verdicts[n] ?? -1] ?? "not there";
	const record = base.given[n];
	return n < 0
		? undefined
		: `the dam's verdict on frame ${n + 1}${record === undefined ? "" : ` (${describe(record)}, or its neighbour in time)`}: ` +
				`${name(base.verdicts)} in the base, ${name(candidate.verdicts)} in the candidate`;
}

function inTimers(base: TraceCall, candidate: TraceCall): string | undefined {
	const n = base.timers.findIndex(
		(pair, at) => JSON.stringify(pair) !== JSON.stringify(candidate.timers[at]),
	);
	const [x, y] = [base.timers[n], candidate.timers[n]];
	const due = (pair: readonly number[] | undefined) =>
		pair === undefined
			? "is not there"
			: (pair[1] ?? -1) < 0
				? "waits for nothing"
				: `is due at ${seconds(pair[1] as number)}`;
	return n < 0 ? undefined : `device ${x?.[0]} ${due(x)} next in the base, and ${due(y)} in the candidate`;
}
