const BLOCKS = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"] as const;

/**
 * The shape of a series in `width` characters, for readers without pictures. Each character is the largest value
 * of its stretch, so that no peak is lost. `top` is the value of a full block; "·" stands for no data.
 */
export function sparkline(values: readonly (number | null)[], width: number, top: number): string {
	if (values.length === 0) {
		return "";
	}
	const characters: string[] = [];
	const columns = Math.min(width, values.length);
	for (let index = 0; index < columns; index++) {
		const from = Math.floor((index * values.length) / columns);
		const to = Math.floor(((index + 1) * values.length) / columns);
		let peak: number | undefined;
		for (const value of values.slice(from, to)) {
			if (value !== null && (peak === undefined || value > peak)) {
				peak = value;
			}
		}
		characters.push(peak === undefined ? "·" : block(peak, top));
	}
	return characters.join("");
}

function block(value: number, top: number): string {
	const level = top <= 0 ? 0 : Math.round((value / top) * (BLOCKS.length - 1));
	return BLOCKS[Math.min(Math.max(level, 0), BLOCKS.length - 1)] ?? BLOCKS[0];
}
