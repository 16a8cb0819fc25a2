import { existsSync } from "node:fs";
import type { BenchRecord } from "../../record/run-record.js";
import { runToEnd, SampleProcess } from "./children.js";
import { machine } from "./environment.js";
import type { Group, GroupContext } from "./group.js";
import { HOLD_TICKS } from "./hold-delays.js";
import { at } from "./places.js";
import { best, interleave } from "./samples.js";
import { amount, RECORD_HEAD, recordRow, size } from "./table.js";

interface HoldSample {
	readonly events: number;
	readonly cpuMicros: number;
}

interface Peer {
	readonly name: string;
	readonly command: string;
	readonly args: readonly string[];
	/** Larger ones take minutes to set up, or more memory than a small machine has. */
	readonly pendingMax: number;
	/** Events per sample, about; and before the first one. */
	readonly eventsPerSample: number;
	readonly eventsToWarm: number;
}

const SIMPY = "4.1.2";
const SIMPY_FOLDER = at(`bench/.cache/simpy-${SIMPY}`);
const SIMPY_PYTHON = `${SIMPY_FOLDER}/bin/python3`;
const INSTALL_MILLIS = 120_000;

const SIZES: readonly number[] = [100_000, 1_000_000, 10_000_000];
const QUICK_SIZES: readonly number[] = [10_000];
const ROUNDS = 5;
const QUICK_ROUNDS = 2;

/** The engine's own event queue beside others, on the model that event queues are compared by. */
export const hold: Group = async (context) => {
	const { peers, notes } = await available(context);
	const records: BenchRecord[] = [];
	for (const pending of context.quick ? QUICK_SIZES : SIZES) {
		records.push(...(await compare(pending, peers, context)));
	}
	const rows = records.map((record) => [
		...recordRow(record, record.name.replace(/^hold, /, "")),
		timesOurs(record, records),
	]);
	return {
		records,
		tables: [
			{
				title: "Hold model: each event that fires is scheduled again, at a seeded random delay",
				head: [...RECORD_HEAD, "times ours"],
				rows,
			},
		],
		notes: [
			`Delays are uniform from 1 to ${HOLD_TICKS} ticks, from one table for all; CPU time of the whole process, its compiler and collector included. All contenders of a size are set up, warm, and sampled in turn.`,
			...notes,
		],
		failures: [],
	};
};

async function compare(
	pending: number,
	peers: readonly Peer[],
	{ quick, say }: GroupContext,
): Promise<BenchRecord[]> {
	const running = peers
		.filter(({ pendingMax }) => pending <= pendingMax)
		.map((peer) => start(peer, pending, quick));
	try {
		say(`${size(pending)} pending: setting up ${running.map(({ name }) => name).join(", ")}`);
		for (const peer of running) {
			await peer.ready();
		}
		const taken = await interleave(running, quick ? QUICK_ROUNDS : ROUNDS, say);
		return running.map(({ name }, n) => ({
			name: `hold, ${name}`,
			unit: "ns/event",
			better: "lower",
			samples: (taken[n] ?? []).map(({ events, cpuMicros }) => (cpuMicros * 1_000) / Math.max(1, events)),
			environment: {
				...machine(),
				pending: String(pending),
				eventsPerSample: String(taken[n]?.[0]?.events ?? 0),
				time: "CPU time, all threads of the process",
			},
		}));
	} finally {
		for (const peer of running) {
			peer.stop();
		}
	}
}

function start(peer: Peer, pending: number, quick: boolean): SampleProcess<HoldSample> {
	const ticks = (events: number, share: number) =>
		Math.max(1, Math.round((share * events * HOLD_TICKS) / 2 / pending));
	// A quick sample must still be long against the 10 ms in which some systems count CPU time.
	const [sample, warm] = quick ? [0.5, 0.05] : [1, 1];
	const args = [...peer.args, pending, ticks(peer.eventsPerSample, sample), ticks(peer.eventsToWarm, warm)];
	return new SampleProcess(`${peer.name}, ${size(pending)} pending`, peer.command, args.map(String));
}

function timesOurs(record: BenchRecord, records: readonly BenchRecord[]): string {
	const ours = records.find((r) => r.environment["pending"] === record.environment["pending"]);
	return ours === undefined || ours === record ? "" : amount(best(record) / best(ours));
}

async function available({ quick, say }: GroupContext): Promise<{ peers: Peer[]; notes: string[] }> {
	const peers: Peer[] = [
		{
			name: "klais wheels",
			command: process.execPath,
			args: [at("dist/cli/bench/hold-child.js")],
			pendingMax: Number.POSITIVE_INFINITY,
			eventsPerSample: 20_000_000,
			eventsToWarm: 30_000_000,
		},
	];
	const notes: string[] = [];
	const java = await runToEnd("java", ["-version"]).catch(() => undefined);
	if (java === undefined) {
		notes.push("Skipped: java.util.PriorityQueue, as there is no working `java` (17 or newer).");
	} else {
		peers.push({
			name: "Java PriorityQueue",
			command: "java",
			args: ["-Xmx2g", at("bench/peers/HoldPriorityQueue.java")],
			pendingMax: Number.POSITIVE_INFINITY,
			eventsPerSample: 1_000_000,
			eventsToWarm: 1_000_000,
		});
	}
	const missing = await simpyMissing(quick, say);
	if (missing !== undefined) {
		notes.push(`Skipped: SimPy, as ${missing}.`);
		return { peers, notes };
	}
	notes.push("Skipped: SimPy at 10 M pending, where its generators alone would take more than 5 GB.");
	peers.push({
		name: `SimPy ${SIMPY}`,
		command: SIMPY_PYTHON,
		args: [at("bench/peers/hold_simpy.py")],
		pendingMax: 1_000_000,
		eventsPerSample: 200_000,
		eventsToWarm: 200_000,
	});
	return { peers, notes };
}

/** Installs SimPy into the bench's own folder unless it is there: undefined, or why not. */
async function simpyMissing(quick: boolean, say: (line: string) => void): Promise<string | undefined> {
	const probe = () => runToEnd(SIMPY_PYTHON, ["-c", "import simpy"]);
	if (existsSync(SIMPY_PYTHON) && (await probe().catch(() => undefined)) !== undefined) {
		return undefined;
	}
	if (quick) {
		return "it is not installed, and a quick run installs nothing (`klais bench --only hold` does)";
	}
	say(`installing SimPy ${SIMPY} into ${SIMPY_FOLDER}`);
	try {
		await runToEnd("python3", ["-m", "venv", "--clear", SIMPY_FOLDER], INSTALL_MILLIS);
		const install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", `simpy==${SIMPY}`];
		await runToEnd(SIMPY_PYTHON, install, INSTALL_MILLIS);
		await probe();
		return undefined;
	} catch (error) {
		return `it could not be installed (${error instanceof Error ? error.message : String(error)})`;
	}
}
