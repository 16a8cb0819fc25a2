import type { Group, GroupResult } from "./group.js";
import { cargoBench, FIGURE_HEAD, figureRow, parseRustLines } from "./rust-lines.js";

/** What a frame costs a gateway in user space, from its bytes to those of the answer; sockets apart. */
export const gatewayService: Group = async ({ quick, say }) => {
	say("building and running the Rust benchmark of native/gateway");
	return gatewayServiceResult(await cargoBench("klais-gateway", "service", quick));
};

/** The group's figures, out of what the Rust benchmark printed. Throws for anything else. */
export function gatewayServiceResult(stdout: string): GroupResult {
	const figures = parseRustLines("gateway-service", stdout);
	return {
		records: figures.map(({ record }) => record),
		tables: [
			{
				title: "A gateway in user space: time per frame, sockets apart",
				head: FIGURE_HEAD,
				rows: figures.map(figureRow),
			},
		],
		notes: [
			"One thread, devices in no order: parsed, authenticated, decided by the dam, handled, and the answer signed. DATA includes its share of the transaction, to a sink that decides at once. What receiving and sending cost is in the `service` part of a gateway's /stats.",
		],
		failures: [],
	};
}
