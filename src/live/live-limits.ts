import type { PolicyName, Scenario } from "../scenarios/scenario.js";
import { formatDuration } from "../units/duration.js";
import { micros } from "../units/micros.js";
import type { UserError } from "../units/user-error.js";
import { KAFKA_VARIABLE } from "./broker/broker-fault.js";
import { faultRefusals } from "./faults/fault-limits.js";
import type { LiveOrder, LiveSink } from "./live-order.js";

/** Addresses of 10.80.0.0/12 but the first and the last. */
const LIVE_DEVICES_MAX = 1_048_574;
/** Each is a process of its own, on the cores of one machine. */
const LIVE_GATEWAYS_MAX = 16;
/** Beyond this a virtual cable is no stand-in for the link. */
const LATENCY_MAX_MICROS = 5_000;
const WALL_HOURS_MAX = 24;
/** Commit latencies that lie further apart, as a share of the median, are not one latency. */
const COMMIT_SPREAD_MAX = 0.5;

/** Everything in a scenario that packets between namespaces cannot do, each with the key to change; empty: it can run. */
export function liveRefusals(
	scenario: Scenario,
	policy: PolicyName,
	{ speed, faults }: Pick<LiveOrder, "speed" | "faults">,
): UserError[] {
	const { gateways, durationMicros } = scenario;
	return [
		...policyRefusals(policy),
		...outageRefusals(scenario),
		...linkRefusals(scenario),
		...sizeRefusals(scenario, speed),
		...faultRefusals(faults, { gateways: gateways.count, durationMicros }),
	];
}

/** Where a scenario's simulation is of something else than what a live run has: the prediction may be off. */
export function liveWarnings({ broker, gateways }: Scenario, sink: LiveSink["kind"]): string[] {
	return sink === "kafka" ? kafkaWarnings() : mockWarnings(broker, gateways);
}

function kafkaWarnings(): string[] {
	const named = process.env[KAFKA_VARIABLE] ?? "";
	return named === ""
		? []
		: [`a live run has a Kafka of its own between its namespaces: ${KAFKA_VARIABLE} is not used`];
}

function mockWarnings(broker: Scenario["broker"], gateways: Scenario["gateways"]): string[] {
	const { nodes, partitions, commitMinMicros, commitMedianMicros, commitP99Micros } = broker;
	const warnings: string[] = [];
	// Devices are dealt to gateways, and to partitions and nodes, by the remainder of their number.
	if (nodes !== gateways.count || partitions % nodes !== 0) {
		warnings.push(
			`each gateway has a sink of its own, the simulated broker has ${nodes} nodes: with broker.nodes=${gateways.count} ` +
				"the simulator has the same",
		);
	}
	if (commitP99Micros - commitMinMicros > commitMedianMicros * COMMIT_SPREAD_MAX) {
		const median = formatDuration(commitMedianMicros);
		warnings.push(
			`every commit of a live run takes the median, ${median}; the simulator draws from its quantiles`,
		);
	}
	return warnings;
}

function policyRefusals(policy: PolicyName): UserError[] {
	if (policy === "none") {
		return [refusal("--policy", "none travels over TCP, live runs over datagrams: use klais or static")];
	}
	return policy === "klais" || policy === "static"
		? []
		: [refusal("--policy", `${policy} is simulated only: use klais or static, or klais run`)];
}

function outageRefusals({ outages }: Scenario): UserError[] {
	return outages.flatMap(({ kind }, index) =>
		kind === "power"
			? []
			: [
					refusal(
						`outages.${index}.kind`,
						`${kind} cannot be done live, only power can: simulate it with klais run, or take another scenario`,
					),
				],
	);
}

function linkRefusals({ devices: { link } }: Scenario): UserError[] {
	const faults = [
		["loss", link.lossPpm > 0],
		["duplicate", link.duplicatePpm > 0],
		["reorder", link.reorderPpm > 0],
		["uplink", link.uplinkBitsPerSecond > 0],
		["max", link.maxMicros > LATENCY_MAX_MICROS],
	] as const;
	const keys = faults.filter(([, isThere]) => isThere).map(([key]) => key);
	if (keys.length === 0) {
		return [];
	}
	const most = formatDuration(micros(LATENCY_MAX_MICROS));
	const message =
		`a live run has a cable between namespaces, at most ${most} long and without faults, so the link ${link.name} ` +
		`(${keys.join(", ")}) cannot be done: set devices.link to lab`;
	return [refusal("devices.link", message)];
}

function sizeRefusals({ devices, gateways, durationMicros }: Scenario, speed: number): UserError[] {
	const refusals: UserError[] = [];
	const limit = (key: string, found: number, most: number, advice: string) => {
		if (found > most) {
			const message = `expected at most ${digits(most)} for a live run, found ${digits(found)}: ${advice}`;
			refusals.push({ kind: "limit", key, message });
		}
	};
	limit("devices.count", devices.count, LIVE_DEVICES_MAX, "each has an address of its own; use --devices");
	limit("gateways.count", gateways.count, LIVE_GATEWAYS_MAX, "each is a process on this machine");
	const hours = durationMicros / speed / 3_600_000_000;
	if (hours > WALL_HOURS_MAX) {
		const message = `the run would take ${Math.ceil(hours)} hours of real time, at most ${WALL_HOURS_MAX} are allowed: use --speed`;
		refusals.push({ kind: "limit", key: "duration", message });
	}
	return refusals;
}

function refusal(key: string, message: string): UserError {
	return { kind: "unsupported", key, message };
}

function digits(value: number): string {
	return value.toLocaleString("en-US");
}
