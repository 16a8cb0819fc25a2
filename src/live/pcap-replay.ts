import { x } from "tinyexec";
import { z } from "zod";
import { complaint } from "./live-fault.js";
import { XDP_PROGRAM } from "./machine.js";
import { parsed } from "./parsed.js";
import { XDP_EXIT } from "./xdp-exit.js";

const whole = z.number().int().nonnegative();
const unchanged = z.object({ packets: whole, unchanged: whole });

/** What became of the packets of one capture. More may be there: a later program may count more. */
const captureSchema = z.looseObject({
	file: z.string(),
	packets: whole,
	/** From the first packet to the latest. */
	seconds: z.number().nonnegative(),
	verdicts: z.object({ pass: whole, drop: whole, tx: whole, aborted: whole }),
	/** By the program's own counters; those at 0 are left out. */
	counters: z.record(z.string(), whole),
	passed: unchanged,
	/** Those that are not for the gateway, by a second opinion and not the program's. */
	foreign: unchanged,
	/** Shorter in the file than on the wire. */
	cut: whole,
	/** Packets that the kernel takes for no test run. */
	notRun: z.object({ tooShort: whole, tooLong: whole }),
	/** The longest frame that this kernel takes. */
	frameBytesMax: whole,
	/** The first of each reason. */
	examples: z.array(
		z.looseObject({ index: whole, seconds: z.number(), frameBytes: whole, reason: z.string() }),
	),
	/** Packets by reason, examples or not. */
	reasons: z.record(z.string(), whole),
});

const reportSchema = z.looseObject({
	schema: z.literal("klais.replay-report/1"),
	captures: z.array(captureSchema),
});

export type CaptureReport = z.output<typeof captureSchema>;
export type ReplayReport = z.output<typeof reportSchema>;

/** What came of a replay: a report, or why there is none. */
export type ReplayOutcome =
	| { readonly kind: "report"; readonly report: ReplayReport }
	/** The files or this machine are at fault, in the program's own words. */
	| { readonly kind: "refused"; readonly message: string }
	/** The program is at fault. */
	| { readonly kind: "broken"; readonly message: string };

const REFUSED: readonly number[] = [XDP_EXIT.failed, XDP_EXIT.unable];
const REPORTED: readonly number[] = [XDP_EXIT.passed, XDP_EXIT.found];

/** Runs the packets of captures through the XDP program, each capture through one of its own. */
export async function replayCaptures(program: string, files: readonly string[]): Promise<ReplayOutcome> {
	const { exitCode, stdout, stderr } = await x(program, ["replay", "--json", "--", ...files]);
	const said = complaint(stderr);
	if (exitCode !== undefined && REFUSED.includes(exitCode)) {
		return { kind: "refused", message: said };
	}
	if (exitCode === undefined || !REPORTED.includes(exitCode)) {
		const end = exitCode === undefined ? "by a signal" : `with exit code ${exitCode}`;
		return { kind: "broken", message: `${XDP_PROGRAM} ended ${end}: ${said}` };
	}
	try {
		return { kind: "report", report: parsed(reportSchema, stdout, `the report of ${XDP_PROGRAM}`) };
	} catch (error) {
		// Exit code 1 without a report: what it found out is not about a packet.
		return { kind: "broken", message: said === "" ? (error as Error).message : said };
	}
}

/** Foreign packets of all captures that did not come out as they went in. */
export function harmedPackets({ captures }: ReplayReport): number {
	return captures.reduce((sum, { foreign }) => sum + foreign.packets - foreign.unchanged, 0);
}
