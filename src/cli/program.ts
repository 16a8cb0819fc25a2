import { Command } from "commander";
import type { CalibrateFlags } from "./calibrate-command.js";
import { EXIT, type ExitCode } from "./exit-codes.js";
import { addGate } from "./gate-options.js";
import type { ImportFlags } from "./import-command.js";
import type { LiveFlags } from "./live-flags.js";
import type { MergeFlags } from "./merge-command.js";
import type { ReportFlags } from "./report-command.js";
import type { RunFlags } from "./run-flags.js";
import type { SchemaFlags } from "./schema-command.js";
import type { SweepFlags } from "./sweep/flags.js";
import { toolVersion } from "./tool-facts.js";

const EXAMPLES = `
Examples:
  klais list                                        what can be run
  klais run smoke                                   two thousand devices, a few seconds
  klais run psps-2019-10-25 --policy klais          a million devices through a real restoration
  klais run incidents                               a suite: everything that went wrong elsewhere, in small
  klais init my-fleet.yaml                          a commented scenario to start from
  klais run my-fleet.yaml --set broker.capacity=5000/s --seed 7
  klais live restart-100k                           the same as real packets (Linux, root)
  klais import outage.csv --name my-city            an outage trace becomes a scenario
  klais report results/latest/results.json          render a stored record again
  klais bench --quick                               does everything measurable work here?

Exit codes: 0 passed, 1 a run failed its verdict, 2 bad usage or input, 130 stopped by Ctrl-C.`;

const RUN_EXAMPLES = `
Examples:
  klais run smoke gateway-restart --policy none,klais
  klais run psps-2019-10-25 --devices 100000 --workers 2
  klais run smoke --set devices.firmware.backoff=full-jitter --set broker.capacity=200/s
  klais run ci --reporter junit,github              a suite of scenarios, each judged by what it expects
  klais run suite:smoke                             the suite, where a scenario has the same name

Results of an earlier run in the same folder are replaced. The last line on stdout is the report's path.`;

const SWEEP_EXAMPLES = `
Examples:
  klais sweep sessions.yaml                                         on these cores
  klais sweep sessions.yaml --queue redis://10.0.0.5                by whoever works at that queue
  klais sweep --worker --queue redis://10.0.0.5                     such a worker, on any machine`;

const MERGE_EXAMPLES = `
Examples:
  klais run smoke gateway-restart --shard 1/2 --out shards/1        on one machine
  klais run smoke gateway-restart --shard 2/2 --out shards/2        on another
  klais merge shards                                                as if one had done it all

A shard that is missing, there twice, or of another version, seed or configuration is refused.`;

const LIVE_EXAMPLES = `
Examples:
  klais live live-smoke                             does it work on this machine? ten seconds
  klais live restart-100k                           a hundred thousand devices, three minutes
  klais live smoke --set devices.link=lab --speed 60
  klais live live-smoke --sink kafka --fault kill-gateway@5s:gateway=1
  klais live --pcap capture.pcap

Before the first packet the same scenario is simulated: the report shows measured beside predicted.`;

const IMPORT_EXAMPLES = `
Examples:
  klais import outage.csv --name my-city --out scenarios
  klais import total.csv --outages outages.csv --source 'Utility X, public map' --capacity 2500/s`;

/** Every command, with its flags. What a command does is loaded when it runs: the others pay nothing for it. */
export function buildProgram(end: (code: ExitCode) => void): Command {
	const program = new Command("klais")
		.description(
			"Does your ingest survive a city coming back? Simulates a fleet, compares policies, writes reports.",
		)
		.version(toolVersion(), "-V, --version", "print the version")
		.helpOption("-h, --help", "print help")
		.showHelpAfterError("(klais --help, or klais COMMAND --help, shows how)")
		.exitOverride()
		.addHelpText("after", EXAMPLES);
	for (const add of [
		addRun,
		addSweep,
		addMerge,
		addLive,
		addList,
		addInit,
		addReport,
		addImport,
		addBench,
		addGate,
		addCalibrate,
		addDoctor,
		addSchema,
	]) {
		add(program, end);
	}
	return program;
}

type End = (code: ExitCode) => void;

function addRun(program: Command, end: End): void {
	program
		.command("run")
		.description("simulate scenarios and suites, by catalogue name or file")
		.argument("<scenario...>", "names of scenarios and suites (see klais list), or files that end in .yaml")
		.option("--policy <a,b>", "policies to compare: none, static, klais (default: the scenario's)", collect)
		.option("--seed <text>", "the seed of all chance (default: the scenario's)")
		.option("--devices <n>", "scale the whole scenario to this many devices")
		.option("--set <path=value>", "change a value of the scenario; may be repeated", collect)
		.option("--calibration <file>", "what frames cost where a scenario does not say (see klais calibrate)")
		.option("--workers <n>", "runs at a time (default: the cores, as far as memory goes)")
		.option("--shard <i/n>", "only the i-th of n parts, for n machines; klais merge joins them")
		.option("--durations <file>", "a results.json or history.ndjson whose durations balance the shards")
		.option("--out <dir>", "folder for the results", "results/latest")
		.option(
			"--reporter <a,b>",
			"md, html, png, comment, junit, github, json (default: md,html; json always)",
			collect,
		)
		.addHelpText("after", RUN_EXAMPLES)
		.action(async (names: string[], flags: RunFlags) =>
			end(await (await import("./run-command.js")).runCommand(names, flags)),
		);
}

function addSweep(program: Command, end: End): void {
	program
		.command("sweep")
		.description("simulate a grid of parameters x seeds x policies, on these cores or on a queue")
		.argument("[file]", "a sweep file (klais schema --sweep describes it)")
		.option("--calibration <file>", "what frames cost where a scenario does not say (see klais calibrate)")
		.option("--workers <n>", "runs at a time (default: the cores, as far as memory goes)")
		.option("--queue <url>", "a Redis whose workers do the runs, such as redis://127.0.0.1:6379")
		.option("--again", "with --queue: also the runs that it has records of; digests must be the same")
		.option("--worker", "with --queue: do the runs that others ask for, until stopped")
		.option("--idle <duration>", "with --worker: end after so long without a run, such as 30s")
		.option("--shard <i/n>", "only the i-th of n parts, for n machines; klais merge joins them")
		.option("--durations <file>", "a results.json or history.ndjson whose durations balance the shards")
		.option("--out <dir>", "folder for the results", "results/latest")
		.option(
			"--reporter <a,b>",
			"md, html, png, comment, junit, github, json (default: md,html; json always)",
			collect,
		)
		.addHelpText("after", SWEEP_EXAMPLES)
		.action(async (file: string | undefined, flags: SweepFlags) =>
			end(await (await import("./sweep/command.js")).sweepCommand(file, flags)),
		);
}

function addMerge(program: Command, end: End): void {
	program
		.command("merge")
		.description("join the records of all shards into that of the whole")
		.argument("<dir...>", "the --out of each shard, or a folder that holds them all")
		.option("--out <dir>", "folder for the results", "results/latest")
		.option(
			"--reporter <a,b>",
			"md, html, png, comment, junit, github, json (default: md,html; json always)",
			collect,
		)
		.addHelpText("after", MERGE_EXAMPLES)
		.action(async (dirs: string[], flags: MergeFlags) =>
			end(await (await import("./merge-command.js")).mergeCommand(dirs, flags)),
		);
}

function addLive(program: Command, end: End): void {
	program
		.command("live")
		.description("the same scenario as real packets, in network namespaces; Linux, as root")
		.argument("[scenario]", "a catalogue name (see klais list), or a file that ends in .yaml")
		.option("--policy <name>", "klais or static", "klais")
		.option("--seed <text>", "the seed of all chance (default: the scenario's)")
		.option("--devices <n>", "scale the whole scenario to this many devices")
		.option("--set <path=value>", "change a value of the scenario; may be repeated", collect)
		.option("--calibration <file>", "what frames cost in the prediction where a scenario does not say")
		.option("--speed <n>", "virtual seconds per second of real time", "1")
		.option("--xdp <mode>", "native, generic or off: where the filter runs", "native")
		.option("--flood <n>", "hostile frames per second beside the fleet's, or max")
		.option("--sink <name>", "mock or kafka: where gateways store readings", "mock")
		.option("--fault <fault>", "with Kafka: kind@time[:name=value,...]; may be repeated", collect)
		.option("--no-transactions", "with Kafka: a control that stores readings twice")
		.option("--compare [a,b]", "with Kafka: the same once more with plain kafkajs producers")
		.option("--pcap <file...>", "no scenario: run the packets of captures through the XDP program")
		.option("--json", "with --pcap: print as JSON")
		.option("--out <dir>", "folder for the results", "results/latest")
		.option(
			"--reporter <a,b>",
			"md, html, png, comment, junit, github, json (default: md,html; json always)",
			collect,
		)
		.addHelpText("after", LIVE_EXAMPLES)
		.action(async (name: string | undefined, flags: LiveFlags) =>
			end(await (await import("./live-command.js")).liveCommand(name, flags)),
		);
}

function addList(program: Command, end: End): void {
	program
		.command("list")
		.description("the scenarios and suites that come with klais")
		.option("--json", "print as JSON")
		.action(async (flags: { json?: boolean }) =>
			end(await (await import("./list-command.js")).listCommand(flags)),
		);
}

function addInit(program: Command, end: End): void {
	program
		.command("init")
		.description("write a commented scenario that runs as it is, to start from")
		.argument("[file]", "the scenario file to write", "my-fleet.yaml")
		.action(async (file: string) => end((await import("./init-command.js")).initCommand(file)));
}

function addReport(program: Command, end: End): void {
	program
		.command("report")
		.description("render a stored results.json again")
		.argument("<file>", "a results.json")
		.option("--history <file>", "note the record in this .ndjson, a line a commit, and show the trend")
		.option("--date <day>", "with --history: the day to note (default: today)")
		.option("--out <dir>", "folder for the reports (default: the file's own)")
		.option(
			"--reporter <a,b>",
			"md, html, png, comment, junit, github, json (default: md,html; json always)",
			collect,
		)
		.action(async (file: string, flags: ReportFlags) =>
			end(await (await import("./report-command.js")).reportCommand(file, flags)),
		);
}

function addImport(program: Command, end: End): void {
	program
		.command("import")
		.description("make a scenario of an outage trace (CSV)")
		.argument("<trace.csv>", "a CSV file with a time and a customers-out column")
		.option("--outages <file>", "the utility's list of outages, for the sizes of lumps")
		.option("--name <name>", "the scenario's name (default: made of the file's)")
		.option("--title <text>", "one line for the catalogue")
		.option("--teaches <text>", "what the scenario teaches")
		.option("--source <text>", "where the trace comes from; may be repeated", collect)
		.option("--time-column <name>", "the column with the time (default: guessed)")
		.option("--out-column <name>", "the column with the customers out (default: guessed)")
		.option("--firmware <profile>", "smart-meter, tracker, sensor or gateway-box")
		.option("--link <profile>", "lte-m, nb-iot, wifi, ethernet or lab")
		.option("--gateways <n>", "gateways of the cluster (default: 4)")
		.option("--sessions <n>", "sessions per second of one gateway (default: the fleet in 20 minutes)")
		.option("--capacity <n>", "readings per second of the broker (default: twice the live load)")
		.option("--spread", "spread returns over each step, in place of one lump at its end")
		.option("--detect-glitches", "find and drop glitches where the file does not mark them")
		.option("--out <dir>", "folder for the scenario", ".")
		.option("--force", "replace files that are there already")
		.addHelpText("after", IMPORT_EXAMPLES)
		.action(async (trace: string, flags: ImportFlags) =>
			end(await (await import("./import-command.js")).importCommand(trace, flags)),
		);
}

function addBench(program: Command, end: End): void {
	program
		.command("bench")
		.description("measure the simulator and the native modules, with peers beside them")
		.option("--only <a,b>", "groups by name (default: all)", collect)
		.option("--quick", "small sizes: shows that it works, not how fast it is")
		.option("--trace <file>", "an outage trace for forecast, NAME_total.csv; may be repeated", collect)
		.option("--json <file>", "where the records go (default: bench.json in the folder)")
		.option("--out <dir>", "folder for the records", "results/latest")
		.action(async ({ only, trace, quick = false, ...rest }: BenchFlags) => {
			const names = only?.flatMap((list) => list.split(",").map((name) => name.trim()));
			const options = {
				...rest,
				quick,
				...(names === undefined ? {} : { only: names }),
				...(trace === undefined ? {} : { traces: trace }),
			};
			end(await (await import("./bench-command.js")).runBench(options));
		});
}

function addCalibrate(program: Command, end: End): void {
	program
		.command("calibrate")
		.description("measure what frames cost a gateway here, for klais run --calibration; Linux")
		.option("--out <file>", "the calibration file to write", "calibration.yaml")
		.option("--quick", "short: shows that it works, not how fast it is")
		.action(async (flags: CalibrateFlags) =>
			end(await (await import("./calibrate-command.js")).calibrateCommand(flags)),
		);
}

interface BenchFlags {
	readonly only?: readonly string[];
	readonly trace?: readonly string[];
	readonly quick?: boolean;
	readonly json?: string;
	readonly out: string;
}

function addDoctor(program: Command, end: End): void {
	program
		.command("doctor")
		.description("what this machine can run, and how to get the rest")
		.action(async () => end(await (await import("./doctor-command.js")).doctorCommand()));
}

function addSchema(program: Command, end: End): void {
	program
		.command("schema")
		.description("the JSON Schema of a scenario file, for editors")
		.option("--results", "that of a results file instead")
		.option("--sweep", "that of a sweep file instead")
		.option("--suite", "that of a suite file instead")
		.action(async (flags: SchemaFlags) =>
			end(await (await import("./schema-command.js")).schemaCommand(flags)),
		);
}

function collect(value: string, earlier: readonly string[] = []): readonly string[] {
	return [...earlier, value];
}

/** Commander's exit codes, as ours: help and version pass, everything else is bad usage. */
export function exitCodeOf(commanderCode: number): ExitCode {
	return commanderCode === 0 ? EXIT.passed : EXIT.usage;
}
