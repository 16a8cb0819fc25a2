import { median } from "simple-statistics";
import { z } from "zod";
import { err, ok, type Result } from "../../units/result.js";
import { json } from "../executable.js";
import { runProgram } from "../process.js";

/** A sample takes seconds at most; one that hangs must not take the budget with it. */
const SAMPLE_SECONDS_MAX = 120;
/** Names of the two metrics of a program that says how long it took. */
export const CPU_TIME = "CPU time";
export const WALL_TIME = "wall time";

/** One value of one metric, from one process. */
export interface MetricValue {
	readonly metric: string;
	readonly unit: string;
	readonly higherIsBetter: boolean;
	readonly value: number;
}

/** What a process measured. */
export interface Sample {
	readonly values: readonly MetricValue[];
	/** Of the work that was done, if the program says so: other work takes another time. */
	readonly digest: string | undefined;
}

const whole = z.looseObject({
	wallMicros: z.number().positive(),
	cpuMicros: z.number().positive(),
	digest: z.string().exactOptional(),
});
const figure = z.looseObject({
	name: z.string().min(1),
	unit: z.string().min(1),
	better: z.enum(["higher", "lower"]),
	samples: z.array(z.number().positive()).min(1),
});

/**
 * Reads what a benchmark printed: a line `{"wallMicros":…,"cpuMicros":…}` for the program as a whole, or lines
 * `{"name":…,"unit":…,"better":…,"samples":[…]}` for its parts, as the benchmarks in `native` print them; other lines are for people.
 */
export function parseSample(stdout: string): Result<Sample, string> {
	const values: MetricValue[] = [];
	let digest: string | undefined;
	for (const line of stdout.split("\n").filter((text) => text.startsWith("{"))) {
		const value = json(line);
		const part = figure.safeParse(value);
		const all = whole.safeParse(value);
		if (part.success) {
			const { name, unit, better, samples } = part.data;
			values.push({ metric: name, unit, higherIsBetter: better === "higher", value: median(samples) });
		} else if (all.success) {
			const time = { unit: "us", higherIsBetter: false };
			values.push({ metric: CPU_TIME, ...time, value: all.data.cpuMicros });
			values.push({ metric: WALL_TIME, ...time, value: all.data.wallMicros });
			digest = all.data.digest;
		}
	}
	if (values.length === 0) {
		return err("it printed no measurement");
	}
	const twice = values.find(({ metric }, n) => values.findIndex((other) => other.metric === metric) !== n);
	return twice === undefined
		? ok({ values, digest })
		: err(`it printed ${JSON.stringify(twice.metric)} twice`);
}

/**
 * Takes one sample in a process of its own. `padding`: bytes that the environment is made longer by. Where a process's stack
 * begins changes its speed (T. Mytkowicz et al., "Producing wrong data without doing anything obviously wrong", ASPLOS 2009): a
 * different place each time makes noise of what would be a bias.
 */
export async function takeSample(
	words: readonly string[],
	folder: string,
	padding: number,
	stop: AbortSignal,
): Promise<Result<Sample, string>> {
	const { code, stdout, complaint } = await runProgram(words, {
		folder,
		timeoutSeconds: SAMPLE_SECONDS_MAX,
		environment: { KLAIS_GATE_PADDING: "x".repeat(padding) },
		stop,
	});
	if (code !== 0) {
		return err(code === null ? complaint : `it ended with ${code}: ${complaint}`);
	}
	return parseSample(stdout);
}
