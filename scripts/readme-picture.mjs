// Draws the picture of README.md from a folder of results: `node scripts/readme-picture.mjs results/published/psps-2019-10-25`.
// Needs a build (`npm run setup`).
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { at } from "./setup/paths.mjs";

const { svgToPng } = await import(new URL("../dist/reports/png.js", import.meta.url).href);
const folder = join(process.argv[2] ?? at("results", "published", "psps-2019-10-25"), "charts");
const chart = readdirSync(folder).find((name) => name.startsWith("psps-") && name.endsWith("-overview.svg"));
if (chart === undefined) {
	throw new Error(`${folder}: holds no overview chart of a psps run`);
}
const target = at("docs", "images", "psps-overview.png");
mkdirSync(at("docs", "images"), { recursive: true });
writeFileSync(target, svgToPng(readFileSync(join(folder, chart), "utf8")));
process.stdout.write(`${target}\n`);
