// What the HTML report of 20 scenarios under 5 policies costs: `node bench/report-page.mjs results/ci/results.json`.
// The runs of the record are real; where there are fewer, they stand again under further names. Needs a build, and
// Chromium for the time that the page takes to open.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const SCENARIOS = 20;
const POLICIES = ["none", "static", "aimd", "gradient2", "klais"];
const OPENINGS = 5;

const [, , file = "results/latest/results.json"] = process.argv;
const { renderHtml } = await import(new URL("../dist/reports/html.js", import.meta.url).href);
const record = JSON.parse(readFileSync(file, "utf8"));

function grouped(runs) {
	const groups = new Map();
	for (const run of runs) {
		groups.set(run.scenario, [...(groups.get(run.scenario) ?? []), run]);
	}
	return groups;
}

/** The record, made as wide and as long as the bar says. */
function widened({ runs, ...rest }) {
	const groups = [...grouped(runs)].sort((a, b) => b[1].length - a[1].length);
	const wide = Array.from({ length: SCENARIOS }, (_, index) => {
		const [name, group] = groups[index % groups.length];
		const scenario = index < groups.length ? name : `${name}-${Math.floor(index / groups.length)}`;
		return POLICIES.map((policy, place) => {
			const run = group.find((own) => own.policy === policy) ?? group[place % group.length];
			return { ...run, scenario, policy };
		});
	});
	return { ...rest, runs: wide.flat() };
}

async function openingMillis(page) {
	const { chromium } = await import("playwright-core");
	const browser = await chromium.launch({
		executablePath: "/usr/bin/chromium",
		args: ["--no-sandbox", "--disable-quic"],
	});
	const folder = mkdtempSync(join(tmpdir(), "klais-page-"));
	try {
		const path = join(folder, "page.html");
		writeFileSync(path, page);
		const times = [];
		for (let opening = 0; opening < OPENINGS; opening++) {
			const tab = await browser.newPage({ viewport: { width: 1280, height: 900 } });
			const start = performance.now();
			await tab.goto(pathToFileURL(path).href);
			// Two frames: the first may be painted while the second is being made.
			await tab.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))");
			times.push(performance.now() - start);
			await tab.close();
		}
		return times.sort((a, b) => a - b);
	} finally {
		await browser.close();
		rmSync(folder, { recursive: true });
	}
}

const results = widened(record);
const start = performance.now();
const before = process.cpuUsage();
const html = await renderHtml(results);
const seconds = (performance.now() - start) / 1000;
const { user, system } = process.cpuUsage(before);
const cpuSeconds = (user + system) / 1e6;
process.stdout.write(
	`${SCENARIOS} scenarios x ${POLICIES.length} policies: ${Buffer.byteLength(html)} bytes (bar 3,000,000)\n`,
);
process.stdout.write(
	`rendered in ${seconds.toFixed(2)} s, of it ${cpuSeconds.toFixed(2)} s of CPU (bar 10)\n`,
);
if (existsSync("/usr/bin/chromium")) {
	const times = await openingMillis(html);
	process.stdout.write(
		`opened and painted in ${times.map((time) => Math.round(time)).join(", ")} ms (bar 2,000)\n`,
	);
}
