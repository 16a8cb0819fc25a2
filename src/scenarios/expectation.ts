import { parseDuration } from "../units/duration.js";
import { parseRate, parseWhole } from "../units/quantity.js";
import { err, ok, type Result } from "../units/result.js";
import { didYouMean } from "./did-you-mean.js";
import { EXPECTED_METRICS, fullMetricName, METRIC_WORDS, type MetricUnit } from "./metric-names.js";
import type { Expectation, PolicyName, Relation } from "./scenario.js";

const RELATIONS = ["<=", "<", ">=", ">", "==", "!="] as const satisfies readonly Relation[];

const FORM = /^([A-Za-z][\w.-]*)\s*([<>=!]+)\s*(\S.*)$/;
const MULTIPLE = /^(?:(\d{1,9}(?:\.\d{1,9})?)\s*\*\s*)?([A-Za-z][\w.-]*)$/;
const NUMBER = /^\d{1,15}(?:\.\d{1,9})?$/;
const PERCENT = /^(\d{1,6}(?:\.\d{1,6})?)\s*%$/;
const MAX_CHARACTERS = 200;

/**
 * Reads an expectation: a metric, a comparison, and a value or a multiple of another metric, such as `drainRatio <= 1.1`,
 * `liveLatencyRecoveryMicros.p99 < 5s` or `devicesConnected.p95Seconds <= 1.5 * devicesConnectedBound.p95Seconds`. `policies`:
 * those that it is for; left out: all. The error says what was expected; it names no place.
 */
export function parseExpectation(
	text: string,
	policies?: readonly PolicyName[],
): Result<Expectation, string> {
	const trimmed = text.trim();
	const [, name = "", relation = "", right = ""] =
		(trimmed.length > MAX_CHARACTERS ? null : FORM.exec(trimmed)) ?? [];
	if (name === "") {
		return err(
			`expected a metric, a comparison and a value, such as drainRatio <= 1.1, found ${quoted(trimmed)}`,
		);
	}
	const known = RELATIONS.find((each) => each === relation);
	if (known === undefined) {
		return err(`expected one of ${RELATIONS.join(", ")}, found "${relation}" in ${quoted(trimmed)}`);
	}
	const metric = fullMetricName(name);
	const unit = EXPECTED_METRICS.get(metric);
	if (unit === undefined) {
		return err(unknownMetric(name));
	}
	const limit = readLimit(right, unit);
	if (!limit.ok) {
		return limit;
	}
	const forWhom = policies === undefined ? {} : { policies };
	const tidy = `${name} ${known} ${right.replaceAll(/\s+/g, " ")}`;
	return ok({ text: tidy, ...forWhom, metric, relation: known, ...limit.value });
}

type Limit = { readonly value: number } | { readonly times: number; readonly of: string };

function readLimit(text: string, unit: MetricUnit): Result<Limit, string> {
	const [, factor, name] = MULTIPLE.exec(text) ?? [];
	if (name !== undefined) {
		const of = fullMetricName(name);
		const other = EXPECTED_METRICS.get(of);
		if (other === undefined) {
			return err(unknownMetric(name));
		}
		return other === unit
			? ok({ times: Number(factor ?? "1"), of })
			: err(`${name} is ${UNITS[other].words}: expected a metric that is ${UNITS[unit].words} too`);
	}
	const value = UNITS[unit].read(text);
	return value === undefined
		? err(`expected ${UNITS[unit].expects}, or a multiple of another metric, found ${quoted(text)}`)
		: ok({ value });
}

interface UnitForm {
	readonly words: string;
	readonly expects: string;
	readonly read: (text: string) => number | undefined;
}

const UNITS: Readonly<Record<MetricUnit, UnitForm>> = {
	seconds: {
		words: "a time in seconds",
		expects: "seconds or a duration, such as 300 or 5m",
		read: (text) => plain(text) ?? timed(text, 1_000_000),
	},
	micros: {
		words: "a time in microseconds",
		expects: "microseconds or a duration, such as 250000 or 250ms",
		read: (text) => plain(text) ?? timed(text, 1),
	},
	"per-second": {
		words: "a rate per second",
		expects: "a rate such as 2500/s",
		read: (text) => plain(text) ?? atLeastZero(okValue(parseRate(text))),
	},
	share: {
		words: "a ratio",
		expects: "a ratio such as 1.1 or 95%",
		read: (text) => plain(text) ?? percent(text),
	},
	number: { words: "a number", expects: "a number such as 2.5", read: plain },
	count: {
		words: "a count",
		expects: "a whole number such as 0 or 10_000",
		read: (text) => atLeastZero(okValue(parseWhole(text))),
	},
};

function plain(text: string): number | undefined {
	return NUMBER.test(text) ? Number(text) : undefined;
}

function percent(text: string): number | undefined {
	const [, digits] = PERCENT.exec(text) ?? [];
	return digits === undefined ? undefined : Number(digits) / 100;
}

function timed(text: string, microsPerUnit: number): number | undefined {
	const value = okValue(parseDuration(text));
	return value === undefined ? undefined : value / microsPerUnit;
}

function okValue(result: Result<number, string>): number | undefined {
	return result.ok ? result.value : undefined;
}

function atLeastZero(value: number | undefined): number | undefined {
	return value !== undefined && value >= 0 ? value : undefined;
}

/** Why a name is none of a metric, with the one that was meant. */
function unknownMetric(name: string): string {
	const hint =
		didYouMean(name, METRIC_WORDS) || " Metrics are the figures of virtual and ledger in the run record.";
	return `unknown metric ${quoted(name)}.${hint}`;
}

function quoted(text: string): string {
	return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
}
