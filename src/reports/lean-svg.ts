import svgpath from "svgpath";

/** What Vega writes of every group and mark, and nobody sees: empty frames, roles, full opacity. */
const UNSEEN = [
	/<path class="(?:background|foreground)"[^>]*\/>/g,
	/ (?:class|role|aria-hidden|aria-roledescription|pointer-events|font-family)="[^"]*"/g,
	/ (?:opacity|stroke-width)="1"/g,
	/ transform="translate\(0, ?0\)"/g,
	/ [xy]2="0"/g,
	/ id="[^"]*"/g,
	/ clip-path="[^"]*"/g,
	/<clipPath[^>]*>.*?<\/clipPath>/g,
	/<defs>\s*<\/defs>/g,
];

/** How all lines of a chart are joined: said once, of the outermost group. */
const ROUND = ' stroke-linejoin="round"';

/** Groups that hold nothing, or add nothing to what they hold. */
const EMPTY_GROUP = /<g(?: [^>]*)?><\/g>/g;
const PLAIN_GROUP = /<g>((?:(?!<g[ >]|<\/g>).)*)<\/g>/g;

/** Ticks and grid lines, labels: several in a row. */
const LINES = /(?:<line [^>]*\/>){2,}/g;
const TEXTS = /(?:<text [^>]*>[^<]*<\/text>){2,}/g;
const PLACE = / transform="translate\((-?[\d.]+),(-?[\d.]+)\)"/;

/** A dot: two arcs around a place. */
const DOT =
	/<path transform="translate\(([\d.-]+),([\d.-]+)\)" d="M([\d.]+),0A\3,\3,0,1,1,-\3,0A\3,\3,0,1,1,\3,0"/g;

/**
 * The drawing in an SVG by Vega, without the `<svg>` around it and without what does not show: a third of it. Charts
 * of one page then share no ids, and a chart that is drawn again is the same (Vega numbers clip paths through the whole process).
 * Lines must lie within the plot by themselves.
 */
export function leanSvg(svg: string): string {
	const drawing = svg.slice(svg.indexOf(">", svg.indexOf("<svg")) + 1, svg.lastIndexOf("</svg>"));
	const shown = UNSEEN.reduce((rest, pattern) => rest.replace(pattern, ""), drawing);
	return unwrapped(shown)
		.replace(DOT, '<circle cx="$1" cy="$2" r="$3"')
		.replace(/(?<!opacity=")-?\b\d+\.\d{2,}/g, tenth)
		.replace(LINES, joinedLines)
		.replace(TEXTS, joinedTexts)
		.replaceAll(ROUND, "")
		.replace(' stroke-miterlimit="4"', ROUND)
		.replace(/ d="([^"]+)"/g, (_all, path: string) => ` d="${shortest(path)}"`);
}

/** Steps in place of places. */
function shortest(path: string): string {
	const steps = svgpath(path).rel().round(1).toString();
	return steps.replace(/(^|[ a-z-])0\./g, "$1.").replace(/ -/g, "-");
}

function unwrapped(svg: string): string {
	const next = svg.replace(EMPTY_GROUP, "").replace(PLAIN_GROUP, "$1");
	return next === svg ? svg : unwrapped(next);
}

/** Lines of one stroke, as one path each. */
function joinedLines(run: string): string {
	const paths = new Map<string, string>();
	for (const [line] of run.matchAll(/<line [^>]*>/g)) {
		const [, x = "0", y = "0"] = PLACE.exec(line) ?? [];
		const [, dx] = / x2="([^"]*)"/.exec(line) ?? [];
		const [, dy] = / y2="([^"]*)"/.exec(line) ?? [];
		const stroke = line
			.slice("<line".length, -"/>".length)
			.replace(PLACE, "")
			.replace(/ [xy]2="[^"]*"/g, "");
		const step = dx === undefined ? `v${dy ?? 0}` : dy === undefined ? `h${dx}` : `l${dx} ${dy}`;
		paths.set(stroke, `${paths.get(stroke) ?? ""}M${x} ${y}${step}`);
	}
	return [...paths].map(([stroke, data]) => `<path d="${data}"${stroke}/>`).join("");
}

/** Texts that look the same and stand in one line or column, in one group each. */
function joinedTexts(run: string): string {
	const texts = [...run.matchAll(/<text( [^>]*)>([^<]*)<\/text>/g)].map(([, attributes = "", text = ""]) => {
		const [, x = "0", y = "0"] = PLACE.exec(attributes) ?? [];
		return { look: attributes.replace(PLACE, ""), x, y, text };
	});
	const groups = new Map<string, typeof texts>();
	for (const text of texts) {
		groups.set(text.look, [...(groups.get(text.look) ?? []), text]);
	}
	return [...groups]
		.map(([look, members]) => {
			const [x, y] = [common(members.map((text) => text.x)), common(members.map((text) => text.y))];
			const place = x === "0" && y === "0" ? "" : ` transform="translate(${x} ${y})"`;
			const written = members.map(
				(text) =>
					`<text${x === "0" ? ` x="${text.x}"` : ""}${y === "0" ? ` y="${text.y}"` : ""}>${text.text}</text>`,
			);
			return `<g${look}${place}>${written.join("")}</g>`;
		})
		.join("");
}

/** The one value that all have, or 0. */
function common(values: readonly string[]): string {
	const [first = "0"] = values;
	return values.every((value) => value === first) ? first : "0";
}

/** A tenth of a pixel is finer than any screen; Vega writes thousandths. */
function tenth(coordinate: string): string {
	return String(Math.round(Number(coordinate) * 10) / 10);
}
