import { parseFault } from "../live/faults/parse-fault.js";
import type { PlannedFault } from "../live/faults/planned-fault.js";
import type { FloodRate } from "../live/flood.js";
import type { LiveSink } from "../live/live-order.js";
import { PLAIN_VARIANTS, type PlainVariant } from "../live/plain/plain-variant.js";
import type { XdpMode } from "../record/live-record.js";
import { err, ok, type Result } from "../units/result.js";
import type { UserError } from "../units/user-error.js";
import { FlagReader } from "./flags.js";
import { type RunRequest, readRunFlags } from "./run-flags.js";

/** The flags of `klais live` as the command line has them. */
export interface LiveFlags {
	readonly policy?: string;
	readonly seed?: string;
	readonly devices?: string;
	readonly set?: readonly string[];
	readonly speed?: string;
	readonly calibration?: string;
	readonly xdp?: string;
	readonly flood?: string;
	readonly sink?: string;
	readonly fault?: readonly string[];
	/** `--no-transactions` makes it false. */
	readonly transactions?: boolean;
	/** true: the usual ones. */
	readonly compare?: string | true;
	readonly pcap?: readonly string[];
	readonly json?: boolean;
	readonly out: string;
	readonly reporter?: readonly string[];
}

/** What `klais live` is asked to do: a scenario as real packets, or captures through the program alone. */
export type LiveRequest =
	| { readonly kind: "replay"; readonly files: readonly string[]; readonly json: boolean }
	| {
			readonly kind: "scenario";
			/** Of one scenario, under one policy. */
			readonly run: RunRequest;
			readonly speed: number;
			readonly xdp: XdpMode;
			readonly flood?: FloodRate;
			readonly sink: LiveSink;
			readonly faults: readonly PlannedFault[];
			readonly compare: readonly PlainVariant[];
	  };

const SINKS = ["mock", "kafka"] as const satisfies readonly LiveSink["kind"][];
const XDP_MODES = ["native", "generic", "off"] as const satisfies readonly XdpMode[];
/** Those that keep what they have been told. */
const USUAL_VARIANTS: readonly PlainVariant[] = ["kafkajs", "kafkajs-idempotent"];
const SPEED_MAX = 1_000;
const FLOOD_MAX = 10_000_000;

/** Checks the flags, all of them. */
export function readLiveFlags(name: string | undefined, flags: LiveFlags): Result<LiveRequest, UserError[]> {
	const reader = new FlagReader();
	if (flags.pcap !== undefined) {
		const files = flags.pcap.map((file) => reader.text("--pcap", file, "a capture file"));
		if (name !== undefined) {
			reader.reject("--pcap", "a capture needs no scenario: name one of the two");
		}
		return reader.errors.length > 0
			? err(reader.errors)
			: ok({ kind: "replay", files, json: flags.json === true });
	}
	if (flags.json === true) {
		reader.reject("--json", "prints what became of a capture: only with --pcap (a run has --reporter json)");
	}
	if (name === undefined) {
		reader.reject("scenario", "expected the name of a scenario or a file that ends in .yaml, or --pcap FILE");
	}
	const [policy = "klais", ...others] = (flags.policy ?? "klais").split(",");
	if (others.length > 0) {
		reader.reject("--policy", "a live run has one policy");
	}
	const [xdp = "native"] = reader.words("--xdp", [flags.xdp ?? "native"], XDP_MODES) ?? [];
	const speed = reader.whole("--speed", flags.speed, 1, SPEED_MAX) ?? 1;
	const flood = flags.flood === "max" ? null : reader.whole("--flood", flags.flood, 1, FLOOD_MAX);
	const sink = readSink(reader, flags);
	const faults = readFaults(reader, flags.fault ?? [], sink);
	const compare = readCompare(reader, flags.compare, sink, faults);
	if (sink.kind === "kafka" && speed !== 1) {
		reader.reject("--speed", "Kafka runs in real time: with --sink kafka the speed is 1");
	}
	const { seed, devices, set, calibration, out, reporter } = flags;
	const run = readRunFlags(name === undefined ? [] : [name], {
		policy: [policy],
		out,
		...(seed === undefined ? {} : { seed }),
		...(devices === undefined ? {} : { devices }),
		...(set === undefined ? {} : { set }),
		...(calibration === undefined ? {} : { calibration }),
		...(reporter === undefined ? {} : { reporter }),
	});
	if (!run.ok || reader.errors.length > 0) {
		return err([...reader.errors, ...(run.ok ? [] : run.error)]);
	}
	const given = flood === undefined ? {} : { flood };
	return ok({ kind: "scenario", run: run.value, speed, xdp, sink, faults, compare, ...given });
}

function readSink(reader: FlagReader, { sink, transactions = true }: LiveFlags): LiveSink {
	const [kind = "mock"] = reader.words("--sink", [sink ?? "mock"], SINKS) ?? [];
	if (kind === "kafka") {
		return { kind, transactions };
	}
	if (!transactions) {
		reader.reject("--no-transactions", "the mock sink has none: only with --sink kafka");
	}
	return { kind };
}

function readFaults(reader: FlagReader, texts: readonly string[], sink: LiveSink): PlannedFault[] {
	if (texts.length > 0 && sink.kind === "mock") {
		reader.reject("--fault", "each mock sink belongs to one gateway: faults need --sink kafka");
	}
	return texts.flatMap((text) => {
		const fault = parseFault(text);
		if (!fault.ok) {
			reader.reject("--fault", fault.error);
		}
		return fault.ok ? [fault.value] : [];
	});
}

function readCompare(
	reader: FlagReader,
	text: string | true | undefined,
	sink: LiveSink,
	faults: readonly PlannedFault[],
): readonly PlainVariant[] {
	if (text === undefined) {
		return [];
	}
	if (sink.kind === "mock") {
		reader.reject("--compare", "plain producers write to Kafka: only with --sink kafka");
	}
	if (sink.kind === "kafka" && !sink.transactions) {
		reader.reject("--compare", "compares what is exactly once: not with --no-transactions");
	}
	if (faults.some(({ kind }) => kind === "delay-endtxn")) {
		reader.reject("--compare", "plain producers end no transactions: it cannot be with delay-endtxn");
	}
	return text === true ? USUAL_VARIANTS : (reader.words("--compare", text.split(","), PLAIN_VARIANTS) ?? []);
}
