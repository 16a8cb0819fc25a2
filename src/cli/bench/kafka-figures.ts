import type { KafkaBench } from "../../live/kafka-bench.js";
import type { ClientCase, ClientRounds } from "../../live/kafka-bench-client.js";
import type { Hellos } from "../../live/kafka-bench-hellos.js";
import type { Memory } from "../../live/kafka-bench-memory.js";
import { highest, type RateStep } from "../../live/kafka-bench-rates.js";
import type { Kill, Takeovers } from "../../live/kafka-bench-takeover.js";

const MICROS_PER_SECOND = 1e6;
const MICROS_PER_MILLI = 1e3;
const BYTES_PER_MEGABYTE = 1e6;
/** Readings, by a gateway to Kafka, acknowledged after commit. */
const WANTED_PER_SECOND = 200_000;

/** A figure, and what is wanted of its middle sample. */
export interface KafkaFigure {
	readonly name: string;
	readonly unit: string;
	readonly better: "higher" | "lower";
	readonly samples: readonly number[];
	/** At least so much where more is better, else at most. */
	readonly wanted?: number;
}

/** Every figure of what was measured. */
export function kafkaFigures(measured: KafkaBench): KafkaFigure[] {
	const { client, exactlyOnce, withoutTransactions, takeovers, hellos, memory } = measured;
	const all = [
		...(client === undefined ? [] : clientFigures(client)),
		...rateFigures(exactlyOnce ?? [], withoutTransactions ?? []),
		...(takeovers === undefined ? [] : takeoverFigures(takeovers)),
		...(hellos === undefined ? [] : helloFigures(hellos)),
		...(memory === undefined ? [] : memoryFigures(memory)),
	];
	return all.filter(({ samples }) => samples.length > 0);
}

type More = Pick<KafkaFigure, "wanted">;

const figures =
	(better: KafkaFigure["better"]) =>
	(name: string, unit: string, samples: readonly (number | null)[], more: More = {}): KafkaFigure => ({
		...{ name, unit, better, samples: samples.filter((each) => each !== null) },
		...more,
	});
const higher = figures("higher");
const lower = figures("lower");

function clientFigures(rounds: ClientRounds): KafkaFigure[] {
	const cases = [...rounds].map(([name, samples]) => higher(`client, ${name}`, "readings/s", samples));
	const sink = rounds.get("sink-exactly-once") ?? [];
	// Within a round, so that what the machine does meanwhile is in both.
	const ratio = (name: string, to: ClientCase, more: More = {}) => {
		const ratios = sink.map((rate, round) => {
			const other = rounds.get(to)?.[round] ?? null;
			return rate === null || other === null ? null : rate / other;
		});
		return higher(`sink exactly once / ${name}`, "ratio", ratios, more);
	};
	return [
		...cases,
		ratio("transactional ceiling, same records", "transactional-headers-paced", { wanted: 0.9 }),
		ratio("transactional ceiling, records without headers", "transactional-paced"),
		ratio("idempotent ceiling, same records", "idempotent-headers-paced"),
		ratio("idempotent ceiling, records without headers", "idempotent-paced"),
		ratio("sink without transactions", "sink-without-transactions"),
	];
}

function rateFigures(exactlyOnce: readonly RateStep[], without: readonly RateStep[]): KafkaFigure[] {
	const [most, mostWithout] = [highest(exactlyOnce), highest(without)];
	const wanted = exactlyOnce.find(({ askedPerSecond, kept }) => kept && askedPerSecond === WANTED_PER_SECOND);
	const rate = (step: RateStep | undefined) => (step === undefined ? [] : [step.askedPerSecond]);
	const cost =
		most === undefined || mostWithout === undefined ? [] : [most.askedPerSecond / mostWithout.askedPerSecond];
	return [
		higher("gateway to Kafka, exactly once", "readings/s", rate(most), { wanted: WANTED_PER_SECOND }),
		...(wanted === undefined ? [] : stepFigures(wanted, "exactly once at 200,000 readings/s").slice(0, 2)),
		...(most === undefined ? [] : stepFigures(most, "exactly once")),
		higher("gateway to Kafka, without transactions", "readings/s", rate(mostWithout)),
		...(mostWithout === undefined ? [] : stepFigures(mostWithout, "without transactions")),
		higher("gateway exactly once / without transactions", "ratio", cost),
	];
}

function stepFigures({ latencyMicros, turnaroundMicros, cores }: RateStep, how: string): KafkaFigure[] {
	const millis = (name: string, micros: number) =>
		lower(`gateway ${how}, ${name}`, "ms", [micros / MICROS_PER_MILLI]);
	const busy = (name: string, of: number | null) => lower(`gateway ${how}, CPU of ${name}`, "cores", [of]);
	return [
		millis("turnaround p50", turnaroundMicros.p50),
		millis("turnaround p99", turnaroundMicros.p99),
		millis("at the prober, p50", latencyMicros.p50),
		millis("at the prober, p99", latencyMicros.p99),
		busy("the gateway", cores.gateway),
		busy("the broker", cores.broker),
		busy("the prober", cores.prober),
	];
}

function takeoverFigures({ restore, restart, takeover }: Takeovers): KafkaFigure[] {
	return [
		...(typeof takeover === "string"
			? []
			: [
					lower("takeover, to the first shard's commit", "s", [takeover.firstSeconds]),
					lower("takeover, to the last shard's commit", "s", [takeover.lastSeconds], { wanted: 2 }),
					...delayFigures("takeover", takeover),
				]),
		lower("restart, to the last shard's commit", "s", [restart.lastSeconds]),
		...delayFigures("restart", restart),
		higher("restore, marks read", "marks", [restore.marks]),
		lower("restore, from a process's start until it serves", "s", [restore.seconds]),
		lower("restore, the same with an empty log", "s", [restore.emptySeconds]),
	];
}

function delayFigures(what: string, { devices }: Kill): KafkaFigure[] {
	const { all, late } = devices.delays;
	const seconds = (micros: number) => [micros / MICROS_PER_SECOND];
	return [
		lower(`${what}, readings delayed by more than a second`, "readings", [late.count]),
		lower(`${what}, of all readings`, "readings", [all.count]),
		lower(`${what}, p99 of those delayed`, "s", late.count === 0 ? [] : seconds(late.p99)),
		lower(`${what}, p99 of all`, "s", seconds(all.p99)),
	];
}

function helloFigures(measured: Hellos): KafkaFigure[] {
	const { perSecond, pacedPerSecond, latencyMicros, turnaroundMicros, transactions, readings } = measured;
	return [
		higher("HELLOs answered ADMIT", "devices/s", [perSecond], { wanted: 50_000 }),
		higher("HELLOs, transactions committed meanwhile", "transactions", [transactions]),
		higher("HELLOs at half of that", "devices/s", [pacedPerSecond]),
		lower("HELLOs at half of that, to ADMIT, p50", "ms", [latencyMicros.p50 / MICROS_PER_MILLI]),
		lower("HELLOs at half of that, to ADMIT, p99", "ms", [latencyMicros.p99 / MICROS_PER_MILLI]),
		lower("HELLOs at half of that, unanswered", "devices", [measured.unanswered]),
		lower("HELLOs, readings' turnaround beside, p50", "ms", [turnaroundMicros.p50 / MICROS_PER_MILLI]),
		lower("HELLOs, readings beside, not acknowledged", "readings", [readings.sent - readings.acked]),
	];
}

function memoryFigures({ perDeviceBytes, bytes, fewBytes }: Memory): KafkaFigure[] {
	return [
		lower("memory, per device", "bytes", [perDeviceBytes], { wanted: 40 }),
		lower("memory, the gateway", "MB", [bytes / BYTES_PER_MEGABYTE]),
		lower("memory, the same with 1,000 devices", "MB", [fewBytes / BYTES_PER_MEGABYTE]),
	];
}
