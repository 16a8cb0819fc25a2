import { rmSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { linearRegression, median } from "simple-statistics";
import { x } from "tinyexec";
import type { Calibration } from "../scenarios/calibration.js";
import type { UserSpaceCosts } from "../scenarios/frame-costs.js";
import { CalibrationGateway, type CalibrationStats } from "./calibration-gateway.js";
import {
	CALIBRATION_LOADS,
	type CalibrationLoad,
	calibrationCuts,
	calibrationFleet,
	calibrationGateway,
} from "./calibration-loads.js";
import { parseFleetReport } from "./fleet-report.js";
import { complaint, LiveFault } from "./live-fault.js";
import { FLEET_PROGRAM, GATEWAY_PROGRAM } from "./machine.js";

/** Beyond what a load is to take. */
const PATIENCE_MILLIS = 20_000;
/** More of the HELLOs than this were told to come back: what was timed is no session. */
const DEFERRED_SHARE_MAX = 0.01;

/** What is measured with, and how long. */
export interface CalibrationOrder {
	/** The folder of the programs. */
	readonly programs: string;
	/** Of one load, once. */
	readonly seconds: number;
	/** How often each load is measured; the middle counts. */
	readonly rounds: number;
}

export interface CalibrationControl {
	say(text: string): void;
	/** Aborted: end everything, at once. */
	readonly signal: AbortSignal;
}

/** One load, once. */
interface Sample {
	readonly load: CalibrationLoad;
	/** Of one frame of the load. */
	readonly nanos: number;
	readonly samples: number;
	readonly framesPerSecond: number;
}

/**
 * Measures what frames cost a gateway process: a daemon on loopback under an open load of one kind of frame at a time, and
 * the daemon's own account of its CPU time. Needs no privileges. Throws a `LiveFault` when the programs do not do what
 * they should; nothing is left behind.
 */
export async function measureUserSpace(
	order: CalibrationOrder,
	control: CalibrationControl,
): Promise<Pick<Calibration, "userSpace" | "load">> {
	const folder = await mkdtemp(join(tmpdir(), `klais-calibrate-${process.pid}-`));
	const clean = () => rmSync(folder, { recursive: true, force: true });
	process.once("exit", clean);
	try {
		const samples: Sample[] = [];
		for (let round = 1; round <= order.rounds; round++) {
			for (const load of CALIBRATION_LOADS) {
				const sample = await measure(load, order, control, folder);
				const what = load.kind === "data" ? `DATA, readings in it ${load.readings}` : "HELLO";
				control.say(`${what}: ${Math.round(sample.nanos)} ns (round ${round} of ${order.rounds})`);
				samples.push(sample);
			}
		}
		return { userSpace: costsOf(samples), load: loadOf(samples, order) };
	} finally {
		process.off("exit", clean);
		await rm(folder, { recursive: true, force: true });
	}
}

async function measure(
	load: CalibrationLoad,
	order: CalibrationOrder,
	control: CalibrationControl,
	folder: string,
): Promise<Sample> {
	control.signal.throwIfAborted();
	const config = join(folder, "gateway.json");
	await writeFile(config, JSON.stringify(calibrationGateway()));
	// A daemon of its own for each load: its account runs from its start.
	const { gateway, listen } = await CalibrationGateway.start(join(order.programs, GATEWAY_PROGRAM), config);
	try {
		const frames = await runFleet(load, listen, order, control, folder);
		const { service, gateway: counts } = await gateway.stats();
		if (counts.deferred > counts.hellos * DEFERRED_SHARE_MAX) {
			throw new LiveFault("run", `klais-gatewayd deferred ${counts.deferred} of ${counts.hellos} HELLOs`);
		}
		const framesPerSecond = frames / order.seconds;
		return { load, nanos: nanosOf(load, service), samples: service.samples, framesPerSecond };
	} finally {
		await gateway.stop();
	}
}

/** Sends the load: how many frames. */
async function runFleet(
	load: CalibrationLoad,
	gateway: string,
	order: CalibrationOrder,
	{ signal }: CalibrationControl,
	folder: string,
): Promise<number> {
	const [config, transitions, report] = ["fleet.json", "transitions.csv", "report.json"].map((name) =>
		join(folder, name),
	) as [string, string, string];
	const fleet = calibrationFleet(load, gateway, order.seconds);
	await writeFile(config, JSON.stringify({ ...fleet, transitions, report }));
	await writeFile(transitions, calibrationCuts(load, order.seconds));
	await rm(report, { force: true });
	const timeout = order.seconds * 1_000 + PATIENCE_MILLIS;
	const { exitCode, stderr } = await x(join(order.programs, FLEET_PROGRAM), ["--config", config], {
		signal,
		timeout,
	});
	signal.throwIfAborted();
	if (exitCode !== 0) {
		const end = exitCode === undefined ? "did not end by itself" : `ended with ${exitCode}`;
		throw new LiveFault("run", `klais-fleet ${end}: ${complaint(stderr)}`);
	}
	try {
		return parseFleetReport(await readFile(report, "utf8")).framesSent;
	} catch (error) {
		throw new LiveFault("run", `klais-fleet left no report: ${(error as Error).message}`);
	}
}

/** What a frame of the load cost. Frames of one size are all that there was, so both parts of the fit are theirs. */
function nanosOf(load: CalibrationLoad, service: CalibrationStats["service"]): number {
	const { helloNanos, dataNanos, readingNanos } = service;
	if (helloNanos === null || dataNanos === null || readingNanos === null) {
		throw new LiveFault("run", "klais-gatewayd timed too little: is the machine too busy for the load?");
	}
	const nanos = load.kind === "data" ? dataNanos + load.readings * readingNanos : helloNanos;
	if (nanos === 0) {
		throw new LiveFault(
			"run",
			`klais-gatewayd found no cost of ${load.kind}: is the machine too busy for the load?`,
		);
	}
	return nanos;
}

/** The line through the costs of DATA of several sizes, and the middle of those of HELLO. */
function costsOf(samples: readonly Sample[]): UserSpaceCosts {
	const points = CALIBRATION_LOADS.flatMap((load) =>
		load.kind === "data" ? [[load.readings, middle(samples, load)]] : [],
	);
	const { m, b } = linearRegression(points);
	// Readings so cheap that noise alone decides the slope cost nothing.
	const flat = m < 0 ? { m: 0, b: median(points.map(([, nanos = 0]) => nanos)) } : { m, b };
	const sessions = CALIBRATION_LOADS.filter(({ kind }) => kind === "sessions");
	return {
		helloNanos: Math.round(median(sessions.map((load) => middle(samples, load)))),
		dataNanos: Math.max(0, Math.round(flat.b)),
		readingNanos: Math.round(flat.m),
	};
}

function middle(samples: readonly Sample[], load: CalibrationLoad): number {
	return median(samples.filter((sample) => sample.load === load).map(({ nanos }) => nanos));
}

function loadOf(samples: readonly Sample[], { seconds, rounds }: CalibrationOrder): Calibration["load"] {
	return {
		framesPerSecond: Math.round(median(samples.map(({ framesPerSecond }) => framesPerSecond))),
		seconds: Math.round(seconds * rounds * CALIBRATION_LOADS.length),
		rounds,
		samples: samples.reduce((sum, sample) => sum + sample.samples, 0),
	};
}
