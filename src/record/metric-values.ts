import { drainState } from "./drain-state.js";
import type { RunRecord } from "./run-record.js";
import { valueAt } from "./value-at.js";

/** What an expectation finds under a metric's name: a number, or in words why there is none. */
export type MetricValue =
	| { readonly kind: "number"; readonly value: number }
	| { readonly kind: "none"; readonly why: string };

const DRAIN_WORDS = {
	drained: "it drained",
	never: "it never drained",
	stopped: "it was stopped before it could drain",
	nothing: "nothing had to drain",
} as const;

/**
 * A figure of a run by its path in the record, such as `virtual.drainRatio`. Beside what is stored there are sums (`ledger.lost`,
 * `virtual.drops`) and, of the takeovers, the worst of each column (`virtual.takeovers.lastCommitSeconds`). A figure that
 * stands on no measurement is none: its 0 must not pass for a good value.
 */
export function metricValue(run: RunRecord, path: string): MetricValue {
	const { ledger, virtual } = run;
	if (path === "ledger.lost") {
		return number(ledger.lostOverflow + ledger.lostVolatile);
	}
	if (path === "virtual.drops") {
		return number(Object.values(virtual.drops).reduce((sum, count) => sum + count, 0));
	}
	const [section, group = "", field = ""] = path.split(".");
	if (section === "virtual" && group === "drops") {
		return number(virtual.drops[field] ?? 0);
	}
	if (section === "virtual" && group === "takeovers") {
		return worstTakeover(run, field);
	}
	const value = valueAt({ ledger, virtual }, path.split("."));
	if (typeof value === "number") {
		return isUnmeasured(run, group, field) ? none("nothing was measured") : number(value);
	}
	return path.startsWith("virtual.drain") && value === null
		? none(DRAIN_WORDS[drainState(run)])
		: none("the record has no such figure");
}

function worstTakeover({ virtual }: RunRecord, field: string): MetricValue {
	const values = (virtual.takeovers ?? []).flatMap((row) => {
		const value = (row as unknown as Record<string, unknown>)[field];
		return typeof value === "number" ? [value] : [];
	});
	return values.length === 0
		? none("no shard changed hands")
		: number(values.reduce((x, y) => Math.max(x, y)));
}

/** Of a group with a count beside its quantiles, the quantiles of nothing. */
function isUnmeasured({ virtual }: RunRecord, group: string, field: string): boolean {
	const counted = group === "devicesConnectedBound" ? "devicesConnected" : group;
	const count = valueAt(virtual, [counted, "count"]);
	return count === 0 && /^(p\d+|max)/.test(field);
}

function number(value: number): MetricValue {
	return { kind: "number", value };
}

function none(why: string): MetricValue {
	return { kind: "none", why };
}
