/**
 * Which gateway owns a shard while some are out of service: its home, or one of the others that depends on the shard; null:
 * nobody. The rule of `docs/burst-sync.md`, as gateways work it out among themselves.
 */
export function ownerOf(
	shard: number,
	gateways: number,
	isAlive: (gateway: number) => boolean,
): number | null {
	const home = shard % gateways;
	if (isAlive(home)) {
		return home;
	}
	const others = gateways - 1;
	const first = others === 0 ? 0 : Math.floor(shard / gateways) % others;
	const candidates = Array.from({ length: others }, (_, n) => (home + 1 + ((first + n) % others)) % gateways);
	return candidates.find(isAlive) ?? null;
}

/** The shards that a gateway owns. */
export function shardsOf(
	gateway: number,
	layout: { readonly shards: number; readonly gateways: number },
	isAlive: (gateway: number) => boolean,
): readonly number[] {
	const all = Array.from({ length: layout.shards }, (_, shard) => shard);
	return all.filter((shard) => ownerOf(shard, layout.gateways, isAlive) === gateway);
}
