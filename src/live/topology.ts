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

/** A gateway's cable to the bridge at the broker. */
interface BrokerCable {
	/** Of the gateway's end, where other gateways find it too. */
	readonly address: string;
	/** The gateway's end, and the port of the bridge. */
	readonly link: string;
	readonly port: string;
}

/** The broker's place: a bridge that all gateways have a cable to. */
export interface BrokerPlace {
	readonly namespace: string;
	readonly bridge: string;
	readonly address: string;
	/** One for each gateway. */
	readonly cables: readonly BrokerCable[];
}

/** A fleet in a namespace of its own, with a cable to each gateway. */
export interface Topology {
	readonly fleet: string;
	readonly gateways: readonly GatewayPlace[];
	/** Where there is one. */
	readonly broker?: BrokerPlace;
}

/** Every device has an address in here. */
export const DEVICE_NETWORK = "10.80.0.0/12";
export const FIRST_DEVICE_ADDRESS = "10.80.0.0";
/** The port of the protocol. */
export const GATEWAY_PORT = 7_447;

/** The first addresses of a network are for the broker; gateways come after them. */
const FIRST_CABLE = 10;

const NAME = /^klais-(\d+)-(?:fleet|gw\d+|broker)$/;

/** The topology of the run that process `pid` does. */
export function topologyOf(pid: number, gateways: number, withBroker = false): Topology {
	return {
		...(withBroker ? { broker: brokerPlace(pid, gateways) } : {}),
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

function brokerPlace(pid: number, gateways: number): BrokerPlace {
	return {
		namespace: `klais-${pid}-broker`,
		bridge: "klbr",
		address: "10.78.0.1",
		cables: Array.from({ length: gateways }, (_, gateway) => ({
			address: `10.78.0.${FIRST_CABLE + gateway}`,
			link: `klbk${gateway}`,
			port: `klbp${gateway}`,
		})),
	};
}

/** The process whose run a namespace belongs to; undefined if it is none of ours. */
export function ownerOf(namespace: string): number | undefined {
	const pid = NAME.exec(namespace)?.[1];
	return pid === undefined ? undefined : Number(pid);
}

/** Every namespace of a topology. */
export function namespacesOf({ fleet, gateways, broker }: Topology): readonly string[] {
	const others = gateways.map(({ namespace }) => namespace);
	return [fleet, ...others, ...(broker === undefined ? [] : [broker.namespace])];
}

/** Locally administered, and the same in every run: neighbours need not be asked for. */
function macOf(gateway: number, end: number): string {
	return `02:4b:4c:00:${gateway.toString(16).padStart(2, "0")}:${end.toString(16).padStart(2, "0")}`;
}
