import { join } from "node:path";
import { median } from "simple-statistics";
import { x } from "tinyexec";
import { z } from "zod";
import type { KernelCosts } from "../scenarios/frame-costs.js";
import { err, ok, type Result } from "../units/result.js";
import type { CalibrationControl } from "./calibration.js";
import { complaint, LiveFault } from "./live-fault.js";
import { isExecutable, XDP_PROGRAM } from "./machine.js";
import { parsed } from "./parsed.js";
import { XDP_EXIT } from "./xdp-exit.js";

const PATIENCE_MILLIS = 900_000;
/** What the program ends with where the machine does not let it measure. */
const CANNOT_HERE: readonly (number | undefined)[] = [XDP_EXIT.failed, XDP_EXIT.unable];

const recordSchema = z.looseObject({ name: z.string(), samples: z.array(z.number()).min(1) });

type BenchRow = z.output<typeof recordSchema>;

/**
 * The rows of the bench that each cost is read off. Of several the dearest counts. A HELLO that a bucket refuses costs what
 * a forged one does, whose MAC is checked first, and a bucket more.
 */
const ROWS: Readonly<Record<keyof KernelCosts, RegExp>> = {
	helloPassNanos: /^HELLO passed/,
	helloDeferNanos: /^HELLO .*newcomer/,
	helloDropNanos: /^HELLO forged/,
	dataPassNanos: /^DATA passed/,
	dataDropNanos: /^DATA dropped/,
};

/**
 * Measures what the filter spends on a frame, by verdict, with `klais-xdp bench`. The error says why this machine, or this
 * user, cannot. Throws a `LiveFault` when the program does not do what it should.
 */
export async function measureKernel(
	programs: string,
	quick: boolean,
	{ signal }: CalibrationControl,
): Promise<Result<KernelCosts, string>> {
	const program = join(programs, XDP_PROGRAM);
	const reason = kernelRefusal(program);
	if (reason !== undefined) {
		return err(reason);
	}
	const args = ["bench", "--json", ...(quick ? ["--quick"] : [])];
	const { exitCode, stdout, stderr } = await x(program, args, { signal, timeout: PATIENCE_MILLIS });
	signal.throwIfAborted();
	if (CANNOT_HERE.includes(exitCode)) {
		return err(complaint(stderr.trim().split("\n").at(-1) ?? ""));
	}
	if (exitCode !== 0) {
		throw new LiveFault("run", `klais-xdp ended with ${exitCode ?? "a signal"}: ${complaint(stderr)}`);
	}
	return ok(costsOf(rowsOf(stdout)));
}

function kernelRefusal(program: string): string | undefined {
	if (process.platform !== "linux") {
		return `XDP needs Linux, this is ${process.platform}`;
	}
	if (process.geteuid?.() !== 0) {
		return "loading the filter takes root";
	}
	return isExecutable(program) ? undefined : "klais-xdp is not built (npm run setup:live builds it)";
}

function rowsOf(stdout: string): BenchRow[] {
	try {
		const lines = stdout.split("\n").filter((line) => line.trim() !== "");
		return lines.map((line) => parsed(recordSchema, line, "a record"));
	} catch (error) {
		throw new LiveFault("run", `klais-xdp printed what is no record: ${(error as Error).message}`);
	}
}

function costsOf(rows: readonly BenchRow[]): KernelCosts {
	const cost = (key: keyof KernelCosts): number => {
		const found = rows.filter(({ name }) => ROWS[key].test(name));
		if (found.length === 0) {
			throw new LiveFault("run", `klais-xdp measured nothing that ${key} could be read off (${ROWS[key]})`);
		}
		return Math.max(0, ...found.map(({ samples }) => Math.round(median(samples))));
	};
	return {
		helloPassNanos: cost("helloPassNanos"),
		helloDeferNanos: cost("helloDeferNanos"),
		helloDropNanos: cost("helloDropNanos"),
		dataPassNanos: cost("dataPassNanos"),
		dataDropNanos: cost("dataDropNanos"),
	};
}
