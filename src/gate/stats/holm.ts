/**
 * Which of several claims hold when the chance that any of them holds by accident is to stay below `error`: S. Holm, "A simple
 * sequentially rejective multiple test procedure", Scandinavian Journal of Statistics 6 (1979), 65-70. `holds(claim, level)`
 * tests one claim at its own level, and may look more than once: W. Maurer and F. Bretz, "Multiple testing in group sequential
 * trials using graphical approaches", Statistics in Biopharmaceutical Research 5 (2013), 311-320.
 */
export function holm<Claim>(
	claims: readonly Claim[],
	error: number,
	holds: (claim: Claim, level: number) => boolean,
): Set<Claim> {
	const held = new Set<Claim>();
	let found: Claim | undefined;
	do {
		const level = error / (claims.length - held.size);
		found = claims.find((claim) => !held.has(claim) && holds(claim, level));
		if (found !== undefined) {
			held.add(found);
		}
	} while (found !== undefined && held.size < claims.length);
	return held;
}
