/**
 * Colours of every report. They come from Okabe and Ito's set, which stays apart under the common kinds of
 * colour blindness; each has a shade for light and one for dark paper, both above 3:1 against it.
 */
export interface Shade {
	readonly light: string;
	readonly dark: string;
}

const POLICY_SHADES: Readonly<Record<string, Shade>> = {
	klais: { light: "#0067ad", dark: "#5cb8f0" },
	none: { light: "#c4500a", dark: "#f2895a" },
	static: { light: "#00805c", dark: "#2fc499" },
	aimd: { light: "#8a6500", dark: "#e3b23c" },
	gradient2: { light: "#8d4ba0", dark: "#cf9be0" },
	vegas: { light: "#a83a6b", dark: "#ef8fb9" },
	codel: { light: "#4a6a7c", dark: "#9cbccd" },
	breakwater: { light: "#66701a", dark: "#bcc95a" },
	pid: { light: "#7d5138", dark: "#d0a58a" },
	oracle: { light: "#5a5a66", dark: "#b4b4c0" },
};

/** For policies without a shade of their own. */
const SPARE_SHADES: readonly Shade[] = [
	{ light: "#5b53b5", dark: "#a9a3f2" },
	{ light: "#9a4a3c", dark: "#e5978a" },
	{ light: "#2f7480", dark: "#7cc5d2" },
];

/** The colours that are no policy's. Named as the CSS variables of the HTML report. */
const INK_SHADES = {
	ink: { light: "#1a1d21", dark: "#eceef0" },
	muted: { light: "#5d646c", dark: "#a2a9b1" },
	grid: { light: "#e4e6e9", dark: "#2f343a" },
	paper: { light: "#ffffff", dark: "#15181b" },
	bound: { light: "#767d86", dark: "#8d959e" },
	flood: { light: "#8d949d", dark: "#7d858f" },
	alarm: { light: "#b3261e", dark: "#ff8a80" },
} as const satisfies Record<string, Shade>;

export type InkName = keyof typeof INK_SHADES;

export type Mode = "light" | "dark";

/** The shade of each policy name: fixed for the known ones, by alphabetical order for the rest. */
export function policyShades(policies: Iterable<string>): ReadonlyMap<string, Shade> {
	const names = [...new Set(policies)].sort();
	const shades = new Map<string, Shade>();
	let spare = 0;
	for (const name of names) {
		const known = Object.hasOwn(POLICY_SHADES, name) ? POLICY_SHADES[name] : undefined;
		const shade = known ?? SPARE_SHADES[spare++ % SPARE_SHADES.length];
		if (shade !== undefined) {
			shades.set(name, shade);
		}
	}
	return shades;
}

/**
 * A colour as charts carry it: the name of a CSS variable, so that one rendering serves light and dark paper.
 * `withColours` turns it into fixed colours for readers without CSS.
 */
export function ink(name: InkName): string {
	return `var(--${name})`;
}

/** The variable that holds the colour of the policy at `index` of the file's sorted policy names. */
export function policyVariable(index: number): string {
	return `--p${index}`;
}

/** Replaces every `var(--name)` of an SVG by the colour it has in `mode`. */
export function withColours(svg: string, variables: ReadonlyMap<string, Shade>, mode: Mode): string {
	return svg.replace(/var\((--[a-z0-9-]+)\)/g, (all, name: string) => variables.get(name)?.[mode] ?? all);
}

/** Every variable of a report with `policies`, by name. */
export function colourVariables(policies: Iterable<string>): ReadonlyMap<string, Shade> {
	const variables = new Map<string, Shade>();
	for (const [name, shade] of Object.entries(INK_SHADES)) {
		variables.set(`--${name}`, shade);
	}
	[...policyShades(policies).values()].forEach((shade, index) => {
		variables.set(policyVariable(index), shade);
	});
	return variables;
}
