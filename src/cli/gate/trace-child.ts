// One run of another build, with everything that passes between the world and the native library hashed on its way:
// `node trace-child.js TASK` (see trace-task.ts). It imports nothing of this build, and of the other only what runs a scenario.
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import {
	CHECKPOINT_CALLS,
	RECORDS_MAX,
	type TraceCall,
	type TraceHashes,
	type TraceTask,
} from "./trace-task.js";

const INTS = 8;

/** The arrays that a fleet or a cluster works on. */
interface Arrays {
	readonly inbox: Int32Array;
	readonly outbox: Int32Array;
	readonly third: Float64Array | Uint8Array;
	readonly counts: Float64Array;
}

/** Hashes calls as they come, and keeps what the task wants. */
class Recorder {
	private first = 0x811c9dc5 | 0;
	private second = 0x9e3779b9 | 0;
	private calls = 0;
	private records = 0;
	private readonly hashes: number[] = [];
	private current: { -readonly [K in keyof TraceCall]: TraceCall[K] } | undefined;

	constructor(private readonly want: TraceTask["want"]) {}

	begin(name: string, horizonMicros: number): void {
		const isWanted = this.want.what === "call" && this.want.call === this.calls;
		this.current = isWanted
			? {
					name,
					horizonMicros,
					given: [],
					answered: [],
					timers: [],
					verdicts: [],
					recordsBefore: this.records,
				}
			: undefined;
		this.add(horizonMicros | 0);
		for (let n = 0; n < name.length; n++) {
			this.add(name.charCodeAt(n));
		}
	}

	/** `count` records of an array, from record `first` on. */
	pass(way: "given" | "answered", words: Int32Array, first: number, count: number): void {
		this.add(count);
		for (let n = first * INTS; n < (first + count) * INTS; n++) {
			this.add(words[n] as number);
		}
		this.records += count;
		if (this.current !== undefined) {
			const kept = Math.min(count, RECORDS_MAX);
			this.current[way] = Array.from({ length: kept }, (_, n) => [
				...words.subarray((first + n) * INTS, (first + n + 1) * INTS),
			]);
		}
	}

	timers(pairs: Float64Array, count: number): void {
		const words = new Int32Array(pairs.buffer, pairs.byteOffset, count * 4);
		words.forEach((word) => {
			this.add(word);
		});
		if (this.current !== undefined) {
			const kept = Math.min(count, RECORDS_MAX);
			this.current.timers = Array.from({ length: kept }, (_, n) => [...pairs.subarray(2 * n, 2 * n + 2)]);
		}
	}

	verdicts(bytes: Uint8Array, count: number): void {
		for (let n = 0; n < count; n++) {
			this.add(bytes[n] as number);
		}
		if (this.current !== undefined) {
			this.current.verdicts = [...bytes.subarray(0, Math.min(count, RECORDS_MAX))];
		}
	}

	end(): void {
		const { want, calls } = this;
		this.calls++;
		if (this.current !== undefined) {
			finish(this.current);
		}
		const isKept =
			want.what === "checkpoints"
				? this.calls % CHECKPOINT_CALLS === 0
				: want.what === "calls" && calls >= want.from && calls < want.to;
		if (isKept) {
			this.hashes.push(this.first, this.second);
		}
		if (want.what === "calls" && this.calls === want.to) {
			finish({ hashes: this.hashes, calls: undefined, digest: undefined });
		}
	}

	/** The run is over. */
	whole(digest: string): TraceHashes | null {
		// A call that was asked for and never came.
		if (this.want.what === "call") {
			return null;
		}
		return { hashes: [...this.hashes, this.first, this.second], calls: this.calls, digest };
	}

	/** Two multiplicative hashes (FNV-1a by words, and one with other constants): a difference in 64 bits is not missed. */
	private add(word: number): void {
		this.first = Math.imul(this.first ^ word, 0x01000193);
		this.second = Math.imul(this.second + word, 0x85ebca6b) ^ (this.second >>> 15);
	}
}

function finish(answer: unknown): void {
	process.stdout.write(`${JSON.stringify(answer)}\n`, () => process.exit(0));
	// Nothing of the run may go on while the answer is on its way.
	throw new Finished();
}

class Finished extends Error {}

type Native = Record<string, (...args: never[]) => unknown>;

/** Puts a recorder between a build's engine and its native library. */
function tap(tree: string, recorder: Recorder): void {
	const require = createRequire(join(tree, "dist", "engine", "native.js"));
	const path = require.resolve("../../native/klais.node");
	const real = require(path) as Native;
	const call = (name: string, args: readonly unknown[]) =>
		(real[name] as (...all: unknown[]) => number)(...args);
	const known = new Map<string, Arrays>();
	const arraysOf = (kind: string, id: unknown) => known.get(`${kind} ${id}`) as Arrays;
	const words = (floats: Float64Array) => new Int32Array(floats.buffer, floats.byteOffset, floats.length * 2);
	const attach =
		(kind: string, name: string, third: 3 | 2) =>
		(...args: unknown[]) => {
			const outbox = args[third === 3 ? 2 : 3] as Float64Array;
			known.set(`${kind} ${args[0]}`, {
				inbox: words(args[1] as Float64Array),
				outbox: words(outbox),
				third: args[third] as Float64Array,
				counts: args[4] as Float64Array,
			});
			return call(name, args);
		};
	const step =
		(kind: "fleet" | "cluster", name: string) =>
		(...args: unknown[]) => {
			const { inbox, outbox, third, counts } = arraysOf(kind, args[0]);
			recorder.begin(name, args[1] as number);
			recorder.pass("given", inbox, 0, args[2] as number);
			const result = call(name, args);
			recorder.pass("answered", outbox, 0, counts[kind === "fleet" ? 1 : 0] as number);
			if (kind === "fleet") {
				recorder.timers(third as Float64Array, counts[2] as number);
			}
			recorder.end();
			return result;
		};
	const drain =
		(kind: string, name: string) =>
		(...args: unknown[]) => {
			recorder.begin(name, -1);
			const count = call(name, args);
			recorder.pass("answered", arraysOf(kind, args[0]).outbox, 0, count);
			recorder.end();
			return count;
		};
	const ingress = (...args: unknown[]) => {
		const { inbox, outbox, third } = arraysOf("cluster", args[0]);
		recorder.begin("clusterIngress", -1);
		recorder.pass("given", inbox, args[1] as number, args[2] as number);
		const answers = call("clusterIngress", args);
		recorder.pass("answered", outbox, 0, answers);
		recorder.verdicts(third as Uint8Array, args[2] as number);
		recorder.end();
		return answers;
	};
	(require.cache[path] as NodeJS.Module).exports = {
		...real,
		attachFleet: attach("fleet", "attachFleet", 3),
		stepFleet: step("fleet", "stepFleet"),
		drainFleet: drain("fleet", "drainFleet"),
		attachCluster: attach("cluster", "attachCluster", 2),
		clusterIngress: ingress,
		clusterHandle: step("cluster", "clusterHandle"),
		drainCluster: drain("cluster", "drainCluster"),
	};
}

type Engine = typeof import("../../engine/simulation.js");
type Loader = typeof import("../../scenarios/load-scenario.js");
type Histograms = typeof import("../../engine/collector.js");

async function trace(task: TraceTask): Promise<void> {
	const part = <T>(path: string) => import(pathToFileURL(join(task.tree, "dist", path)).href) as Promise<T>;
	const recorder = new Recorder(task.want);
	tap(task.tree, recorder);
	const [{ Simulation }, { loadScenario }, { prepareHistograms }] = await Promise.all([
		part<Engine>("engine/simulation.js"),
		part<Loader>("scenarios/load-scenario.js"),
		part<Histograms>("engine/collector.js"),
	]);
	await prepareHistograms();
	const scenario = loadScenario(task.scenario, task.overrides);
	if (!scenario.ok) {
		throw new Error(scenario.error.map(({ message }) => message).join("; "));
	}
	const simulation = new Simulation(scenario.value, task.policy as never);
	const record = simulation.run({ progress: () => undefined, stopped: () => false }, () => 0);
	process.stdout.write(`${JSON.stringify(recorder.whole(record.digest))}\n`);
}

try {
	await trace(JSON.parse(process.argv[2] ?? "{}") as TraceTask);
} catch (error) {
	if (!(error instanceof Finished)) {
		throw error;
	}
}
