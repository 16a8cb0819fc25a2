import type { ResultsFile } from "../record/run-record.js";
import { type OutputFile, RESULTS_FILE_NAME, serialiseResults } from "../record/write-results.js";
import { renderCharts } from "./charts.js";
import { renderGithub } from "./github.js";
import { renderHtml } from "./html.js";
import { renderJunit } from "./junit.js";
import { renderMarkdown } from "./markdown.js";

/** The names that `--reporter` takes. `github` writes no file: its lines go to stdout. */
export type Reporter = "json" | "md" | "html" | "junit" | "github";

/** The files of a results folder for the chosen reporters, ready for `writeResults`. */
export async function reportFiles(
	results: ResultsFile,
	reporters: ReadonlySet<Reporter>,
): Promise<readonly OutputFile[]> {
	const files: OutputFile[] = [];
	if (reporters.has("md")) {
		files.push({ name: "BENCHMARK_RESULTS.md", content: renderMarkdown(results) });
		for (const { name, svg, darkSvg } of renderCharts(results)) {
			files.push({ name: `charts/${name}.svg`, content: svg });
			files.push({ name: `charts/${name}-dark.svg`, content: darkSvg });
		}
	}
	if (reporters.has("html")) {
		files.push({ name: "BENCHMARK_RESULTS.html", content: await renderHtml(results) });
	}
	if (reporters.has("junit")) {
		files.push({ name: "junit.xml", content: renderJunit(results) });
	}
	if (reporters.has("json")) {
		files.push({ name: RESULTS_FILE_NAME, content: serialiseResults(results) });
	}
	return files;
}

/** What a reporter says on stdout rather than in a file. */
export function reportLines(results: ResultsFile, reporters: ReadonlySet<Reporter>): string {
	return reporters.has("github") ? renderGithub(results) : "";
}
