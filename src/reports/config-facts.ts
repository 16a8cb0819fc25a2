import type { RunRecord } from "../record/run-record.js";
import { valueAt } from "../record/value-at.js";

/**
 * What a report reads from the resolved scenario, as far as the record has it. The record keeps `config` as an
 * opaque value, so every fact may be missing, and advice that needs it is then left out.
 */
export interface ConfigFacts {
	readonly gateways: number | undefined;
	readonly sessionsPerGatewayPerSecond: number | undefined;
	readonly readingIntervalSeconds: number | undefined;
	readonly bufferReadings: number | undefined;
	readonly bufferKind: string | undefined;
	readonly backoffKind: string | undefined;
	readonly backoffBaseSeconds: number | undefined;
	readonly backoffCapSeconds: number | undefined;
	readonly sinkQueueReadings: number | undefined;
}

/** Reads the facts from a run's configuration; both the resolved scenario and its summary have these places. */
export function configFacts(run: RunRecord): ConfigFacts {
	const number = (...path: string[]) => asNumber(valueAt(run.config, path));
	const seconds = (...path: string[]) => {
		const value = number(...path);
		return value === undefined ? undefined : value / 1_000_000;
	};
	return {
		gateways: number("gateways", "count"),
		sessionsPerGatewayPerSecond: number("gateways", "sessionsPerSecond"),
		readingIntervalSeconds: seconds("devices", "firmware", "readingIntervalMicros"),
		bufferReadings: number("devices", "firmware", "bufferReadings"),
		bufferKind: asText(valueAt(run.config, ["devices", "firmware", "bufferKind"])),
		backoffKind: asText(valueAt(run.config, ["devices", "firmware", "backoff", "kind"])),
		backoffBaseSeconds: seconds("devices", "firmware", "backoff", "baseMicros"),
		backoffCapSeconds: seconds("devices", "firmware", "backoff", "capMicros"),
		sinkQueueReadings: number("gateways", "sinkQueueReadings"),
	};
}

/** Readings per second when every device is online; undefined without the reading interval. */
export function liveRate(run: RunRecord): number | undefined {
	const interval = configFacts(run).readingIntervalSeconds;
	return interval === undefined || interval <= 0 ? undefined : run.devices / interval;
}

/** A text of the configuration, such as `teaches`. */
export function configText(run: RunRecord, key: string): string | undefined {
	return asText(valueAt(run.config, [key]));
}

/** A list of texts of the configuration, such as `sources`. */
export function configTexts(run: RunRecord, key: string): readonly string[] {
	const value = valueAt(run.config, [key]);
	return Array.isArray(value) ? value.filter((item): item is string => typeof item === "string") : [];
}

function asNumber(value: unknown): number | undefined {
	return typeof value === "number" && Number.isFinite(value) ? value : undefined;
}

function asText(value: unknown): string | undefined {
	return typeof value === "string" && value.trim() !== "" ? value.trim() : undefined;
}
