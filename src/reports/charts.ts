import type { ResultsFile } from "../record/run-record.js";
import { type Chart, chartName } from "./chart-data.js";
import { CHART_FONT, type DrawnChart, drawChart } from "./chart-render.js";
import { type ChartSize, SIZES, textWidth } from "./chart-size.js";
import { groupByScenario, policiesOf, type ScenarioGroup } from "./grouping.js";
import { liveCharts } from "./live-charts.js";
import { labelledLive } from "./live-groups.js";
import { escapeXml } from "./markup.js";
import { colourVariables, ink, type Shade, withColours } from "./palette.js";
import { type PlacedChart, scenarioCharts } from "./scenario-charts.js";

/** A picture that stands by itself: fixed colours, its own title and legend. */
export interface ChartFile {
	/** File name without its ending. */
	readonly name: string;
	readonly title: string;
	readonly description: string;
	/** On light paper. */
	readonly svg: string;
	/** The same on dark paper. */
	readonly darkSvg: string;
}

const TITLE_SIZE = 15;
const GAP = 24;

/** Every chart as a stand-alone SVG: scenario by scenario, each led by an overview where it has series; then live runs. */
export async function renderCharts(results: ResultsFile): Promise<ChartFile[]> {
	const variables = colourVariables(policiesOf(results));
	const files: ChartFile[] = [];
	// A sweep has too many runs to draw each.
	for (const group of results.sweep === undefined ? groupByScenario(results) : []) {
		const placed = scenarioCharts(group);
		files.push(...(await overview(group, placed, variables)));
		files.push(...(await singly(placed, variables)));
	}
	for (const entry of labelledLive(results)) {
		files.push(...(await singly(liveCharts(entry), variables)));
	}
	return files;
}

/** A file a chart. */
async function singly(
	placed: readonly PlacedChart[],
	variables: ReadonlyMap<string, Shade>,
): Promise<ChartFile[]> {
	const files: ChartFile[] = [];
	for (const { chart, size } of placed) {
		const block = await drawBlock(chart, SIZES[size === "wide" ? "wide" : "half"]);
		files.push(standalone(chartName(chart), chart.title, chart.description, [block], variables));
	}
	return files;
}

/** The picture to show first: backlog, devices and latency of a scenario, one below the other. */
async function overview(
	group: ScenarioGroup,
	placed: readonly PlacedChart[],
	variables: ReadonlyMap<string, Shade>,
): Promise<ChartFile[]> {
	const shown = ["backlog", "devices", "live-p99"]
		.map((topic) => placed.find(({ chart }) => chart.topic === topic)?.chart)
		.filter((chart) => chart !== undefined);
	if (shown.length === 0) {
		return [];
	}
	const blocks: Block[] = [];
	for (const chart of shown) {
		blocks.push(await drawBlock(chart, { ...SIZES.wide, height: 250 }));
	}
	const description = shown.map((chart) => chart.description).join(" ");
	return [standalone(overviewName(group), group.title, description, blocks, variables)];
}

/** Name of the overview's file, without its ending. */
export function overviewName(group: ScenarioGroup): string {
	return `${group.slug}-overview`;
}

interface Block {
	readonly width: number;
	readonly height: number;
	readonly svg: string;
}

/** A chart with its title and legend above it. */
async function drawBlock(chart: Chart, size: ChartSize): Promise<Block> {
	const drawn = await drawChart(chart, size);
	const panel = chart.panel !== undefined ? `${chart.title}: ${chart.panel}` : chart.title;
	const title = `<text x="0" y="${TITLE_SIZE}" font-size="${TITLE_SIZE}" font-weight="600" fill="${ink("ink")}">${escapeXml(panel)}</text>`;
	const { svg: legend, rows } = legendRow(chart, drawn);
	const top = TITLE_SIZE + 12 + rows * 20;
	return {
		width: drawn.width,
		height: top + drawn.height,
		svg: `${title}<g transform="translate(0 ${TITLE_SIZE + 22})">${legend}</g><g transform="translate(0 ${top})">${drawn.body}</g>`,
	};
}

function legendRow(chart: Chart, drawn: DrawnChart): { svg: string; rows: number } {
	if (chart.kind === "dots") {
		return { svg: "", rows: 0 };
	}
	const entries: readonly { label: string; colour: string; dash?: readonly number[] | undefined }[] =
		chart.kind === "curve"
			? chart.curves
			: [
					...chart.lines.map(({ label, colour, dash }) => ({ label, colour, dash })),
					...chart.rules.map(({ label, colour }) => ({ label, colour, dash: [5, 4] })),
				];
	let x = 0;
	let row = 0;
	const parts = entries.map(({ label, colour, dash }) => {
		const width = 24 + textWidth(label, 12.5) + 18;
		if (x > 0 && x + width > drawn.width) {
			x = 0;
			row++;
		}
		const y = row * 20;
		const dashes = dash === undefined ? "" : ` stroke-dasharray="${dash.join(" ")}"`;
		const part =
			`<line x1="${x}" x2="${x + 18}" y1="${y}" y2="${y}" stroke="${colour}" stroke-width="3"${dashes}/>` +
			`<text x="${x + 24}" y="${y + 4.5}" font-size="12.5" fill="${ink("muted")}">${escapeXml(label)}</text>`;
		x += width;
		return part;
	});
	return { svg: parts.join(""), rows: row + 1 };
}

function standalone(
	name: string,
	title: string,
	description: string,
	blocks: readonly Block[],
	variables: ReadonlyMap<string, Shade>,
): ChartFile {
	const width = Math.max(...blocks.map((block) => block.width), 320) + 2 * GAP;
	let y = GAP;
	const parts = blocks.map((block) => {
		const part = `<g transform="translate(${GAP} ${y})">${block.svg}</g>`;
		y += block.height + GAP;
		return part;
	});
	const svg =
		`<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${y}" viewBox="0 0 ${width} ${y}" ` +
		`font-family="${escapeXml(CHART_FONT)}" role="img"><title>${escapeXml(title)}</title><desc>${escapeXml(description)}</desc>` +
		`<rect width="${width}" height="${y}" fill="${ink("paper")}"/>${parts.join("")}</svg>\n`;
	return {
		name,
		title,
		description,
		svg: withColours(svg, variables, "light"),
		darkSvg: withColours(svg, variables, "dark"),
	};
}
