import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ResultsFile } from "../../src/record/run-record.js";
import { renderHtml } from "../../src/reports/html.js";
import { pspsResults, pspsRun } from "../fixtures/psps-results.js";
import { EDGES, fileOf } from "./support.js";

const CHROMIUM = ["/usr/bin/chromium", "/usr/bin/chromium-browser"].find((path) => existsSync(path));

const FLAGS = [
	"--no-sandbox",
	"--disable-quic",
	"--disable-background-networking",
	"--disable-component-update",
	"--disable-sync",
];

const DESKTOP = { width: 1_280, height: 900 };
const PHONE = { width: 375, height: 740 };

/** Charts of the fixture: three policies, two groups of small multiples, six pictures in two widths each. */
const THIRDS = 6;
const BROAD = 6;

// A browser is no part of the tool: without one the structure tests still hold.
describe.skipIf(CHROMIUM === undefined)("the page in Chromium (skipped without /usr/bin/chromium)", () => {
	let browser: Browser;
	let folder = "";
	const troubles: string[] = [];

	beforeAll(async () => {
		folder = await mkdtemp(join(tmpdir(), "klais-page-"));
		browser = await chromium.launch({ executablePath: CHROMIUM ?? "", args: FLAGS });
	});
	afterAll(async () => {
		await browser?.close();
		await rm(folder, { recursive: true, force: true });
	});

	async function open(
		results: ResultsFile,
		options: { readonly viewport?: typeof DESKTOP; readonly colorScheme?: "light" | "dark" } = {},
	): Promise<Page> {
		const file = join(folder, "page.html");
		await writeFile(file, await renderHtml(results));
		const page = await browser.newPage({ viewport: DESKTOP, ...options });
		troubles.length = 0;
		page.on("console", (message) => troubles.push(`${message.type()}: ${message.text()}`));
		page.on("pageerror", (error) => troubles.push(error.message));
		page.on("request", (request) => {
			if (!/^(file|data):/.test(request.url())) {
				troubles.push(`loads ${request.url()}`);
			}
		});
		await page.goto(pathToFileURL(file).href);
		return page;
	}

	const three = pspsResults(["none", "static", "klais"]);

	it("draws every chart and says nothing on the console", async () => {
		const page = await open(three);
		const charts = page.locator("svg.chart:visible");
		expect(await charts.count()).toBe(THIRDS + BROAD);
		for (const chart of await charts.all()) {
			expect(await chart.locator("path").count()).toBeGreaterThan(2);
			const box = await chart.boundingBox();
			expect(box?.width).toBeGreaterThan(200);
			expect(box?.height).toBeGreaterThan(100);
		}
		expect(troubles).toEqual([]);
		await page.close();
	});

	it("names every chart for those who cannot see it", async () => {
		const page = await open(three);
		const pictures = page.getByRole("img");
		expect(await pictures.count()).toBe(THIRDS + BROAD);
		expect(await page.getByRole("img", { name: /^Backlog over time: .*klais peaks at/ }).count()).toBe(1);
		expect(await page.getByRole("img", { name: /^Readings per second under none:/ }).count()).toBe(1);
		expect(await page.getByRole("table").count()).toBeGreaterThan(4);
		expect(await page.getByRole("heading", { level: 1 }).count()).toBe(1);
		await page.close();
	});

	it("opens 20 scenarios under 5 policies in less than 2 s, every chart in it with a name", async () => {
		const policies = ["none", "static", "aimd", "gradient2", "klais"];
		const runs = Array.from({ length: 20 }, (_, index) =>
			policies.map((policy) => ({ ...pspsRun(policy), scenario: `scenario-${index}` })),
		);
		const page = await open(fileOf(...runs.flat()));
		const seconds: number[] = [];
		// The cores may be at work elsewhere: the quickest of three counts.
		for (let opening = 0; opening < 3; opening++) {
			const start = performance.now();
			await page.reload();
			await page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))");
			seconds.push((performance.now() - start) / 1_000);
		}
		expect(Math.min(...seconds)).toBeLessThan(2);
		const nameless = await page
			.locator("svg.chart")
			.evaluateAll(
				(charts) =>
					charts.filter(
						(chart) =>
							!chart.ownerDocument.getElementById(chart.getAttribute("aria-labelledby") ?? "")?.textContent,
					).length,
			);
		expect(nameless).toBe(0);
		const last = page.locator("#scenario-19-backlog svg.broad");
		await page.evaluate("location.assign('#scenario-19-backlog')");
		await expect
			.poll(() => last.evaluate((svg) => svg.getBoundingClientRect().top))
			.toBeLessThan(DESKTOP.height);
		expect(await last.locator("path").count()).toBeGreaterThan(4);
		expect(troubles).toEqual([]);
		await page.close();
	}, 60_000);

	it("follows deep links to every anchor", async () => {
		const page = await open(EDGES["two scenarios"] ?? fileOf());
		const hashes = await page
			.locator("nav a, .turn a, .grid a, h2 a.anchor, h3 a.anchor, h4 a.anchor, h5 a.anchor")
			.evaluateAll((links) => links.map((link) => link.getAttribute("href") ?? ""));
		expect(hashes).toContain("#kddi-2022-07");
		expect(hashes.length).toBeGreaterThan(20);
		for (const hash of hashes) {
			await page.evaluate(`location.assign(${JSON.stringify(hash)})`);
			expect(await page.locator(`[id="${hash.slice(1)}"]`).isVisible(), hash).toBe(true);
		}
		await page.locator("nav a", { hasText: "kddi-2022-07" }).click();
		const top = await page
			.locator("#kddi-2022-07")
			.evaluate((section) => section.getBoundingClientRect().top);
		expect(Math.abs(top)).toBeLessThan(120);
		expect(troubles).toEqual([]);
		await page.close();
	});

	it("filters scenarios by word and verdict, and a link to a hidden one ends the filter", async () => {
		const failed = { ...pspsRun("klais"), scenario: "doubled" };
		const ledger = { ...failed.ledger, duplicates: 3 };
		const page = await open(fileOf(pspsRun("klais"), { ...failed, ledger }));
		const shown = () => page.locator(".grid tbody tr:visible a").allTextContents();
		expect(await shown()).toEqual(["psps-2019-10-25", "doubled"]);
		await page.getByRole("searchbox", { name: "Show" }).fill("2019 psps");
		expect(await shown()).toEqual(["psps-2019-10-25"]);
		expect(await page.locator("#doubled").isVisible()).toBe(false);
		expect(await page.locator("#filter-count").textContent()).toBe("1 of 2 scenarios");
		await page.evaluate("location.assign('#doubled-backlog')");
		await expect.poll(() => page.locator("#doubled-backlog").isVisible()).toBe(true);
		await page.getByRole("radio", { name: "failed" }).check();
		expect(await shown()).toEqual(["doubled"]);
		expect(troubles).toEqual([]);
		await page.close();
	});

	it("says what the scenario expects, what was found, and opens what is broken", async () => {
		const expectations = [
			{ text: "duplicates == 0", metric: "ledger.duplicates", relation: "==", value: 0 },
			{ text: "drainRatio <= 1", metric: "virtual.drainRatio", relation: "<=", value: 1 },
		];
		const page = await open(fileOf({ ...pspsRun("klais"), config: { expect: expectations } }));
		const rows = await page.locator(".expectations tbody tr:visible").allTextContents();
		expect(rows.map((row) => row.trim())).toEqual([
			expect.stringMatching(/^drainRatio <= 1\s*BROKEN\s*klais\s*1\.0\d+$/),
			expect.stringMatching(/^duplicates == 0\s*holds\s*klais\s*0$/),
		]);
		await page.close();
	});

	it("reads all charts out at the pointer's time, and by the keyboard", async () => {
		const page = await open(three);
		const chart = page.locator("svg.broad[data-plot]").first();
		await chart.scrollIntoViewIfNeeded();
		const box = await chart.boundingBox();
		await page.mouse.move((box?.x ?? 0) + (box?.width ?? 0) / 2, (box?.y ?? 0) + 60);
		await expect
			.poll(() => page.locator("output[data-clock]").first().textContent())
			.toMatch(/^at 9\d(\.\d)? h$/);
		const overTime = '.panel:has([data-axis="time"]) output[data-source]';
		const values = await page.locator(overTime).allTextContents();
		expect(
			values.every((value) => /^(–|[\d.,]+ ?(k|M|G|µs|ms|s|min|h)?(\/s)?)$/.test(value)),
			values.join(),
		).toBe(true);
		expect(await page.locator("line.cursor[x1]:not([style*=none])").count()).toBe(THIRDS + 2 * 3);
		await page.mouse.move(2, 2);
		await expect.poll(() => page.locator("line.cursor[x1]:not([style*=none])").count()).toBe(0);
		await chart.focus();
		await page.keyboard.press("PageUp");
		await page.keyboard.press("ArrowRight");
		await expect.poll(() => page.locator("output[data-clock]").first().textContent()).toBe("at 10.1 h");
		expect(troubles).toEqual([]);
		await page.close();
	});

	it("reads percentile curves out together, where they have points", async () => {
		const run = pspsRun("klais");
		const percentiles = {
			percents: [50, 90, 99],
			liveBeforeMicros: [1e5, 2e5, 3e5],
			liveRecoveryMicros: [2e5, 5e5, 9e5],
			connectedSeconds: [10, 60, 600],
			connectedBoundSeconds: [9, 50, 500],
		};
		const page = await open(fileOf({ ...run, percentiles }));
		await page.locator("#psps-2019-10-25-connected svg.broad").focus();
		const read = (topic: string) => page.locator(`#psps-2019-10-25-${topic} output`).allTextContents();
		await page.keyboard.press("ArrowRight");
		await page.keyboard.press("ArrowRight");
		await expect.poll(() => read("connected")).toEqual(["60 s", "50 s", "p90"]);
		expect(await read("percentiles")).toEqual(["500 ms", "200 ms", "p90"]);
		expect(await read("backlog")).toEqual(["", "", ""]);
		expect(troubles).toEqual([]);
		await page.close();
	});

	it("fits a phone: nothing wider than the page but what scrolls by itself", async () => {
		const page = await open(three, { viewport: PHONE });
		expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(PHONE.width);
		expect(await page.locator("svg.narrow:visible").count()).toBe(BROAD);
		expect(await page.locator("svg.broad:visible").count()).toBe(0);
		const sizes = await page
			.locator("svg.chart:visible text")
			.evaluateAll((texts) => texts.map((text) => text.getBoundingClientRect().height));
		expect(Math.min(...sizes)).toBeGreaterThan(9);
		await page.close();
	});

	it("has light and dark paper, by preference and by the button", async () => {
		const paper = (page: Page) => page.evaluate("getComputedStyle(document.body).backgroundColor");
		const stroke = (page: Page) =>
			page.evaluate(`getComputedStyle(document.querySelector("svg.broad path[stroke]")).stroke`);
		const page = await open(three, { colorScheme: "dark" });
		expect(await paper(page)).toBe("rgb(21, 24, 27)");
		const dark = await stroke(page);
		await page.getByRole("button", { name: "Light" }).click();
		expect(await paper(page)).toBe("rgb(255, 255, 255)");
		expect(await stroke(page)).not.toBe(dark);
		await page.close();
	});

	it.each(["hostile names", "all zero", "no runs", "an empty series", "one bucket", "many seeds"])(
		"stays quiet and runs no foreign script: %s",
		async (name) => {
			const page = await open(EDGES[name] ?? fileOf());
			page.on("dialog", (dialog) => troubles.push(dialog.message()));
			const [chart] = await page.locator("svg.chart:visible").all();
			await chart?.hover();
			await page.waitForTimeout(50);
			expect(troubles).toEqual([]);
			expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(DESKTOP.width);
			await page.close();
		},
	);
});
