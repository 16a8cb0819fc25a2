import { XMLValidator } from "fast-xml-parser";
import { describe, expect, it } from "vitest";
import { axisLabel, timeTicks, timeUnit, valueTicks } from "../../src/reports/chart-axis.js";
import { axisFor, logarithmicAxis, thinned } from "../../src/reports/chart-data.js";
import { renderCharts } from "../../src/reports/charts.js";
import { colourVariables, policyShades } from "../../src/reports/palette.js";
import { svgToPng } from "../../src/reports/png.js";
import { pspsResults } from "../fixtures/psps-results.js";
import { EDGES } from "./support.js";

const results = pspsResults(["none", "static", "klais"]);

describe("renderCharts", () => {
	it("draws every chart, the same bytes each time", async () => {
		const charts = await renderCharts(results);
		expect(charts.map((chart) => chart.title)).toEqual([
			"PG&E public safety power shut-off, 25 October 2019",
			"Backlog still to be stored",
			...Array.from({ length: 3 }, () => "Offered, admitted, durable"),
			"Devices back, and devices served",
			"Live latency, p99",
			"Live latency before and in recovery",
			"Time to connect",
			"Frames dropped, by reason",
			...Array.from({ length: 3 }, () => "Knocking at the door"),
		]);
		expect(await renderCharts(results)).toEqual(charts);
	});

	it("makes valid, self-contained XML with fixed colours and a name", async () => {
		for (const { name, svg } of await renderCharts(results)) {
			expect(XMLValidator.validate(svg), name).toBe(true);
			expect(svg, name).not.toMatch(/var\(|NaN|undefined|href=|<script|<image/);
			expect(svg, name).toMatch(/role="img"><title>[^<]+<\/title><desc>[^<]+<\/desc>/);
			const ids = [...svg.matchAll(/\bid="([^"]+)"/g)].map((match) => match[1]);
			expect(new Set(ids).size, name).toBe(ids.length);
		}
	});

	it("gives a policy its colour in every chart, another on dark paper", async () => {
		const [klais] = [...policyShades(["klais"]).values()];
		for (const mode of ["light", "dark"] as const) {
			for (const { name, svg, darkSvg } of await renderCharts(pspsResults(["klais"]))) {
				expect(mode === "light" ? svg : darkSvg, name).toContain(`"${klais?.[mode]}"`);
			}
		}
	});

	it.each(Object.entries(EDGES))("takes: %s", async (_name, edge) => {
		const charts = await renderCharts(edge);
		for (const { name, svg } of charts) {
			expect(XMLValidator.validate(svg), name).toBe(true);
			expect(svg, name).not.toMatch(/NaN|undefined|Infinity|alert\(1\)<\/script>/);
			expect(name).toMatch(/^[a-z0-9-]+$/);
		}
		expect(new Set(charts.map((chart) => chart.name)).size).toBe(charts.length);
	});
});

describe("svgToPng", () => {
	it("draws text with the pinned font, not with the machine's", async () => {
		const [overview] = await renderCharts(pspsResults(["klais"]));
		const png = svgToPng(overview?.svg ?? "", 1);
		expect(png.subarray(1, 4).toString()).toBe("PNG");
		expect(png.readUInt32BE(16)).toBe(1_088);
		const blank = svgToPng('<svg xmlns="http://www.w3.org/2000/svg" width="90" height="30"/>', 1);
		const words = svgToPng(
			'<svg xmlns="http://www.w3.org/2000/svg" width="90" height="30"><text y="20" font-family="Nowhere, sans-serif">KLAIS</text></svg>',
			1,
		);
		expect(words.length).toBeGreaterThan(blank.length + 200);
	});
});

describe("axes", () => {
	it("counts time in the unit that fits", () => {
		expect(timeUnit(691_200).symbol).toBe("h");
		expect(timeUnit(900).symbol).toBe("min");
		expect(timeUnit(20).symbol).toBe("s");
		expect(timeTicks(691_200, timeUnit(691_200), 8)).toEqual([0, 24, 48, 72, 96, 120, 144, 168, 192]);
		expect(timeTicks(0.004, timeUnit(0.004), 8).length).toBeLessThan(12);
	});

	it("turns logarithmic only when the flood dwarfs the capacity", () => {
		expect(axisFor([2_000, null, 2_400], 2_500)).toEqual({ logarithmic: false, domain: [0, 2_625] });
		expect(axisFor([50_000], 2_500)).toMatchObject({ logarithmic: true, domain: [10, expect.any(Number)] });
		expect(axisFor([], 0)).toEqual({ logarithmic: false, domain: [0, 1] });
		expect(logarithmicAxis([null, 0])).toEqual([1, 10]);
		expect(logarithmicAxis([250, 31_000])).toEqual([100, 100_000]);
		expect(logarithmicAxis([1_000])).toEqual([1_000, 10_000]);
	});

	it("labels round values", () => {
		expect(valueTicks("count", false, [0, 1_074_065], 5)).toEqual([0, 250_000, 500_000, 750_000, 1_000_000]);
		expect(valueTicks("rate", true, [10, 100_000], 5)).toEqual([10, 100, 1_000, 10_000, 100_000]);
		expect(valueTicks("micros", true, [1e5, 1e11], 5).map((tick) => axisLabel("micros", tick))).toEqual([
			"100 ms",
			"10 s",
			"10 min",
			"10 h",
		]);
	});

	it("thins long series without losing a peak or a gap", () => {
		const points = Array.from({ length: 10_000 }, (_, i): [number, number | null] => [
			i,
			i === 5_432 ? 99 : 1,
		]);
		const thin = thinned(points, 800);
		expect(thin.length).toBeLessThanOrEqual(800);
		expect(thin.some(([x, y]) => x === 5_432 && y === 99)).toBe(true);
		expect(
			thinned(
				points.map(([x]) => [x, null] as const),
				10,
			).every(([, y]) => y === null),
		).toBe(true);
	});
});

describe("palette", () => {
	it("keeps 3:1 against its paper for every colour that carries meaning", () => {
		const policies = [
			"klais",
			"none",
			"static",
			"aimd",
			"gradient2",
			"vegas",
			"codel",
			"breakwater",
			"pid",
			"oracle",
			"x",
			"y",
			"z",
		];
		const variables = colourVariables(policies);
		for (const [name, shade] of variables) {
			if (["--grid", "--paper"].includes(name)) {
				continue;
			}
			expect(contrast(shade.light, "#ffffff"), `${name} light`).toBeGreaterThan(3);
			expect(contrast(shade.dark, "#15181b"), `${name} dark`).toBeGreaterThan(3);
		}
	});
});

function contrast(one: string, other: string): number {
	const [dark = 0, light = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
	return (light + 0.05) / (dark + 0.05);
}

function luminance(colour: string): number {
	const [r = 0, g = 0, b = 0] = [1, 3, 5].map((at) => {
		const value = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
		return value <= 0.039_28 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
	});
	return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
