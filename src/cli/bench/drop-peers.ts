import type { Group, GroupResult, TableSpec } from "./group.js";
import { busyNotes, runKernelTool, skippedGroup } from "./kernel-tool.js";
import { FIGURE_HEAD, figureRow, parseRustLines, type RustFigure } from "./rust-lines.js";

/** What a packet that is thrown away costs, by who throws it: the dam, nftables, a socket. */
export const dropPeers: Group = async (context) => {
	const measured = await runKernelTool("peers", context);
	return "skipped" in measured
		? skippedGroup(measured.skipped)
		: dropPeersResult(measured.stdout, context.quick);
};

/** The group's figures, out of what `klais-xdp peers --json` printed. Throws for anything else. */
function dropPeersResult(stdout: string, quick: boolean): GroupResult {
	const figures = parseRustLines("drop-peers", stdout);
	const isRatio = ({ record }: RustFigure) => record.unit === "ratio";
	const isAbove = ({ record }: RustFigure) => record.name.startsWith("drop-peers, above ");
	const tables = [
		table(
			"A flood of live frames over a veth pair: CPU time per packet, the sender's included",
			figures.filter((figure) => !isAbove(figure)),
		),
		table(
			"The same above the bare journey: sender, veth, an empty program that drops",
			figures.filter((figure) => isAbove(figure) && !isRatio(figure)),
		),
		table("The dam's share of what its peers cost", figures.filter(isRatio)),
	];
	return {
		records: figures.map(({ record }) => record),
		tables: tables.filter(({ rows }) => rows.length > 0),
		notes: [
			"A veth pair is no network card: these figures say how programs compare, not what a card's driver does.",
			"All contenders in turn, round by round; every frame was counted at the receiver. CPU time is that of the sender, of softirqs and of the receiver.",
			"Above the sender alone, the journey over the veth pair counts as the program's own: the same for all, so shares are larger.",
			...(quick ? ["A quick run is not judged: each flood carries a fixed wait."] : []),
			...busyNotes(figures),
		],
		failures: [],
	};
}

function table(title: string, figures: readonly RustFigure[]): TableSpec {
	return { title, head: FIGURE_HEAD, rows: figures.map(figureRow) };
}
