import Table from "cli-table3";
import type { CaptureReport } from "../live/pcap-replay.js";
import { formatExact, formatNoun, formatSeconds } from "../reports/format.js";
import { coloursFor } from "./talk.js";

/** What became of a capture, as a table and a few lines. */
export function captureText(capture: CaptureReport): string {
	const { foreign, passed } = capture;
	const lines = [
		tableOf(capture),
		`foreign frames unchanged: ${formatExact(foreign.unchanged)} of ${formatExact(foreign.packets)}`,
		`passed frames unchanged: ${formatExact(passed.unchanged)} of ${formatExact(passed.packets)}`,
		...notes(capture),
		...reasons(capture),
	];
	return lines.join("\n");
}

function tableOf({ file, packets, seconds, verdicts, counters }: CaptureReport): string {
	const colours = coloursFor(process.stdout);
	const span = `${formatNoun(packets, "packet")} in ${formatSeconds(seconds)}`;
	const table = new Table({
		head: [`${printable(file)}: ${span}`, "packets"].map((text) => colours.bold(text)),
		style: { head: [], border: [] },
		colAligns: ["left", "right"],
	});
	const verdictRows: readonly (readonly [string, number])[] = [
		["passed (XDP_PASS)", verdicts.pass],
		["dropped (XDP_DROP)", verdicts.drop],
		["answered (XDP_TX)", verdicts.tx],
		["aborted (XDP_ABORTED)", verdicts.aborted],
	];
	const counterRows = Object.entries(counters).map(([name, count]) => [`counted ${name}`, count] as const);
	table.push(
		...[...verdictRows, ...counterRows].map(([name, count]) => [printable(name), formatExact(count)]),
	);
	return table.toString();
}

function notes({ cut, notRun, frameBytesMax }: CaptureReport): string[] {
	const { tooShort, tooLong } = notRun;
	return [
		...(cut > 0 ? [`cut by the capture, run as they are: ${formatExact(cut)}`] : []),
		...(tooShort > 0 ? [`not run: too short, less than an Ethernet header: ${formatExact(tooShort)}`] : []),
		...(tooLong > 0
			? [`not run: too long, this kernel takes ${formatExact(frameBytesMax)} bytes: ${formatExact(tooLong)}`]
			: []),
	];
}

/** Why packets did not simply pass, with the first ones of each reason. */
function reasons({ reasons: counts, examples }: CaptureReport): string[] {
	return Object.entries(counts).map(([reason, count]) => {
		const first = examples
			.filter((example) => example.reason === reason)
			.map(({ index, seconds }) => `packet ${index} at ${seconds.toFixed(6)} s`);
		return printable(
			`${reason}: ${formatExact(count)} (${first.join(", ")}${count > first.length ? ", …" : ""})`,
		);
	});
}

/** File names are the user's: no control character of theirs may reach a terminal. */
function printable(text: string): string {
	return text.replace(/\p{Cc}+/gu, " ");
}
