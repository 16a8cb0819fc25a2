/** Width and height of a picture, and how far apart its labels must be. */
export interface ChartSize {
	readonly name: "wide" | "half" | "third" | "phone";
	readonly width: number;
	readonly height: number;
	readonly fontSize: number;
}

export const SIZES = {
	wide: { name: "wide", width: 1_040, height: 330, fontSize: 12.5 },
	half: { name: "half", width: 510, height: 270, fontSize: 12 },
	third: { name: "third", width: 360, height: 230, fontSize: 11.5 },
	phone: { name: "phone", width: 360, height: 250, fontSize: 11.5 },
} as const satisfies Record<string, ChartSize>;

/** Plot area in pixels from the picture's corner. */
export interface Plot {
	readonly x0: number;
	readonly x1: number;
	readonly y0: number;
	readonly y1: number;
}

/** Rough width of a text: good enough to keep room for it. */
export function textWidth(text: string, fontSize: number): number {
	return text.length * fontSize * 0.56;
}
