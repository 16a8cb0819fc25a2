import type { Group, GroupResult } from "./group.js";
import { busyNotes, runKernelTool, skippedGroup } from "./kernel-tool.js";
import { FIGURE_HEAD, figureRow, parseRustLines } from "./rust-lines.js";

const UNJUDGED = "A quick run is not judged: a test run's fixed cost is a large part of so few packets.";

/** What the dam's BPF program costs per packet, by verdict. */
export const xdp: Group = async (context) => {
	const measured = await runKernelTool("bench", context);
	return "skipped" in measured ? skippedGroup(measured.skipped) : xdpResult(measured.stdout, context.quick);
};

/** The group's figures, out of what `klais-xdp bench --json` printed. Throws for anything else. */
function xdpResult(stdout: string, quick: boolean): GroupResult {
	const figures = parseRustLines("xdp", stdout);
	return {
		records: figures.map(({ record }) => record),
		tables: [
			{
				title: "The dam in the kernel: CPU time per packet, by verdict",
				head: FIGURE_HEAD,
				rows: figures.map(figureRow),
			},
		],
		notes: [
			`By BPF_PROG_TEST_RUN over ${quick ? "few" : "a million"} devices in no order, the floor included: the cost of a packet that is in memory already. Every packet of a row was counted under the verdict that the row is named after.`,
			...(quick ? [UNJUDGED] : []),
			...busyNotes(figures),
		],
		failures: [],
	};
}
