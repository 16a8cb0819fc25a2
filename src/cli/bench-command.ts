import { join } from "node:path";
import type { BenchRecord, ResultsFile } from "../record/run-record.js";
import { serialiseResults } from "../record/write-results.js";
import { didYouMean } from "../scenarios/did-you-mean.js";
import { dam } from "./bench/dam.js";
import { dropPeers } from "./bench/drop-peers.js";
import { engineStorm } from "./bench/engine-storm.js";
import { load, machine } from "./bench/environment.js";
import { forecast } from "./bench/forecast.js";
import { gatewayService } from "./bench/gateway-service.js";
import type { Group } from "./bench/group.js";
import { hold } from "./bench/hold.js";
import { kafka } from "./bench/kafka.js";
import { nativeStep } from "./bench/native-step.js";
import { swarm } from "./bench/swarm.js";
import { sweep } from "./bench/sweep.js";
import { renderTable } from "./bench/table.js";
import { turnaround } from "./bench/turnaround.js";
import { xdp } from "./bench/xdp.js";
import { EXIT, type ExitCode } from "./exit-codes.js";
import { hostFacts } from "./host-facts.js";
import { shellCommand } from "./shell-command.js";
import { formatUserError, print, refuse, say } from "./talk.js";
import { toolFacts } from "./tool-facts.js";
import { probeFile, writeWholeFile } from "./whole-file.js";

/** What can be measured, by the name that `--only` takes. */
const GROUPS: Readonly<Record<string, Group>> = {
	"engine-storm": engineStorm,
	hold,
	dam,
	xdp,
	"drop-peers": dropPeers,
	"gateway-service": gatewayService,
	swarm,
	"native-step": nativeStep,
	turnaround,
	sweep,
	kafka,
	forecast,
};

const DEFAULT_OUT = join("results", "latest");
const FILE_NAME = "bench.json";
const WRITE_ADVICE = "name another place with --out or --json";

/** What the user asked for. */
export interface BenchOptions {
	/** The file to write instead of `<out>/bench.json`. */
	readonly json?: string;
	/** Small sizes: shows that it works, not how fast it is. */
	readonly quick: boolean;
	/** Groups by name; all when there are none. */
	readonly only?: readonly string[];
	/** Outage traces, `NAME_total.csv`, for the group `forecast`. */
	readonly traces?: readonly string[];
	readonly out?: string;
}

/** Measures, prints tables, and writes the records: the exit code. */
export async function runBench(options: BenchOptions): Promise<ExitCode> {
	const known = Object.keys(GROUPS);
	const names = options.only === undefined || options.only.length === 0 ? known : [...new Set(options.only)];
	const unknown = names.find((name) => !Object.hasOwn(GROUPS, name));
	if (unknown !== undefined) {
		const hint = didYouMean(unknown, known);
		const message = `there is no benchmark "${unknown}": expected ${known.join(", ")}.${hint}`;
		return refuse([{ kind: "usage", message, file: "--only" }]);
	}
	const file = options.json ?? join(options.out ?? DEFAULT_OUT, FILE_NAME);
	const unwritable = await probeFile(file, WRITE_ADVICE);
	if (unwritable !== undefined) {
		return refuse([unwritable]);
	}
	const before = load();
	const records: BenchRecord[] = [];
	const failures: string[] = [];
	for (const name of names) {
		const measured = await measure(name, options);
		records.push(...measured.records);
		failures.push(...measured.failures);
	}
	print(circumstances(before, options.quick));
	const problem = await writeWholeFile(
		file,
		serialiseResults(await resultsOf(records, names, options)),
		WRITE_ADVICE,
	);
	if (problem !== undefined) {
		return refuse([problem]);
	}
	for (const failure of failures) {
		say(formatUserError({ kind: "usage", message: failure }));
	}
	print(file);
	return failures.length === 0 ? EXIT.passed : EXIT.failed;
}

/** A group that fails does not take the others with it. */
async function measure(name: string, { quick, traces = [] }: BenchOptions) {
	try {
		const context = { quick, traces, say: (line: string) => say(`${name}: ${line}`) };
		const { records, tables, notes, failures } = await (GROUPS[name] as Group)(context);
		print([...tables.map(renderTable), ...notes.map((note) => `- ${note}`), ""].join("\n"));
		return { records, failures };
	} catch (error) {
		const reason = error instanceof Error ? error.message : String(error);
		return { records: [], failures: [`${name}: not measured: ${reason}`] };
	}
}

/** Figures without their circumstances are worth little. */
function circumstances(before: string, quick: boolean): string {
	const { cpu, cores } = machine();
	const small = quick ? " Quick runs at small sizes show that it works, not how fast it is." : "";
	return (
		`Measured on ${cores} cores of ${cpu}, a machine shared with whatever else ran there (load average ${before} ` +
		`before, ${load()} after): the best sample is nearest to what the code costs, the median is what a busy machine ` +
		`makes of it. Compare only figures of one run.${small}`
	);
}

/** A record like any other, so that whoever reads results.json can read it. */
async function resultsOf(
	bench: readonly BenchRecord[],
	names: readonly string[],
	{ quick, traces = [] }: BenchOptions,
): Promise<ResultsFile> {
	// As in a run's record: where the file went is no part of what was measured.
	const flags = quick ? ["--quick"] : [];
	const given = traces.flatMap((file) => ["--trace", file]);
	const command = shellCommand(["klais", "bench", "--only", names.join(","), ...given, ...flags]);
	const [tool, host] = [await toolFacts(), await hostFacts()];
	return { schema: "klais.results/1", tool, host, command, partial: false, runs: [], bench, live: [] };
}
