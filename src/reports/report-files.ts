import type { HistoryEntry } from "../record/history.js";
import type { ResultsFile } from "../record/run-record.js";
import { type OutputFile, RESULTS_FILE_NAME, serialiseResults } from "../record/write-results.js";
import { renderCharts } from "./charts.js";
import { renderGithub } from "./github.js";
import { renderHtml } from "./html.js";
import { renderJunit } from "./junit.js";
import { COMMENT_BYTES_MAX, renderMarkdown } from "./markdown.js";

/**
 * The names that `--reporter` takes. `comment` is the Markdown of a pull request's comment, `png` adds each chart as PNG.
 * `github` writes no file: its lines go to stdout.
 */
export type Reporter = "json" | "md" | "comment" | "html" | "png" | "junit" | "github";

/** The files of a results folder for the chosen reporters, ready for `writeResults`. */
export async function reportFiles(
	results: ResultsFile,
	reporters: ReadonlySet<Reporter>,
	history: readonly HistoryEntry[] = [],
): Promise<readonly OutputFile[]> {
	const files: OutputFile[] = [];
	if (reporters.has("md")) {
		files.push({ name: "BENCHMARK_RESULTS.md", content: renderMarkdown(results, { history }) });
	}
	if (reporters.has("comment")) {
		// A comment stands far from the folder of the charts.
		const options = { chartsFolder: null, bytesMax: COMMENT_BYTES_MAX, history };
		files.push({ name: "comment.md", content: renderMarkdown(results, options) });
	}
	if (reporters.has("md") || reporters.has("png")) {
		files.push(...(await chartFiles(results, reporters)));
	}
	if (reporters.has("html")) {
		files.push({ name: "BENCHMARK_RESULTS.html", content: await renderHtml(results, history) });
	}
	if (reporters.has("junit")) {
		files.push({ name: "junit.xml", content: renderJunit(results) });
	}
	if (reporters.has("json")) {
		files.push({ name: RESULTS_FILE_NAME, content: serialiseResults(results) });
	}
	return files;
}

async function chartFiles(
	results: ResultsFile,
	reporters: ReadonlySet<Reporter>,
): Promise<readonly OutputFile[]> {
	// Loaded for pictures alone: it is a library in machine code.
	const png = reporters.has("png") ? (await import("./png.js")).svgToPng : undefined;
	return (await renderCharts(results)).flatMap(({ name, svg, darkSvg }) => [
		...(reporters.has("md")
			? [
					{ name: `charts/${name}.svg`, content: svg },
					{ name: `charts/${name}-dark.svg`, content: darkSvg },
				]
			: []),
		...(png === undefined ? [] : [{ name: `charts/${name}.png`, content: png(svg) }]),
	]);
}

/** What a reporter says on stdout rather than in a file. */
export function reportLines(results: ResultsFile, reporters: ReadonlySet<Reporter>): string {
	return reporters.has("github") ? renderGithub(results) : "";
}
