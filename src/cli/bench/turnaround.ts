import { max, median } from "simple-statistics";
import { machineRefusals } from "../../live/machine.js";
import { measureTurnaround, type Turnaround, type TurnaroundRound } from "../../live/turnaround.js";
import type { BenchRecord } from "../../record/run-record.js";
import { programsFolder } from "../native-programs.js";
import { machine } from "./environment.js";
import type { Group, GroupResult } from "./group.js";
import { amount, RECORD_HEAD, recordRow } from "./table.js";

const WANTED_MICROS = 100;
const NANOS_PER_MICRO = 1_000;

/** Frame in to ACK out of a gateway in a namespace, under an open load at half of what it keeps up with. */
export const turnaround: Group = async ({ quick, say }) => {
	const [refusal] = machineRefusals(programsFolder());
	if (refusal !== undefined) {
		return { records: [], tables: [], notes: [`skipped: ${refusal.message}`], failures: [] };
	}
	const measured = await measureTurnaround(
		{
			programs: programsFolder(),
			xdp: "native",
			searchSeconds: quick ? 0.5 : 2,
			roundSeconds: quick ? 0.5 : 10,
			rounds: quick ? 1 : 5,
		},
		say,
	);
	return turnaroundResult(measured, quick);
};

/** The group's records, and what they say about the promise. */
export function turnaroundResult(measured: Turnaround, quick: boolean): GroupResult {
	const { rounds, maxPerSecond, ratePerSecond } = measured;
	const record = (
		name: string,
		unit: string,
		samples: readonly number[],
		better: BenchRecord["better"] = "lower",
	): BenchRecord => ({
		name: `turnaround, ${name}`,
		unit,
		better,
		samples: [...samples],
		environment: { ...machine(), xdp: "native", framesPerSecond: String(ratePerSecond), poll: "busy" },
	});
	const micros = (of: (round: TurnaroundRound) => number) =>
		rounds.map((round) => of(round) / NANOS_PER_MICRO);
	const p99 = record(
		"p99",
		"us",
		micros(({ turnaroundNanos }) => turnaroundNanos.p99),
	);
	const records = [
		record("frames/s kept up with", "frames/s", [maxPerSecond], "higher"),
		record(
			"p50",
			"us",
			micros(({ turnaroundNanos }) => turnaroundNanos.p50),
		),
		p99,
		record(
			"p99.9",
			"us",
			micros(({ turnaroundNanos }) => turnaroundNanos.p999),
		),
		record(
			"at the prober, p50",
			"us",
			rounds.map(({ probe }) => probe.latencyMicros.p50),
		),
		record(
			"at the prober, p99",
			"us",
			rounds.map(({ probe }) => probe.latencyMicros.p99),
		),
		record(
			"at the prober, p99.9",
			"us",
			rounds.map(({ probe }) => probe.latencyMicros.p999),
		),
		record(
			"sent late, p99",
			"us",
			rounds.map(({ probe }) => probe.lagMicros.p99),
		),
	];
	const lost = rounds.reduce((sum, { probe }) => sum + probe.sent - probe.acked, 0);
	return {
		records,
		tables: [
			{
				title: `A gateway's turnaround at ${amount(ratePerSecond)} frames/s, half of its maximum`,
				head: RECORD_HEAD,
				rows: records.map((each) => recordRow(each, each.name.replace(/^turnaround, /, ""))),
			},
		],
		notes: [...(quick ? [] : [verdict(p99.samples)]), ...EXPLAINED],
		failures: lost === 0 ? [] : [`turnaround: ${lost} frames of the measured rounds were not acknowledged`],
	};
}

function verdict(samples: readonly number[]): string {
	const [middle, worst] = [median([...samples]), max([...samples])];
	const met = middle < WANTED_MICROS ? "met" : "MISSED";
	return `${met}: p99 under ${WANTED_MICROS} us wanted, median of the rounds ${amount(middle)} us, worst ${amount(worst)} us`;
}

const EXPLAINED = [
	"Turnaround is the daemon's: from the kernel's stamp on the frame (before the filter hands it to the socket) until the ACK has been sent. The mock sink decides at once, so what a commit takes comes on top.",
	"The prober's figures count from the time at which a frame was to be sent, late or not, and hold both ways through the cable.",
	"Daemon and prober poll, a core each. On a machine with two cores everything else, the kernel's own work included, takes turns with one of them.",
] as const;
