import { setMaxListeners } from "node:events";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { measureUserSpace } from "../live/calibration.js";
import { measureKernel } from "../live/calibration-kernel.js";
import { LiveFault } from "../live/live-fault.js";
import { FLEET_PROGRAM, GATEWAY_PROGRAM, isExecutable } from "../live/machine.js";
import { type Calibration, loadCalibration, shippedCalibration } from "../scenarios/calibration.js";
import { calibrationYaml } from "../scenarios/calibration-yaml.js";
import { ok, type Result } from "../units/result.js";
import type { UserError } from "../units/user-error.js";
import { calibrationTable } from "./calibration-table.js";
import { EXIT, type ExitCode } from "./exit-codes.js";
import { hostFacts } from "./host-facts.js";
import { programsFolder } from "./native-programs.js";
import { StopSignals } from "./stop-signals.js";
import { print, refuse, say, warn } from "./talk.js";
import { toolVersion } from "./tool-facts.js";
import { probeFile, writeWholeFile } from "./whole-file.js";

/** The flags of `klais calibrate` as the command line has them. */
export interface CalibrateFlags {
	readonly out: string;
	readonly quick?: boolean;
}

const FULL = { seconds: 5, rounds: 3 };
/** Long enough for the gateway to time some stretches of work. */
const QUICK = { seconds: 2, rounds: 1 };
const WRITE_ADVICE = "name another place with --out";

/** `klais calibrate`: measures what frames cost a gateway here, and writes the file that `klais run --calibration` takes. */
export async function calibrateCommand({ out, quick = false }: CalibrateFlags): Promise<ExitCode> {
	const before = calibrationBefore(out);
	if (!before.ok) {
		return refuse(before.error);
	}
	const refusals = programRefusals(programsFolder());
	const unwritable = refusals.length > 0 ? undefined : await probeFile(out, WRITE_ADVICE);
	if (refusals.length > 0 || unwritable !== undefined) {
		return refuse([...refusals, ...(unwritable === undefined ? [] : [unwritable])]);
	}
	const stop = new AbortController();
	// Every program that is started listens to it, and stays on the list.
	setMaxListeners(0, stop.signal);
	const signals = new StopSignals(
		() => {
			say("stopping: nothing will be written");
			stop.abort();
		},
		() => undefined,
	);
	try {
		const calibration = await measure(quick, stop.signal);
		const problem = await writeWholeFile(out, calibrationYaml(calibration), WRITE_ADVICE);
		if (problem !== undefined) {
			return refuse([problem]);
		}
		print(calibrationTable(before.value, calibration));
		print(out);
		return EXIT.passed;
	} catch (error) {
		if (signals.exitCode !== undefined) {
			return signals.exitCode;
		}
		if (error instanceof LiveFault) {
			return refuse([{ kind: "unsupported", message: `nothing was written: ${error.message}` }]);
		}
		throw error;
	} finally {
		signals.release();
	}
}

/** What the new one is held against: the file that it replaces, else the one that comes with the software. */
function calibrationBefore(out: string): Result<Calibration, readonly UserError[]> {
	// A file that is something else was named by mistake, and is not replaced.
	return existsSync(out) ? loadCalibration(out) : ok(shippedCalibration());
}

function programRefusals(programs: string): UserError[] {
	return [GATEWAY_PROGRAM, FLEET_PROGRAM]
		.map((name) => join(programs, name))
		.filter((file) => !isExecutable(file))
		.map((file) => ({
			kind: "not-found",
			file,
			message: "no such program: npm run setup:live builds it",
		}));
}

async function measure(quick: boolean, signal: AbortSignal): Promise<Calibration> {
	const programs = programsFolder();
	const control = { say, signal };
	const host = hostFacts();
	const userSpace = await measureUserSpace({ programs, ...(quick ? QUICK : FULL) }, control);
	say("the filter in the kernel, verdict by verdict");
	const kernel = await measureKernel(programs, quick, control);
	const { cpu, cores, kernel: release } = await host;
	const shipped = shippedCalibration();
	const kept = `kept from the calibration of ${shipped.host.cpu}, ${shipped.date}`;
	if (!kernel.ok) {
		warn(`kernel costs are ${kept}: ${kernel.error}`);
	}
	return {
		version: toolVersion(),
		date: new Date().toISOString().slice(0, 10),
		host: { cpu, cores, kernel: release },
		...userSpace,
		kernel: kernel.ok ? kernel.value : shipped.kernel,
		kernelFrom: kernel.ok
			? `klais-xdp bench${quick ? " --quick" : ""}`
			: `${kept}: ${kernel.error}`.slice(0, 500),
	};
}
