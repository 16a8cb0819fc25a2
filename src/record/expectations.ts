import { z } from "zod";
import { formatDuration } from "../units/duration.js";
import { micros } from "../units/micros.js";
import { metricValue } from "./metric-values.js";
import type { RunRecord } from "./run-record.js";

const RELATIONS = {
	"<=": (found: number, limit: number) => found <= limit,
	"<": (found: number, limit: number) => found < limit,
	">=": (found: number, limit: number) => found >= limit,
	">": (found: number, limit: number) => found > limit,
	"==": (found: number, limit: number) => found === limit,
	"!=": (found: number, limit: number) => found !== limit,
} as const;

/** An entry of `config.expect`, as the scenario's loader resolved it: a metric, and a number or a multiple of another metric. */
const expectation = z.looseObject({
	text: z.string(),
	policies: z.array(z.string()).optional(),
	metric: z.string(),
	relation: z.enum(Object.keys(RELATIONS) as (keyof typeof RELATIONS)[]),
	value: z.number().optional(),
	times: z.number().optional(),
	of: z.string().optional(),
});

type Expectation = z.output<typeof expectation>;

/** What became of one expectation of a run's scenario. */
export interface ExpectationOutcome {
	/** As the scenario has it, such as `drainRatio <= 1.1`. */
	readonly text: string;
	readonly holds: boolean;
	/** What was found in its place, in words. */
	readonly found: string;
}

/**
 * Checks what the scenario expects of this run's policy. A run that was stopped is not held to it: its figures cover
 * what ran. An entry that cannot be read does not hold, since what is not checked must not pass.
 */
export function judgeExpectations(run: RunRecord): readonly ExpectationOutcome[] {
	const { expect } = (run.config ?? {}) as { expect?: unknown };
	if (expect === undefined || !run.complete) {
		return [];
	}
	return (Array.isArray(expect) ? expect : [expect]).flatMap((entry, index) => {
		const parsed = expectation.safeParse(entry);
		if (!parsed.success) {
			return [{ text: `number ${index + 1}`, holds: false, found: "the record's entry cannot be read" }];
		}
		const isForPolicy = parsed.data.policies?.includes(run.policy) ?? true;
		return isForPolicy ? [judge(run, parsed.data)] : [];
	});
}

function judge(
	run: RunRecord,
	{ text, metric, relation, value, times = 1, of }: Expectation,
): ExpectationOutcome {
	const found = metricValue(run, metric);
	if (found.kind === "none") {
		return { text, holds: false, found: `none: ${found.why}` };
	}
	const other = of === undefined ? undefined : metricValue(run, of);
	if (other?.kind === "none") {
		return {
			text,
			holds: false,
			found: `${shown(metric, found.value)}, and for the other none: ${other.why}`,
		};
	}
	const limit = other === undefined ? value : times * other.value;
	if (limit === undefined) {
		return { text, holds: false, found: "the record's entry has nothing to compare with" };
	}
	const against = other === undefined ? "" : ` against ${shown(metric, limit)}`;
	// In percent where the scenario speaks so.
	const words = text.endsWith("%")
		? `${Number((found.value * 100).toPrecision(DIGITS))}%`
		: shown(metric, found.value, limit);
	return { text, holds: RELATIONS[relation](found.value, limit), found: `${words}${against}` };
}

/** Six digits are enough, unless they would hide the difference to the limit. */
const DIGITS = 6;
const SECOND = 1_000_000;

function shown(metric: string, value: number, limit?: number): string {
	const scale = microsPerUnit(metric);
	if (scale !== undefined) {
		const exact = Math.round(value * scale);
		const coarse = exact < SECOND ? exact : Math.round(exact / 1_000) * 1_000;
		const hides = limit !== undefined && coarse === Math.round(limit * scale);
		return formatDuration(micros(hides ? exact : coarse));
	}
	const coarse = Number(value.toPrecision(DIGITS));
	const exact = Number.isInteger(value) || coarse === limit ? value : coarse;
	const digits = exact.toLocaleString("en-US", { maximumFractionDigits: 20 });
	return metric.endsWith("PerSecond") ? `${digits}/s` : digits;
}

/** A metric that is a time has its unit in its name. */
function microsPerUnit(metric: string): number | undefined {
	if (/Seconds(\.|$)/.test(metric)) {
		return SECOND;
	}
	return /Micros\.(?!count$)/.test(metric) ? 1 : undefined;
}
