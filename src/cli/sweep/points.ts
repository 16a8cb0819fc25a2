import { type Setting, settingText } from "../../scenarios/overrides.js";
import { parseWhole } from "../../units/quantity.js";
import { DEVICES_PARAMETER, type SweepInput } from "./schema.js";

/** A combination of the grid: the position of each parameter's value in its list, in the order of the sweep file. */
export interface SweepPoint {
	readonly settings: readonly Setting[];
	/** Undefined: the scenario's fleet, or that of the whole sweep. */
	readonly devices: number | undefined;
	/** By path, as settings have them. */
	readonly parameters: Readonly<Record<string, string>>;
	/** By path. */
	readonly positions: ReadonlyMap<string, number>;
}

/** How many combinations a grid has. */
export function countPoints({ grid = {} }: SweepInput): number {
	return Object.values(grid).reduce((product, values) => product * values.length, 1);
}

/** Every combination; the last parameter changes fastest. The schema has checked that fleets are whole numbers. */
export function* sweepPoints({ grid = {} }: SweepInput): Generator<SweepPoint> {
	const names = Object.keys(grid);
	const lengths = names.map((name) => grid[name]?.length ?? 0);
	const total = lengths.reduce((product, length) => product * length, 1);
	for (let index = 0; index < total; index += 1) {
		let rest = index;
		const places = lengths.toReversed().map((length) => {
			const place = rest % length;
			rest = Math.floor(rest / length);
			return place;
		});
		places.reverse();
		const texts = names.map((name, n) => [name, settingText(grid[name]?.[places[n] ?? 0])] as const);
		const fleet = grid[DEVICES_PARAMETER]?.[places[names.indexOf(DEVICES_PARAMETER)] ?? 0];
		const devices = fleet === undefined ? undefined : parseWhole(fleet as string | number);
		yield {
			settings: texts.filter(([name]) => name !== DEVICES_PARAMETER),
			devices: devices?.ok === true ? devices.value : undefined,
			parameters: Object.fromEntries(texts),
			positions: new Map(names.map((name, n) => [name, places[n] ?? 0])),
		};
	}
}
