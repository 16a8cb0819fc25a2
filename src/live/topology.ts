/** One gateway's place: its namespace, and the cable to the fleet. */
export interface GatewayPlace {
	readonly namespace: string;
	/** Of the gateway's end, and of the fleet's. */
	readonly address: string;
	readonly fleetAddress: string;
	readonly link: string;
	readonly fleetLink: string;
	readonly mac: string;
	readonly fleetMac: string;
}

/** A fleet in a namespace of its own, with a cable to each gateway. */
export interface Topology {
	readonly fleet: string;
	readonly gateways: readonly GatewayPlace[];
}

/** Every device has an address in here. */
export const DEVICE_NETWORK = "10.80.0.0/12";
export const FIRST_DEVICE_ADDRESS = "10.80.0.0";
/** The port of the protocol. */
export const GATEWAY_PORT = 7_447;

const NAME = /^klais-(\d+)-(?:fleet|gw\d+)$/;

/** The topology of the run that process `pid` does. */
export function topologyOf(pid: number, gateways: number): Topology {
	return {
		fleet: `klais-${pid}-fleet`,
		gateways: Array.from({ length: gateways }, (_, gateway) => ({
			namespace: `klais-${pid}-gw${gateway}`,
			address: `10.77.${gateway}.1`,
			fleetAddress: `10.77.${gateway}.2`,
			link: `klgw${gateway}`,
			fleetLink: `klf${gateway}`,
			mac: macOf(gateway, 1),
			fleetMac: macOf(gateway, 2),
		})),
	};
}

/** The process whose run a namespace belongs to; undefined if it is none of ours. */
export function ownerOf(namespace: string): number | undefined {
	const pid = NAME.exec(namespace)?.[1];
	return pid === undefined ? undefined : Number(pid);
}

/** Every namespace of a topology. */
export function namespacesOf(topology: Topology): readonly string[] {
	return [topology.fleet, ...topology.gateways.map(({ namespace }) => namespace)];
}

/** Locally administered, and the same in every run: neighbours need not be asked for. */
function macOf(gateway: number, end: number): string {
	return `02:4b:4c:00:${gateway.toString(16).padStart(2, "0")}:${end.toString(16).padStart(2, "0")}`;
}
