import { readFileSync } from "node:fs";
import { kafkaVersion } from "./broker/kafka-files.js";
import { pollMode } from "./configs.js";
import type { LiveOrder } from "./live-order.js";
import { namespacesOf, type Topology } from "./topology.js";

/** How and where a run ran, in words, for its record. `load` is the load average at the start. */
export function environmentOf(
	{ scenario, sink, plan }: LiveOrder,
	topology: Topology,
	load: number,
): Readonly<Record<string, string>> {
	const { broker, gateways } = scenario;
	const each = Math.floor(broker.capacityPerSecond / gateways.count);
	const ends =
		sink.kind === "kafka" && !sink.transactions ? "without transactions" : "a transactional producer each";
	return {
		Network: `${namespacesOf(topology).length} namespaces, veth, MTU 1500, checksums in software`,
		Sink:
			sink.kind === "kafka"
				? `Kafka ${kafkaVersion()}, a broker of one node on this machine; ${plan.cluster.shards} shards, ${ends}`
				: `mock, ${each} readings/s a gateway, committed after ${broker.commitMedianMicros / 1_000} ms`,
		"Gateways wait for packets": pollMode(gateways.count) === "busy" ? "by polling" : "asleep",
		"Load average at the start": load.toFixed(2),
		"kernel.bpf_stats_enabled": sysctl("kernel/bpf_stats_enabled"),
	};
}

/** A setting of the kernel; `unknown` where it has none of that name. */
function sysctl(name: string): string {
	try {
		return readFileSync(`/proc/sys/${name}`, "utf8").trim();
	} catch {
		return "unknown";
	}
}
