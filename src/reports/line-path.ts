/** Coordinates are rounded to this part of a pixel: no screen shows finer. */
const STEPS_PER_PIXEL = 2;

/** How far, in pixels, a line may pass a point that is left out. */
const LINE_TOLERANCE = 0.4;

/** The same for the edge of an area: its own line is drawn over it. */
const AREA_TOLERANCE = 0.9;

export type Point = readonly [x: number, y: number];

/**
 * Data of an SVG path through points, null where it breaks. Relative coordinates, through those points alone that bend
 * the line: a tenth of the bytes of all points, and the same to the eye.
 */
export function linePath(points: readonly (Point | null)[]): string {
	return stretches(points)
		.map((stretch) => relative(simplified(stretch, LINE_TOLERANCE)))
		.join("");
}

/** The same for the area between the line and a base line at `baseY`. */
export function areaPath(points: readonly (Point | null)[], baseY: number): string {
	return stretches(points)
		.map((stretch) => {
			const [first, last] = [stretch[0], stretch.at(-1)];
			return first === undefined || last === undefined
				? ""
				: `${relative([[first[0], baseY], ...simplified(stretch, AREA_TOLERANCE), [last[0], baseY]])}z`;
		})
		.join("");
}

function stretches(points: readonly (Point | null)[]): readonly (readonly Point[])[] {
	const found: Point[][] = [[]];
	for (const point of points) {
		if (point === null) {
			found.push([]);
		} else {
			found.at(-1)?.push(point);
		}
	}
	return found.filter((stretch) => stretch.length > 0);
}

/** The points without those that lie within `tolerance` of the line through the others (Ramer, Douglas and Peucker). */
function simplified(points: readonly Point[], tolerance: number): readonly Point[] {
	const last = points.length - 1;
	const kept = new Set([0, last]);
	const open: (readonly [number, number])[] = [[0, last]];
	for (let span = open.pop(); span !== undefined; span = open.pop()) {
		const [from, to] = span;
		let farthest = -1;
		let most = tolerance;
		for (let index = from + 1; index < to; index++) {
			const distance = distanceTo(points[from], points[to], points[index]);
			if (distance > most) {
				most = distance;
				farthest = index;
			}
		}
		if (farthest !== -1) {
			kept.add(farthest);
			open.push([from, farthest], [farthest, to]);
		}
	}
	return points.filter((_point, index) => kept.has(index));
}

/** Of `point` from the line through `from` and `to`, or from the one place where both are. */
function distanceTo(from: Point = [0, 0], to: Point = [0, 0], point: Point = [0, 0]): number {
	const [dx, dy] = [to[0] - from[0], to[1] - from[1]];
	const [px, py] = [point[0] - from[0], point[1] - from[1]];
	const length = Math.hypot(dx, dy);
	return length === 0 ? Math.hypot(px, py) : Math.abs(dx * py - dy * px) / length;
}

/** `M` to the first point, then a step to each further one. Points that fall together are one. */
function relative(points: readonly Point[]): string {
	const [first, ...rest] = points.map(
		([x, y]): Point => [Math.round(x * STEPS_PER_PIXEL), Math.round(y * STEPS_PER_PIXEL)],
	);
	if (first === undefined) {
		return "";
	}
	let [atX, atY] = first;
	let steps = "";
	for (const [x, y] of rest) {
		if (x !== atX || y !== atY) {
			steps += step(x - atX, y - atY);
			[atX, atY] = [x, y];
		}
	}
	// A point by itself is a dot as wide as the line: its ends are round.
	return `M${written(first[0])} ${written(first[1])}${steps === "" ? "h0" : steps}`;
}

function step(dx: number, dy: number): string {
	if (dy === 0) {
		return `h${written(dx)}`;
	}
	return dx === 0 ? `v${written(dy)}` : `l${written(dx)}${dy < 0 ? "" : " "}${written(dy)}`;
}

function written(steps: number): string {
	return String(steps / STEPS_PER_PIXEL).replace(/^(-?)0\./, "$1.");
}
