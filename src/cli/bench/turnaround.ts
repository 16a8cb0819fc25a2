import { max, median } from "simple-statistics";
import { machineRefusals } from "../../live/machine.js";
import {
	measureTurnaround,
	type Turnaround,
	type TurnaroundLoad,
	type TurnaroundRound,
} from "../../live/turnaround.js";
import type { BenchRecord } from "../../record/run-record.js";
import { programsFolder } from "../native-programs.js";
import { machine } from "./environment.js";
import type { Group, GroupResult } from "./group.js";
import { amount, RECORD_HEAD, recordRow } from "./table.js";

const WANTED_MICROS = 100;
const NANOS_PER_MICRO = 1_000;
const NAMES: Readonly<Record<number, string>> = { 2: "half", 4: "a quarter", 8: "an eighth" };

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
			roundSeconds: quick ? 0.5 : 5,
			rounds: quick ? 1 : 5,
			parts: [2, 4, 8],
		},
		say,
	);
	return turnaroundResult(measured, quick);
};

/** The group's records, and what they say about the promise. */
export function turnaroundResult({ maxPerSecond, loads }: Turnaround, quick: boolean): GroupResult {
	const environment = { ...machine(), xdp: "native", poll: "busy, a core each for daemon and prober" };
	const most: BenchRecord = {
		name: "turnaround, frames/s kept up with",
		unit: "frames/s",
		better: "higher",
		samples: [maxPerSecond],
		environment,
	};
	const records = [most, ...loads.flatMap((load) => recordsOf(load, environment))];
	const rounds = loads.flatMap((load) => load.rounds);
	const lost = rounds.reduce((sum, { probe }) => sum + probe.sent - probe.acked, 0);
	const [judged] = loads;
	return {
		records,
		tables: [
			{
				title: `A gateway's turnaround, by load; its maximum is ${amount(maxPerSecond)} frames/s`,
				head: RECORD_HEAD,
				rows: records.map((each) => recordRow(each, each.name.replace(/^turnaround, /, ""))),
			},
		],
		notes: [...(quick || judged === undefined ? [] : [verdict(judged)]), ...EXPLAINED],
		failures: lost === 0 ? [] : [`turnaround: ${lost} frames of the measured rounds were not acknowledged`],
	};
}

/** What one load measured, and what helps to see where its time went. */
function recordsOf({ part, ratePerSecond, rounds }: TurnaroundLoad, environment: BenchRecord["environment"]) {
	const record = (
		name: string,
		unit: string,
		of: (round: TurnaroundRound) => number | null,
	): BenchRecord => ({
		name: `turnaround, ${NAMES[part] ?? `1/${part}`} of it, ${name}`,
		unit,
		better: "lower",
		samples: rounds.map(of).filter((value) => value !== null && Number.isFinite(value)) as number[],
		environment: { ...environment, framesPerSecond: String(ratePerSecond) },
	});
	return [
		record("p50", "us", ({ turnaroundNanos }) => turnaroundNanos.p50 / NANOS_PER_MICRO),
		record("p99", "us", ({ turnaroundNanos }) => turnaroundNanos.p99 / NANOS_PER_MICRO),
		record("p99.9", "us", ({ turnaroundNanos }) => turnaroundNanos.p999 / NANOS_PER_MICRO),
		record("at the prober, p99", "us", ({ probe }) => probe.latencyMicros.p99),
		record("sent late, p99", "us", ({ probe }) => probe.lagMicros.p99),
		record("CPU a frame", "ns", ({ frameCpuNanos }) => frameCpuNanos),
		record("daemon without a core", "% of the time", ({ waitedShare }) => waitedShare * 100),
	].filter(({ samples }) => samples.length > 0);
}

function verdict({ ratePerSecond, rounds }: TurnaroundLoad): string {
	const samples = rounds.map(({ turnaroundNanos }) => turnaroundNanos.p99 / NANOS_PER_MICRO);
	const [middle, worst] = [median(samples), max(samples)];
	const met = middle < WANTED_MICROS ? "met" : "MISSED";
	return (
		`${met}: p99 under ${WANTED_MICROS} us wanted at half of the maximum (${amount(ratePerSecond)} frames/s), median of the ` +
		`rounds ${amount(middle)} us, worst ${amount(worst)} us`
	);
}

const EXPLAINED = [
	"Turnaround is the daemon's: from the kernel's stamp on the frame (before the filter hands it to the socket) until the ACK has been sent. The mock sink decides at once, so what a commit takes comes on top.",
	"The prober's figures count from the time at which a frame was to be sent, late or not, and hold both ways through the cable.",
	"Daemon and prober poll, a core each. On a machine with two cores everything else takes turns with one of them: while the prober has no core it is late, and then sends what is due at once; the gateway works through such a burst frame by frame, at the CPU time a frame that is shown.",
] as const;
