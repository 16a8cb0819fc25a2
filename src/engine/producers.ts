import type { Ownership } from "./ownership.js";

/**
 * The transactional producers: one per shard and at most one of them good for anything, the last one that has been
 * initialised. A generation is one initialisation.
 */
export class Producers {
	/** Per shard: the generation that may commit, and the gateway that it belongs to. */
	private readonly current: Float64Array;
	private readonly owners: Int32Array;
	/** Per gateway and shard that it has opened: its generation. */
	private readonly held = new Map<number, number>();
	private generations = 0;

	/** In steady state: each gateway has opened its home shards. */
	constructor(private readonly ownership: Ownership) {
		const { shards, gateways } = ownership;
		this.current = new Float64Array(shards);
		this.owners = Int32Array.from({ length: shards }, (_, shard) => shard % gateways);
		for (let shard = 0; shard < shards; shard++) {
			this.held.set(this.key(shard % gateways, shard), 0);
		}
	}

	private key(gateway: number, shard: number): number {
		return gateway * this.ownership.shards + shard;
	}

	/** A number for the next initialisation. */
	next(): number {
		this.generations++;
		return this.generations;
	}

	/** A generation takes effect: everyone before it is fenced. */
	fence(shard: number, generation: number, gateway: number): void {
		this.current[shard] = generation;
		this.owners[shard] = gateway;
	}

	/** A gateway hears that its generation has been opened. */
	hold(gateway: number, shard: number, generation: number): void {
		this.held.set(this.key(gateway, shard), generation);
	}

	/** A gateway gives a shard up. */
	drop(gateway: number, shard: number): void {
		this.held.delete(this.key(gateway, shard));
	}

	/** A gateway forgets all that it had opened. */
	forget(gateway: number): void {
		for (let shard = 0; shard < this.ownership.shards; shard++) {
			this.drop(gateway, shard);
		}
	}

	/** The generation that a gateway believes to have; -1 for none. */
	heldBy(gateway: number, shard: number): number {
		return this.held.get(this.key(gateway, shard)) ?? -1;
	}

	isCurrent(shard: number, generation: number): boolean {
		return this.current[shard] === generation;
	}

	/** The generation that may commit to a shard. */
	currentOf(shard: number): number {
		return this.current[shard] as number;
	}

	/** The gateway that may commit to a shard. */
	ownerOf(shard: number): number {
		return this.owners[shard] as number;
	}
}
