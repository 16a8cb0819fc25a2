import { describe, expect, it } from "vitest";
import { renderHtml } from "../../src/reports/html.js";
import { METRICS } from "../../src/reports/metrics.js";
import { pspsResults, pspsRun } from "../fixtures/psps-results.js";
import { EDGES, fileOf } from "./support.js";

const VOID = new Set(["meta", "link", "br", "hr", "img", "input"]);

/** Element names that are opened and not closed, or closed and not open. */
function unbalanced(html: string): string[] {
	const markup = html.replace(/<(script|style)\b[^>]*>[\s\S]*?<\/\1>/g, "").replace(/<!doctype[^>]*>/i, "");
	const open: string[] = [];
	const wrong: string[] = [];
	for (const [, close, name = "", attributes = ""] of markup.matchAll(
		/<(\/?)([a-zA-Z][\w-]*)((?:"[^"]*"|'[^']*'|[^'">])*)>/g,
	)) {
		if (close === "/") {
			const last = open.pop();
			if (last !== name) {
				wrong.push(`</${name}> closes <${last}>`);
			}
		} else if (!VOID.has(name) && !attributes.endsWith("/")) {
			open.push(name);
		}
	}
	return [...wrong, ...open];
}

const ids = (html: string) => [...html.matchAll(/\sid="([^"]+)"/g)].map((match) => match[1] ?? "");

describe("renderHtml", () => {
	it("is one file that loads nothing", async () => {
		const html = await renderHtml(pspsResults(["none", "static", "klais"]));
		expect(html).not.toMatch(/\b(?:src|srcset|href|action|data|poster)="(?!#|data:,")/);
		expect(html).not.toMatch(/url\((?!#)|@import|https?:\/\/(?!www\.w3\.org\/2000\/svg)/);
		expect(html.length).toBeLessThan(800_000);
		const [, script = ""] = /<script type="module">([\s\S]*?)<\/script>/.exec(html) ?? [];
		expect(script.length).toBeGreaterThan(1_000);
		expect(Buffer.byteLength(script)).toBeLessThan(8_192);
	});

	it("keeps 20 scenarios under 5 policies below 3 MB, every chart in it", async () => {
		const policies = ["none", "static", "aimd", "gradient2", "klais"];
		const runs = Array.from({ length: 20 }, (_, index) =>
			policies.map((policy) => ({ ...pspsRun(policy), scenario: `scenario-${index}` })),
		);
		const before = process.cpuUsage();
		const html = await renderHtml(fileOf(...runs.flat()));
		const { user, system } = process.cpuUsage(before);
		// CPU time: other work on the machine is not the report's.
		expect(user + system).toBeLessThan(10_000_000);
		expect(Buffer.byteLength(html)).toBeLessThan(3_000_000);
		expect(html.match(/<svg class="chart"/g)).toHaveLength(20 * 2 * policies.length);
	}, 60_000);

	it("has the same bytes each time", async () => {
		expect(await renderHtml(pspsResults())).toBe(await renderHtml(pspsResults()));
	});

	it("leads with the verdict, and shows every figure", async () => {
		const html = await renderHtml(pspsResults());
		const main = html.slice(html.indexOf("<main"));
		expect(main.indexOf("Passed")).toBeLessThan(main.indexOf("drained"));
		expect(main.indexOf("1.03x the physical bound")).toBeLessThan(main.indexOf("<table"));
		for (const metric of METRICS) {
			expect(html).toContain(`>${metric.label}</th>`);
			expect(html).toContain(metric.id);
		}
	});

	it("marks partial results and missing drains where nobody can miss them", async () => {
		expect(await renderHtml(EDGES["stopped early"] ?? fileOf())).toMatch(
			/<p class="banner"[^>]*><strong>Partial results/,
		);
		const never = await renderHtml(EDGES["klais never drained"] ?? fileOf());
		expect(never).toMatch(/<h1 class="outcome"><code>klais<\/code> NEVER DRAINED/);
		expect(never).toContain('<p class="big bad">Never drained</p>');
	});

	it.each(Object.entries(EDGES))(
		"is well-formed with unique ids and whole links: %s",
		async (_name, results) => {
			const html = await renderHtml(results);
			expect(unbalanced(html)).toEqual([]);
			const known = ids(html);
			expect(new Set(known).size).toBe(known.length);
			const targets = [...html.matchAll(/href="#([^"]+)"|url\(#([^)]+)\)/g)].map(
				(match) => match[1] ?? match[2] ?? "",
			);
			expect(targets.filter((target) => !known.includes(target))).toEqual([]);
			expect(html.replace(/<pre[\s\S]*?<\/pre>|<script type="module">[\s\S]*?<\/script>/g, "")).not.toMatch(
				/undefined|NaN|Infinity|\[object/,
			);
		},
	);

	it("escapes names wherever they stand", async () => {
		const html = await renderHtml(EDGES["hostile names"] ?? fileOf());
		expect(html).not.toMatch(/<script>alert|<img src=x|onerror=alert\(2\)>(?!&)/);
		expect(html.match(/<script/g)).toHaveLength(1);
		const live = await renderHtml(EDGES["benchmarks and live runs"] ?? fileOf());
		expect(live).not.toMatch(/<script>alert|<img src=x/);
	});
});
