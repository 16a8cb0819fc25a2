import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { Eta } from "eta";
import type { HistoryEntry } from "../record/history.js";
import type { ResultsFile } from "../record/run-record.js";
import { type PageModel, pageModel } from "./html-model.js";

/** Templates, style sheet and script lie beside this module, in the sources as in the build. */
const ASSETS = new URL("./page/", import.meta.url);

/**
 * BENCHMARK_RESULTS.html: one file without any outside reference. Charts are drawn here; the page's
 * own script moves a cursor over them and filters scenarios; everything can be read without it.
 */
export async function renderHtml(
	results: ResultsFile,
	history: readonly HistoryEntry[] = [],
): Promise<string> {
	const model = await pageModel(results, history);
	const [styles, scripts] = await Promise.all([
		assets("page.css", "grid.css"),
		assets("page.js", "filter.js"),
	]);
	const eta = new Eta({
		views: fileURLToPath(ASSETS),
		autoEscape: true,
		autoTrim: ["nl", false],
		cache: true,
	});
	const page: PageModel & { readonly style: string; readonly script: string } = {
		...model,
		style: styles,
		script: scripts,
	};
	return eta.renderAsync("./page", page);
}

async function assets(...names: readonly string[]): Promise<string> {
	const texts = await Promise.all(names.map((name) => readFile(new URL(name, ASSETS), "utf8")));
	return texts.join("\n");
}
