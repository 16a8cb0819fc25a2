import { basename } from "node:path";
import { formatDuration } from "../units/duration.js";
import { MICROS_PER_SECOND, micros } from "../units/micros.js";
import { FIRMWARE_PROFILES, type FirmwareProfileName } from "./firmware-profiles.js";
import type { ImportOptions } from "./import-options.js";
import type { LinkProfileName } from "./link-profiles.js";
import { SCENARIO_SCHEMA_ID } from "./schema.js";

/** What the text of an imported scenario is made of. */
export interface ImportedFacts {
	readonly name: string;
	readonly options: ImportOptions;
	readonly devices: number;
	readonly durationSeconds: number;
	/** Seconds since 1970. */
	readonly startSeconds: number;
	readonly snapshots: number;
	readonly hasList: boolean;
	readonly minLump: number;
	readonly firmware: FirmwareProfileName;
	readonly link: LinkProfileName;
	readonly gateways: number;
	readonly helloMicros: number;
	readonly sessionsPerSecond: number;
	readonly capacityPerSecond: number;
}

/** The scenario file, with comments that say where each figure is from. Names files, never folders. */
export function importedYaml(facts: ImportedFacts): string {
	const { name, options, devices } = facts;
	const sources = options.sources ?? [];
	const lines = [
		...provenance(facts),
		`schema: ${SCENARIO_SCHEMA_ID}`,
		`name: ${name}`,
		`title: ${quoted(options.title ?? `Outage and restoration: ${name}`)}`,
		...(options.teaches === undefined ? [] : [`teaches: ${quoted(options.teaches)}`]),
		...(sources.length === 0 ? [] : ["sources:", ...sources.map((source) => `  - ${quoted(source)}`)]),
		"",
		`duration: ${formatDuration(micros(facts.durationSeconds * MICROS_PER_SECOND))} # the trace, from its first snapshot to its last`,
		"seed: klais",
		"",
		"devices:",
		`  count: ${grouped(devices)} # the peak of customers out`,
		...assumption(facts),
		`  firmware: ${facts.firmware}`,
		`  link: ${facts.link}`,
		"",
		...serverLines(facts),
		"",
		"outages:",
		`  - { kind: power, cohorts: ${name}.cohorts.csv }`,
		"",
		"policies: [none, klais]",
	];
	return `${lines.join("\n")}\n`;
}

function provenance(facts: ImportedFacts): string[] {
	const { options, hasList, minLump } = facts;
	const trace = basename(options.traceFile);
	const start = new Date(facts.startSeconds * 1_000).toISOString().replace(".000Z", "Z");
	const lumps = hasList
		? [
				`# Lumps are the utility's own outages (${basename(options.outagesFile ?? "")}), scaled to the change of the curve`,
				`# between two snapshots; lumps below ${minLump} premises are merged into one row that spreads over that step.`,
			]
		: ["# Each step of the trace is one row."];
	return [
		`# Imported from ${trace}: ${facts.snapshots} snapshots from ${start} on.`,
		"# Made with:",
		...importCommand(options).map((line) => `#   ${line}`),
		"# The cohorts add up to the trace at every snapshot. Who returns is not public: first out, first back.",
		...lumps,
	];
}

function assumption({ firmware }: ImportedFacts): string[] {
	const fields = FIRMWARE_PROFILES[firmware];
	const sensing =
		fields.backup === "sensing"
			? "the modem is off with the mains, the sensor reads on from its battery (the heavier case: the backlog grows)"
			: "the device is off with the mains";
	return [`  # Assumed: a row of the trace counts premises, and each has one ${firmware}; ${sensing}.`];
}

function serverLines(facts: ImportedFacts): string[] {
	const { devices, capacityPerSecond, gateways, sessionsPerSecond, helloMicros } = facts;
	const { readingIntervalMicros, readingBytes } = FIRMWARE_PROFILES[facts.firmware];
	const live = Math.round((devices * MICROS_PER_SECOND) / readingIntervalMicros);
	const minutes = Math.round(devices / (gateways * sessionsPerSecond) / 60);
	return [
		"gateways:",
		`  count: ${gateways}`,
		`  helloCpu: ${formatDuration(micros(helloMicros))} # assumed: one session costs a key look-up and a handshake`,
		"  dataCpu: 20us # assumed",
		"  readingCpuNanos: 1_000 # assumed",
		"  receiveQueueFrames: 4_096 # Linux: net.core.somaxconn",
		`  sinkQueueReadings: ${grouped(Math.floor(33_554_432 / readingBytes))} # Kafka producer: buffer.memory, 32 MiB of ${readingBytes} bytes`,
		"  commitInterval: 100ms # Kafka Streams: commit.interval.ms under exactly-once",
		"  sinkInFlightBatches: 5 # Kafka producer: max.in.flight.requests.per.connection",
		`  sinkBatchReadings: ${grouped(Math.floor(1_048_576 / readingBytes))} # Kafka producer: max.request.size, 1 MiB of ${readingBytes} bytes`,
		`  sessions: ${sessionsPerSecond}/s # the whole fleet in ${minutes} min`,
		"  slotWindow: 60s",
		"",
		"broker:",
		"  partitions: 16",
		"  nodes: 1",
		`  capacity: ${capacityPerSecond}/s # ${(capacityPerSecond / Math.max(1, live)).toFixed(1)} times the live load of ${grouped(live)}/s`,
		"  # Assumed for an idle broker that commits transactions at acks=all.",
		"  commitMin: 100ms",
		"  commitMedian: 120ms",
		"  commitP99: 200ms",
		"  requestTimeout: 30s # Kafka producer: request.timeout.ms",
		"  queuedRequests: 500 # Kafka broker: queued.max.requests",
	];
}

/** The command that repeats an import, with file names in place of paths, broken into lines as a shell takes them. */
function importCommand(options: ImportOptions): string[] {
	const flags: [string, string | number | undefined][] = [
		["--outages", options.outagesFile === undefined ? undefined : basename(options.outagesFile)],
		["--name", options.name],
		["--title", options.title],
		["--teaches", options.teaches],
		...(options.sources ?? []).map((source): [string, string] => ["--source", source]),
		["--time-column", options.timeColumn],
		["--out-column", options.outColumn],
		["--firmware", options.firmware],
		["--link", options.link],
		["--gateways", options.gateways],
		["--sessions", options.sessionsPerSecond],
		["--capacity", options.capacityPerSecond],
	];
	const given = flags.flatMap(([flag, value]) =>
		value === undefined ? [] : [`${flag} ${shellWord(String(value))}`],
	);
	const switches = [
		...(options.spread === true ? ["--spread"] : []),
		...(options.detectGlitches === true ? ["--detect-glitches"] : []),
	];
	const words = [`klais import ${shellWord(basename(options.traceFile))}`, ...given, ...switches];
	return words.map(
		(word, index) => `${index === 0 ? "" : "  "}${oneLine(word)}${index < words.length - 1 ? " \\" : ""}`,
	);
}

function shellWord(word: string): string {
	return /^[\w./:@%+-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/** A double-quoted YAML text; JSON's escapes are a part of YAML's. */
function quoted(text: string): string {
	return JSON.stringify(text);
}

/** Line breaks would end the comment that the text stands in. */
function oneLine(text: string): string {
	return text.replaceAll(/[\p{Cc}\u2028\u2029]+/gu, " ");
}

function grouped(value: number): string {
	return value.toLocaleString("en-US").replaceAll(",", "_");
}
