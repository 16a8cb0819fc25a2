import type { Host } from "./run-record.js";

const TEXTS = ["cpu", "os", "kernel", "node", "rustc"] as const;

/**
 * The machines that runs came from, as one: what differs is listed, in the order given, and of cores and memory the least
 * stands. One machine, or several alike, come out as they are. There must be at least one.
 */
export function joinHosts(hosts: readonly Host[]): Host {
	const [first] = hosts;
	if (first === undefined) {
		throw new Error("no host to join");
	}
	const texts = TEXTS.map((key) => [key, [...new Set(hosts.map((host) => host[key]))].join(" / ")] as const);
	return {
		...first,
		...(Object.fromEntries(texts) as Pick<Host, (typeof TEXTS)[number]>),
		cores: Math.min(...hosts.map(({ cores }) => cores)),
		memoryBytes: Math.min(...hosts.map(({ memoryBytes }) => memoryBytes)),
	};
}
