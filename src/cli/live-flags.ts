import type { FloodRate } from "../live/flood.js";
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
	  };

const XDP_MODES = ["native", "generic", "off"] as const satisfies readonly XdpMode[];
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
	return ok({ kind: "scenario", run: run.value, speed, xdp, ...(flood === undefined ? {} : { flood }) });
}
