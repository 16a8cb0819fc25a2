import { z } from "zod";
import { didYouMean } from "./did-you-mean.js";
import { parseExpectation } from "./expectation.js";
import { COMPARED_METRICS, fullMetricName, METRIC_WORDS } from "./metric-names.js";
import type { Expectation, PolicyName } from "./scenario.js";
import { strictMap } from "./schema-fields.js";

const EXPECTATIONS_MAX = 200;
const MARGINS_MAX = 200;

const expectationText = z
	.string()
	.transform((text, context): Expectation => {
		const parsed = parseExpectation(text);
		if (!parsed.ok) {
			context.addIssue({ code: "custom", message: parsed.error });
			return z.NEVER;
		}
		return parsed.value;
	})
	.meta({
		description: "A metric, a comparison, and a value or a multiple of another metric",
		examples: ["drainRatio <= 1.1"],
	});

const ofOnePolicy = z.union([expectationText, z.array(expectationText)]).optional();

/** An expectation of every policy, or a map of policies to theirs. */
const item = z.union(
	[
		expectationText,
		strictMap({
			none: ofOnePolicy,
			static: ofOnePolicy,
			klais: ofOnePolicy,
			aimd: ofOnePolicy,
			gradient2: ofOnePolicy,
			vegas: ofOnePolicy,
			codel: ofOnePolicy,
			breakwater: ofOnePolicy,
			pid: ofOnePolicy,
			"client-throttle": ofOnePolicy,
			"kafka-quota": ofOnePolicy,
			oracle: ofOnePolicy,
		} satisfies Record<PolicyName, unknown>),
	],
	{ error: "expected an expectation such as drainRatio <= 1.1, or a policy and its own" },
);

type Item = z.output<typeof item>;

/** `expect` of a scenario file: a text, or a list of texts and of maps of policies to texts. */
export const expectations = z
	.union([expectationText, z.array(item).max(EXPECTATIONS_MAX, `expected at most ${EXPECTATIONS_MAX}`)])
	.transform((given): readonly Expectation[] => (Array.isArray(given) ? given.flatMap(flat) : [given]));

function flat(each: Item): Expectation[] {
	if ("metric" in each) {
		return [each];
	}
	return Object.entries(each).flatMap(([policy, own]) =>
		[own ?? []].flat().map((one) => ({ ...one, policies: [policy as PolicyName] })),
	);
}

const PATH = /^[A-Za-z][\w.*-]{0,99}$/;
const MARGIN = /^(any|\d{1,15}(\.\d{1,9})?|\d{1,3}(\.\d{1,6})?\s*%)$/;

const margin = z
	.union([z.string(), z.number()], { error: "expected a margin such as 2%, 50 or any" })
	.transform((value, context): string => {
		const text = String(value).trim();
		const isShare = text.endsWith("%");
		if (!MARGIN.test(text) || (isShare && Number.parseFloat(text) > 100)) {
			context.addIssue({
				code: "custom",
				message: `expected a margin such as 2%, 50 or any, found ${JSON.stringify(text.slice(0, 60))}`,
			});
			return z.NEVER;
		}
		return text;
	})
	.meta({ description: "How far the metric may move: a share, an amount, or any", examples: ["2%"] });

/** `margins` of a scenario file: by a metric's path, in which `*` stands for anything; a known section may be left out. */
export const margins = z
	.record(z.string(), margin)
	.superRefine((given, context) => {
		const paths = Object.keys(given);
		if (paths.length > MARGINS_MAX) {
			context.addIssue({ code: "custom", message: `expected at most ${MARGINS_MAX} margins` });
		}
		for (const path of paths) {
			const message = marginPathProblem(path);
			if (message !== undefined) {
				context.addIssue({ code: "custom", path: [path], message, params: { kind: "unknown-key" } });
			}
		}
	})
	.transform(
		(given): Readonly<Record<string, string>> =>
			Object.fromEntries(Object.entries(given).map(([path, text]) => [fullMetricName(path), text])),
	);

function marginPathProblem(path: string): string | undefined {
	if (PATH.test(path)) {
		// Of a list the record may hold any number.
		const parts = fullMetricName(path)
			.replaceAll(/\.\d+(?=\.)/g, ".0")
			.split("*")
			.map((part) => part.replace(/[.\\^$+?()[\]{}|]/g, "\\$&"));
		const pattern = new RegExp(`^${parts.join(".*")}$`);
		if (COMPARED_METRICS.some((metric) => pattern.test(metric))) {
			return undefined;
		}
	}
	const hint = didYouMean(path, [...METRIC_WORDS, ...COMPARED_METRICS]);
	return `no metric that the gate compares is called ${JSON.stringify(path.slice(0, 60))}.${hint || " Such as virtual.drainRatio, virtual.drops.* or digest."}`;
}
