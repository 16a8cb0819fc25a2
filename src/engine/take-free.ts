/** Something that takes some servers for a while. */
export interface Taking {
	readonly from: number;
	readonly to: number;
	readonly servers: number;
}

/**
 * Which of `count` servers each taking gets: the first that are free, so that takings that overlap get different ones.
 * What is given back at one moment can be taken at the same. The loader has checked that there are enough.
 */
export function takeFree(takings: readonly Taking[], count: number): number[][] {
	const free = Array.from({ length: count }, (_, server) => server);
	const taken: number[][] = takings.map(() => []);
	const steps = takings.flatMap(({ from, to }, place) => [
		{ at: from, isBack: false, place },
		{ at: to, isBack: true, place },
	]);
	steps.sort((x, y) => x.at - y.at || Number(y.isBack) - Number(x.isBack) || x.place - y.place);
	for (const { isBack, place } of steps) {
		if (isBack) {
			free.push(...(taken[place] ?? []));
			free.sort((x, y) => x - y);
		} else {
			taken[place] = free.splice(0, takings[place]?.servers ?? 0);
		}
	}
	return taken;
}
