import { benchKafka, type KafkaBench } from "../../live/kafka-bench.js";
import type { RateStep } from "../../live/kafka-bench-rates.js";
import type { BenchRecord } from "../../record/run-record.js";
import { EXIT } from "../exit-codes.js";
import { programsFolder } from "../native-programs.js";
import { machine } from "./environment.js";
import type { Group, GroupResult, TableSpec } from "./group.js";
import { type KafkaFigure, kafkaFigures } from "./kafka-figures.js";
import { skippedGroup } from "./kernel-tool.js";
import { middle } from "./samples.js";
import { amount, RECORD_HEAD, recordRow } from "./table.js";

const PREFIX = "kafka, ";

/** A gateway with a real Kafka behind it: throughput, takeover, HELLOs, memory; beside what Kafka's client can do at most. */
export const kafka: Group = async ({ quick, say }) => {
	// Whatever was started ends with this process, which has to end in order for that.
	const handlers = [
		["SIGINT", () => process.exit(EXIT.interrupted)],
		["SIGTERM", () => process.exit(EXIT.terminated)],
	] as const;
	for (const [signal, handler] of handlers) {
		process.on(signal, handler);
	}
	try {
		const measured = await benchKafka({ programs: programsFolder(), quick, say });
		return measured.ok ? kafkaResult(measured.value, quick) : skippedGroup(measured.error.message);
	} finally {
		for (const [signal, handler] of handlers) {
			process.off(signal, handler);
		}
	}
};

/** The group's records, and what they say about what is wanted. Quick runs are not judged. */
export function kafkaResult(measured: KafkaBench, quick: boolean): GroupResult {
	const { exactlyOnce = [], withoutTransactions = [], takeovers } = measured;
	const environment = { ...machine(), broker: measured.broker };
	const figures = kafkaFigures(measured);
	const rows = figures.map((figure) => ({ figure, record: recordOf(figure, environment, quick) }));
	const steps = [
		...exactlyOnce.map((step) => ({ step, how: "exactly once" })),
		...withoutTransactions.map((step) => ({ step, how: "without transactions" })),
	];
	const skipped = typeof takeovers?.takeover === "string" ? [`Takeover skipped: ${takeovers.takeover}.`] : [];
	const missed = exactlyOnce.length > 0 && !exactlyOnce.some(({ kept }) => kept);
	return {
		records: rows.map(({ record }) => record),
		tables: [
			{
				title: "A gateway and Kafka, by rate (readings of 100 bytes, 12 a frame)",
				head: RATE_HEAD,
				rows: steps.map(({ step, how }) => rateRow(step, how)),
			},
			figureTable(rows, quick),
		].filter((table) => table.rows.length > 0),
		notes: [
			...skipped,
			...(missed && !quick ? ["MISSED: no rate that was tried is kept up with"] : []),
			...(quick ? ["A quick run is not judged."] : []),
			...EXPLAINED,
		],
		failures: [
			...measured.failures.map((failure) => `kafka, ${failure}`),
			...steps.flatMap(({ step, how }) => contradiction(step, how)),
			...lost(takeovers),
		],
	};
}

function recordOf(
	{ name, unit, better, samples, wanted }: KafkaFigure,
	environment: Record<string, string>,
	quick: boolean,
): BenchRecord {
	const bar = wanted === undefined || quick ? {} : { wanted: String(wanted), judged: "median" };
	return { name: `${PREFIX}${name}`, unit, better, samples, environment: { ...environment, ...bar } };
}

interface Row {
	readonly figure: KafkaFigure;
	readonly record: BenchRecord;
}

function figureTable(rows: readonly Row[], quick: boolean): TableSpec {
	return {
		title: "Kafka",
		head: [...RECORD_HEAD, "wanted", ""],
		rows: rows.map(({ figure, record }) => {
			const row = recordRow(record, figure.name);
			return figure.wanted === undefined || quick ? [...row, "", ""] : [...row, ...verdict(figure, record)];
		}),
	};
}

function verdict(
	{ wanted = 0, better }: KafkaFigure,
	record: BenchRecord,
): [wanted: string, verdict: string] {
	const value = middle(record);
	const isMet = better === "higher" ? value >= wanted : value <= wanted;
	const bar = `at ${better === "higher" ? "least" : "most"} ${wanted.toLocaleString("en-US")}`;
	return [bar, isMet ? "met" : "MISSED"];
}

const RATE_HEAD = [
	"",
	"readings/s",
	"kept up with",
	"acknowledged",
	"in the log",
	"turnaround p50 / p99, ms",
	"at the prober p50 / p99, ms",
	"gateway, broker, prober: cores",
] as const;

function rateRow(step: RateStep, how: string): string[] {
	const { askedPerSecond, kept, acked, stored, turnaroundMicros, latencyMicros, cores } = step;
	const millis = ({ p50, p99 }: { p50: number; p99: number }) =>
		`${amount(p50 / 1_000)} / ${amount(p99 / 1_000)}`;
	const core = (value: number | null) => (value === null ? "?" : value.toFixed(2));
	return [
		how,
		askedPerSecond.toLocaleString("en-US"),
		kept ? "yes" : "no",
		acked.toLocaleString("en-US"),
		stored === null ? "?" : stored.toLocaleString("en-US"),
		millis(turnaroundMicros),
		millis(latencyMicros),
		[cores.gateway, cores.broker, cores.prober].map(core).join(", "),
	];
}

/** What was acknowledged is in the log, and where everything was, nothing else is. */
function contradiction({ askedPerSecond, kept, acked, stored }: RateStep, how: string): string[] {
	const isSound = stored === null || (kept ? stored === acked : stored >= acked);
	return isSound
		? []
		: [`kafka, ${how}, ${askedPerSecond} readings/s: ${acked} acknowledged, ${stored} in the log`];
}

function lost(takeovers: KafkaBench["takeovers"]): string[] {
	const kills = takeovers === undefined ? [] : Object.entries(takeovers);
	return kills.flatMap(([what, kill]) => {
		if (typeof kill === "string" || !("devices" in kill)) {
			return [];
		}
		const { lostOverflow, lostVolatile } = kill.devices;
		const readings = lostOverflow + lostVolatile;
		return readings === 0 ? [] : [`kafka, ${what}: devices have given up ${readings} readings`];
	});
}

const EXPLAINED = [
	"Everything runs on this machine and shares its cores: broker, gateway, and who sends. Four shards, a commit every 50 ms each; an acknowledgement goes out after the commit.",
	"A ceiling is a plain loop over Kafka's client, with the same records in transactions of the same size; the sink writes marks on top. Without headers nobody could tell whose reading a record is: shown, not judged.",
	"In the log: what a reader of committed records sees, by the offsets of the topic.",
	"Kept up with: sent in time, all acknowledged, within half a second at the 99th percentile. A rate that is missed has a second try.",
	"Turnaround is the gateway's, from a frame's arrival to the departure of its acknowledgement; at the prober it counts from when the frame was to be sent.",
	"Takeover: one gateway of two is killed (-9) with a million devices' marks in the log, and the other one finds out by gossip. Restart: the only one is killed, and started again at once. Delays are those of 20,000 devices that report every two seconds, from when a reading was taken until its device was told. Most of a takeover's are the devices' own patience: 1.5 s for an acknowledgement, then two HELLOs of 0.5 and 1 s, before they ask another gateway.",
] as const;
