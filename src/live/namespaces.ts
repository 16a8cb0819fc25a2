import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { XDP_PROGRAM } from "./machine.js";
import { inNamespace, runTool, runToolNow } from "./tools.js";
import {
	type BrokerPlace,
	DEVICE_NETWORK,
	type GatewayPlace,
	namespacesOf,
	ownerOf,
	type Topology,
} from "./topology.js";

const NAMESPACES_FOLDER = "/var/run/netns";
const MTU = "1500";

/** Builds the topology. Throws a fault of the set-up; what was built by then is for `removeTopology`. */
export async function buildTopology(topology: Topology): Promise<void> {
	for (const namespace of namespacesOf(topology)) {
		await runTool("ip", ["netns", "add", namespace]);
		await setKernel(namespace, QUIET);
		await ip(namespace, "link", "set", "lo", "up");
	}
	// Every address of the network is the fleet's own: a device needs no interface, and no address of its own.
	await ip(topology.fleet, "route", "add", "local", DEVICE_NETWORK, "dev", "lo");
	for (const place of topology.gateways) {
		await connect(topology.fleet, place);
	}
	if (topology.broker !== undefined) {
		await connectBroker(topology.broker, topology.gateways);
	}
}

/**
 * Makes the fleet's ends take in at once what gateways' filters send back: without a program of their own they would leave it
 * until the next ordinary packet. Throws a fault of the set-up.
 */
export async function takeInAnswers({ fleet, gateways }: Topology, programs: string): Promise<void> {
	for (const { fleetLink } of gateways) {
		const { program, args } = inNamespace(fleet, join(programs, XDP_PROGRAM), ["pass", fleetLink]);
		await runTool(program, args);
	}
}

async function connect(fleet: string, place: GatewayPlace): Promise<void> {
	const { namespace, link, fleetLink, address, fleetAddress, mac, fleetMac } = place;
	const peer = ["peer", "name", link, "address", mac, "mtu", MTU, "netns", namespace];
	await ip(fleet, "link", "add", fleetLink, "address", fleetMac, "mtu", MTU, "type", "veth", ...peer);
	for (const [side, name, own] of [
		[fleet, fleetLink, fleetAddress],
		[namespace, link, address],
	] as const) {
		await setKernel(side, [`/proc/sys/net/ipv4/conf/${name}/rp_filter=0`]);
		// A checksum left for a network card to finish would be wrong once a packet has been rewritten: there is no card.
		await offload(side, name, "tx", "off");
		await ip(side, "address", "add", `${own}/24`, "dev", name);
		await ip(side, "link", "set", name, "up");
	}
	await knowNeighbour(fleet, fleetLink, address, mac);
	await knowNeighbour(namespace, link, fleetAddress, fleetMac);
	await ip(namespace, "route", "add", DEVICE_NETWORK, "via", fleetAddress, "dev", link);
}

function knowNeighbour(namespace: string, link: string, address: string, mac: string): Promise<void> {
	const entry = [address, "lladdr", mac, "dev", link, "nud", "permanent"];
	return ip(namespace, "neighbour", "replace", ...entry);
}

/** Nothing is measured on these cables, so checksums and segments may stay offloaded. */
async function connectBroker(broker: BrokerPlace, gateways: readonly GatewayPlace[]): Promise<void> {
	const { namespace, bridge, address, cables } = broker;
	await ip(namespace, "link", "add", bridge, "type", "bridge");
	await ip(namespace, "address", "add", `${address}/24`, "dev", bridge);
	await ip(namespace, "link", "set", bridge, "up");
	for (const [gateway, cable] of cables.entries()) {
		const far = gateways[gateway]?.namespace ?? "";
		const peer = ["peer", "name", cable.link, "netns", far];
		await ip(namespace, "link", "add", cable.port, "type", "veth", ...peer);
		await ip(namespace, "link", "set", cable.port, "master", bridge);
		await ip(namespace, "link", "set", cable.port, "up");
		await ip(far, "address", "add", `${cable.address}/24`, "dev", cable.link);
		await ip(far, "link", "set", cable.link, "up");
	}
}

/** Pulls the cable between a gateway and the bridge at the broker, or plugs it in again. Throws a fault of the set-up. */
export function setBrokerCable(broker: BrokerPlace, gateway: number, state: "up" | "down"): Promise<void> {
	return ip(broker.namespace, "link", "set", broker.cables[gateway]?.port ?? "", state);
}

/** Pulls the cable between the fleet and a gateway, or plugs it in again. Throws a fault of the set-up. */
export async function setFleetCable(fleet: string, place: GatewayPlace, state: "up" | "down"): Promise<void> {
	await ip(fleet, "link", "set", place.fleetLink, state);
	if (state === "up") {
		// The kernel forgets the neighbours of a link that is down, also those that were set by hand.
		await knowNeighbour(fleet, place.fleetLink, place.address, place.mac);
	}
}

/** Answers of a gateway come from where nobody sent to; and nothing but the run's packets should be on the cables. */
const QUIET = [
	"/proc/sys/net/ipv4/conf/all/rp_filter=0",
	"/proc/sys/net/ipv4/conf/default/rp_filter=0",
	"/proc/sys/net/ipv6/conf/all/disable_ipv6=1",
	"/proc/sys/net/ipv6/conf/default/disable_ipv6=1",
];

async function setKernel(namespace: string, settings: readonly string[]): Promise<void> {
	// A kernel without IPv6 has nothing to switch off.
	const script = settings
		.map((setting) => setting.split("="))
		.map(([file, value]) => `if [ -e ${file} ]; then echo ${value} > ${file}; fi`)
		.join("\n");
	const { program, args } = inNamespace(namespace, "sh", ["-ec", script]);
	await runTool(program, args);
}

async function offload(namespace: string, link: string, feature: string, state: string): Promise<void> {
	const { program, args } = inNamespace(namespace, "ethtool", ["-K", link, feature, state]);
	await runTool(program, args);
}

async function ip(namespace: string, ...args: readonly string[]): Promise<void> {
	await runTool("ip", ["-n", namespace, ...args]);
}

/** Removes what exists of the topology, and ends what still runs in it. Never throws: it is the last thing that happens. */
export function removeTopology(topology: Topology): void {
	for (const namespace of namespacesOf(topology)) {
		removeNamespace(namespace);
	}
}

/** Removes the namespaces of runs whose process is gone, and ends what still runs in them. Their names. */
export function removeLeftovers(): readonly string[] {
	const left = existingNamespaces().filter((name) => {
		const owner = ownerOf(name);
		return owner !== undefined && !isAlive(owner);
	});
	for (const namespace of left) {
		removeNamespace(namespace);
	}
	return left;
}

function existingNamespaces(): string[] {
	return existsSync(NAMESPACES_FOLDER) ? readdirSync(NAMESPACES_FOLDER).sort() : [];
}

function removeNamespace(namespace: string): void {
	if (!existsSync(`${NAMESPACES_FOLDER}/${namespace}`)) {
		return;
	}
	for (const line of runToolNow("ip", ["netns", "pids", namespace]).split("\n")) {
		const pid = Number(line);
		if (Number.isInteger(pid) && pid > 1) {
			endNow(pid);
		}
	}
	runToolNow("ip", ["netns", "delete", namespace]);
}

function endNow(pid: number): void {
	try {
		process.kill(pid, "SIGKILL");
	} catch {
		// It has ended by itself.
	}
}

/** Whether a process lives; one of another user does. */
export function isAlive(pid: number): boolean {
	try {
		process.kill(pid, 0);
		return true;
	} catch (error) {
		return (error as NodeJS.ErrnoException).code === "EPERM";
	}
}
