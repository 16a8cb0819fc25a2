import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { Eta } from "eta";
import type { ResultsFile } from "../record/run-record.js";
import { type PageModel, pageModel } from "./html-model.js";

/** Templates, style sheet and script lie beside this module, in the sources as in the build. */
const ASSETS = new URL("./page/", import.meta.url);

/**
 * BENCHMARK_RESULTS.html: one file without any outside reference. Charts are drawn here; the page's
 * own script only moves a cursor over them, and everything can be read without it.
 */
export async function renderHtml(results: ResultsFile): Promise<string> {
	const model = pageModel(results);
	const [style, script] = await Promise.all([asset("page.css"), asset("page.js")]);
	const eta = new Eta({
		views: fileURLToPath(ASSETS),
		autoEscape: true,
		autoTrim: ["nl", false],
		cache: true,
	});
	const page: PageModel & { readonly style: string; readonly script: string } = { ...model, style, script };
	return eta.renderAsync("./page", page);
}

async function asset(name: string): Promise<string> {
	return readFile(new URL(name, ASSETS), "utf8");
}
