import { createHash, createPrivateKey, createPublicKey } from "node:crypto";
import { GATEWAY_PORT, type Topology } from "./topology.js";

const GOSSIP_PORT = 7_448;
/** What comes before the 32 bytes of an Ed25519 seed in PKCS #8 (RFC 8410). */
const PKCS8_HEAD = Buffer.from("302e020100300506032b657004220420", "hex");
const KEY_BYTES = 32;

/**
 * The `swarm` part of a gateway's configuration: all gateways of the run, which meet at the bridge of the broker. Undefined
 * where there is none, or nobody to meet. `seed` makes the keys, which guard nothing but this run.
 */
export function swarmConfig(
	{ gateways, broker }: Topology,
	gateway: number,
	seed: string,
): object | undefined {
	if (broker === undefined || gateways.length < 2) {
		return undefined;
	}
	const gossip = (number: number) => `${broker.cables[number]?.address}:${GOSSIP_PORT}`;
	return {
		listen: gossip(gateway),
		clusterKey: hash(`cluster key, seed ${seed}`)
			.subarray(0, KEY_BYTES / 2)
			.toString("hex"),
		keyEpoch: 0,
		signingSeed: signingSeed(gateway, seed).toString("hex"),
		roster: gateways.map(({ address }, number) => ({
			gateway: number,
			gossip: gossip(number),
			data: `${address}:${GATEWAY_PORT}`,
			publicKey: publicKey(signingSeed(number, seed)).toString("hex"),
		})),
	};
}

function signingSeed(gateway: number, seed: string): Buffer {
	return hash(`signing seed of gateway ${gateway}, seed ${seed}`);
}

function publicKey(seed: Buffer): Buffer {
	const key = createPrivateKey({ key: Buffer.concat([PKCS8_HEAD, seed]), format: "der", type: "pkcs8" });
	return createPublicKey(key).export({ format: "der", type: "spki" }).subarray(-KEY_BYTES);
}

function hash(text: string): Buffer {
	return createHash("sha256").update(text).digest();
}
