import type { Group, GroupResult } from "./group.js";
import { cargoBench, FIGURE_HEAD, figureRow, parseRustLines } from "./rust-lines.js";

/** How fast gateways tell each other, and what that costs, from 3 gateways to 1,000. */
export const swarm: Group = async ({ quick, say }) => {
	say("building and running the Rust benchmark of native/swarm");
	return swarmResult(await cargoBench("klais-swarm", "swarm", quick));
};

/** The group's figures, out of what the Rust benchmark printed. Throws for anything else. */
export function swarmResult(stdout: string): GroupResult {
	const figures = parseRustLines("swarm", stdout);
	return {
		records: figures.map(({ record }) => record),
		tables: [{ title: "The swarm, by its size", head: FIGURE_HEAD, rows: figures.map(figureRow) }],
		notes: [
			"Rounds, milliseconds and bytes are of virtual time, exact: a sample is another seed. Gateways on one switch: 0.1 to 0.4 ms, nothing lost. Wanted of rounds: three times log2 of the gateways; of CPU: a percent of one; of bytes: at most 5 % above those of 64 gateways.",
			"CPU is wall time of one thread which runs all gateways, sockets apart.",
		],
		failures: [],
	};
}
